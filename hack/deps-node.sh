#!/usr/bin/env bash
# Checks for the programs of a real node, see sandbox/README.md, and for conntrack, to look at and forget its connections.
# As root on Debian it installs what is missing.
set -euo pipefail

missing=()
need() { # need PACKAGE FILE...: the package, unless one of the files is there
	local file
	for file in "${@:2}"; do
		[[ -x $file ]] && return
	done
	missing+=("$1")
}
for program in containerd:containerd runc:runc nft:nftables conntrack:conntrack; do
	need "${program#*:}" {/usr/local,/usr,}/{s,}bin/"${program%:*}"
done
need containernetworking-plugins /usr/lib/cni/ptp /opt/cni/bin/ptp /usr/libexec/cni/ptp

if ((${#missing[@]} == 0)); then
	exit
elif [[ -e /etc/debian_version && $EUID -eq 0 ]]; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >&2
	apt-get install -qq --no-install-recommends "${missing[@]}" >&2
else
	echo "missing: ${missing[*]}; install with your package manager" >&2
	exit 1
fi
