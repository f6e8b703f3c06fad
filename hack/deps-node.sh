#!/usr/bin/env bash
# Checks for the programs of a real node, see sandbox/README.md, for conntrack, to look at and forget its connections, and for
# Prometheus, which some tests ask. As root on Debian it installs what is missing.
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

# unpack takes Prometheus, and nothing else, from Debian's package: installed, that would start a service.
unpack() {
	[[ -e /etc/debian_version && $EUID -eq 0 ]] && tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT &&
		apt-get update -qq >&2 && (cd "$tmp" && apt-get download -qq -o APT::Sandbox::User=root prometheus >&2) &&
		dpkg -x "$tmp"/prometheus_*.deb "$tmp" && install -D "$tmp/usr/bin/prometheus" bin/tools/prometheus
}
if [[ ! -x bin/tools/prometheus ]] && ! command -v prometheus >/dev/null; then
	unpack || echo 'missing: prometheus: the tests that ask one are skipped; install with your package manager' >&2
fi
