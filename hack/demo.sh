#!/usr/bin/env bash
# A canary release of four services on a local Kubernetes of its own. `make demo` builds what this needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export PATH="$PWD/bin:$PATH" # kubectl, and kubectl-canary for it to find
for program in sandbox kubectl kubectl-canary; do
	[[ -x bin/$program ]] || { echo "bin/$program is not built: run make demo" >&2; exit 1; }
done
down="bin/sandbox down --name demo"
trap '(($? == 0)) || printf "\n%s\n" "The demo did not finish. Its cluster may still run; to stop it: $down" >&2' EXIT

say() { printf '\n# %s\n' "$*"; }
run() { printf '\n$ %s\n' "$*"; "$@"; }

say "A local Kubernetes: API server, etcd, controllers, scheduler, simulated nodes"
KUBECONFIG=$(bin/sandbox up --name demo)
export KUBECONFIG
run kubectl get nodes

if kubectl get namespace messenger >/dev/null 2>&1; then
	say "An earlier demo left its services here: away with them"
	run kubectl delete namespace messenger --timeout=2m
fi

say "Four services, each with two Deployments behind it: v1 with 3 pods and v2 with 1"
run kubectl canary deploy -f manifests/messenger

say "Half of the traffic to v2, in all four together"
run kubectl canary shift --to 50 -n messenger
run kubectl canary status -n messenger

say "All of it to v2"
run kubectl canary promote -n messenger
run kubectl canary status -n messenger

say "And back to v1"
run kubectl canary rollback -n messenger
run kubectl canary status -n messenger

cat <<END

The cluster still runs. To go on playing:
  export KUBECONFIG="$KUBECONFIG"
  export PATH="$PWD/bin:\$PATH"
  kubectl canary shift auth --to 25 -n messenger
To stop it:
  $down
END
