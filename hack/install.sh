#!/usr/bin/env bash
# Installs the packages, as root on Debian; elsewhere says that they are missing.
set -euo pipefail
(($#)) || exit 0
if [[ -e /etc/debian_version && $EUID -eq 0 ]]; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >&2
	apt-get install -qq --no-install-recommends "$@" >&2
else
	echo "missing: $*; install with your package manager" >&2
	exit 1
fi
