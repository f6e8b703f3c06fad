#!/usr/bin/env bash
# Builds the programs $2 ... (default: sandbox and kubectl; all are folders of cmd) into the folder $1 (default: ../bin).
# The versions are those in go.mod, and only there.
set -euo pipefail
mkdir -p "${1:-$(dirname "$0")/../bin}"
out=$(cd "${1:-$(dirname "$0")/../bin}" && pwd)
cd "$(dirname "$0")"
programs=("${@:2}")
((${#programs[@]})) || programs=(sandbox kubectl)

version() { go list -m -f '{{.Version}}' "$1"; }
kubernetes=$(version k8s.io/kubernetes)
minor=${kubernetes#v*.}
flags="-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=$(version sigs.k8s.io/kwok)"
for pkg in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	# a module carries the time of its commit, not the commit: "archive" is what Kubernetes says of a source without one
	flags+=" -X $pkg.gitVersion=$kubernetes -X $pkg.gitMajor=1 -X $pkg.gitMinor=${minor%%.*}"
	flags+=" -X $pkg.gitCommit=unknown -X $pkg.gitTreeState=archive"
	flags+=" -X $pkg.buildDate=$(go list -m -f '{{.Time.Format "2006-01-02T15:04:05Z"}}' k8s.io/kubernetes)"
done

# progress counts the packages that go names as it compiles them, and passes on whatever else it says.
progress() {
	local line packages=0 modules=0 next=0 status
	while true; do
		if IFS= read -r -t 2 line; then
			case $line in
			'go: downloading '*) modules=$((modules + 1)) ;;
			*[[:space:]]*) echo "$line" >&2 ;;
			*) packages=$((packages + 1)) ;;
			esac
		else
			status=$?
			[ "$status" -gt 128 ] || break # beyond 128 read has only run out of time
		fi
		# a change here compiles a few packages in seconds: that is not worth a word
		[ $((packages + modules)) -gt 9 ] && [ "$SECONDS" -ge "$next" ] || continue
		[ "$next" -gt 0 ] || echo "building Kubernetes $kubernetes from source: the first build takes about 8 minutes on 2 cores" >&2
		printf '  %dm%02ds: %d modules downloaded, %d of about 2800 packages compiled\n' $((SECONDS / 60)) $((SECONDS % 60)) "$modules" "$packages" >&2
		next=$((SECONDS + 10))
	done
}

CGO_ENABLED=0 go build -v -trimpath -buildvcs=false -ldflags "$flags" -o "$out/.build/" "${programs[@]/#/./cmd/}" 2>&1 | progress
for program in "${programs[@]}"; do
	# put in place in one step: the program may be running
	if ! [ "$out/.build/$program" -ef "$out/$program" ]; then
		ln -f "$out/.build/$program" "$out/.$program.new"
		mv -f "$out/.$program.new" "$out/$program"
		echo "built $out/$program ($kubernetes)" >&2
	fi
done
