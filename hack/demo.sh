#!/usr/bin/env bash
# The demo: from two bare clusters to one mesh, with the commands that a user types. `make demo` has built all it needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export LAB=${LAB:-lab}
probe_image=ghcr.io/kubectl-mesh/mesh-probe:demo
bold= plain=
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() { # show COMMAND...: prints it as one would type it, and runs it
  printf '%s$ %s%s\n' "$bold" "$*" "$plain"
  "$@"
}

title "Two clusters that know nothing of each other"
"$LAB_BIN" down 2>/dev/null # a demo begins at the beginning
"$LAB_BIN" up --clusters 2
"$LAB_BIN" push "$probe_image=$MESH_PROBE_BIN"
eval "$("$LAB_BIN" env)"
PATH=$(dirname "$KUBECTL_MESH_BIN"):$PATH # kubectl finds the plugin there

title "One of them becomes the primary"
# The overlay is for the lab only, whose Envoy is upstream's build. A real cluster needs no -f.
show kubectl mesh install-primary --context cluster1 --network network1 -f "$LAB_ISTIO"

title "Its istiod is published to other clusters"
show kubectl mesh expose-istiod --context cluster1 -f "$LAB_ISTIO"

title "The other one is attached as its remote"
show kubectl mesh attach-remote cluster2 --context cluster1

title "Do they reach each other?"
show kubectl mesh verify --context cluster1 --traffic --probe-image "$probe_image"

title "A service in both clusters: v1 in cluster1, v2 in cluster2"
for n in 1 2; do
  sed "s/VERSION/v$n/" hack/demo/hello.yaml | kubectl --context "cluster$n" apply -f - >/dev/null
done
for context in cluster1 cluster2; do
  for deployment in client helloworld; do
    kubectl --context $context -n sample rollout status deployment/$deployment --timeout 2m >/dev/null
  done
done
url=http://helloworld.sample:5000/hello
call() { kubectl --context "$1" -n sample exec deployment/client -c client -- hello get $url "$2" 2>&1; }
both() { grep -q 'version: v1' <<<"$1" && grep -q 'version: v2' <<<"$1"; }
printf '%-10s %14s %14s\n' CALLER "v1 (cluster1)" "v2 (cluster2)"
for context in cluster1 cluster2; do
  for _ in {1..10}; do # until the caller's sidecar knows both
    answers=$(call $context 20) || true
    both "$answers" && break
  done
  both "$answers" || { echo "error: from $context only this answered:"$'\n'"$answers" >&2; exit 1; }
  printf '%-10s %14s %14s\n' $context "$(grep -c 'version: v1' <<<"$answers")" "$(grep -c 'version: v2' <<<"$answers")"
done

title "Play on"
cat <<END
  eval "\$($LAB_BIN env --lab $LAB)"; PATH=$(dirname "$KUBECTL_MESH_BIN"):\$PATH
  kubectl --context cluster2 -n sample exec deployment/client -c client -- hello get $url 10
  kubectl mesh verify --context cluster1 -o json
  istioctl --context cluster1 remote-clusters
Break something, and see what verify says of it:
  kubectl --context cluster2 annotate namespace istio-system topology.istio.io/controlPlaneClusters-
  kubectl mesh verify --context cluster1

${bold}Clean up$plain
  make lab-down LAB=$LAB
END
