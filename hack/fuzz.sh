#!/usr/bin/env bash
# Runs every fuzz target on $1 inputs (default: 2000x), one after another: go takes one at a time. What one finds is written to
# testdata/fuzz of its package: fix it, and keep the file. The first run compiles the libraries once more, to see where inputs lead:
# some minutes. Inputs are counted because up to Go 1.26 a time may fail with "context deadline exceeded" when it is over and nothing
# was found: https://go.dev/issue/75804.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
targets=$(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' internal pkg | sort)
for target in ${targets// /-}; do
	name=${target##*-}
	if ! go test "./$(dirname "${target%%:*}")" -run '^$' -fuzz "^$name\$" -fuzztime "${1:-2000x}" -fuzzminimizetime 200x -parallel 2 >"$log" 2>&1; then
		cat "$log" >&2
		exit 1
	fi
	echo "$name: $(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
done
