#!/usr/bin/env bash
# Runs every fuzz target for $1 (default: 4s), one after another: go takes one at a time. What one finds is written to testdata/fuzz of
# its package: fix it, and keep the file. The first run compiles the libraries once more, to see where inputs lead: some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
targets=$(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' internal pkg | sort)
for target in ${targets// /-}; do
	name=${target##*-}
	if ! go test "./$(dirname "${target%%:*}")" -run '^$' -fuzz "^$name\$" -fuzztime "${1:-4s}" -parallel 2 >"$log" 2>&1; then
		cat "$log" >&2
		exit 1
	fi
	echo "$name: $(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
done
