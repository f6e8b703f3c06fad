#!/usr/bin/env bash
# Checks for the programs that the Makefile needs, and those that are named. As root on Debian it installs what is missing,
# but Go: Debian's is too old.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=()
for program in git make "$@"; do
	command -v "$program" >/dev/null || missing+=("$program")
done
if [[ -e /etc/debian_version && ! -e /etc/ssl/certs/ca-certificates.crt ]]; then
	missing+=(ca-certificates)
fi

hack/install.sh "${missing[@]}"

want=$(awk '$1 == "go" {print $2}' go.mod sandbox/go.mod | sort -V | tail -n 1)
if ! command -v go >/dev/null; then
	echo "missing: Go $want or newer" >&2
	exit 1
fi
have=$(go env GOVERSION)
have=${have#go}
if [[ $(printf '%s\n' "$want" "${have%%[-+ ]*}" | sort -V | head -n 1) != "$want" ]]; then
	echo "Go $have is too old: $want or newer is needed" >&2
	exit 1
fi
