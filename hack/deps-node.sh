#!/usr/bin/env bash
# Checks for the programs of a real node, see sandbox/README.md, and for conntrack, to look at and forget its connections.
# As root on Debian it installs what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

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

hack/install.sh "${missing[@]}"
