#!/usr/bin/env bash
# Istio's guide "Install Primary-Remote" (on one network), as a good engineer would script it: the guide's own commands
# and files, kubectl wait where the guide lets people wait, and nothing that the guide leaves out but the overlay that
# any real cluster has. It ends when what kubectl-mesh waits for holds too, so that both do the same work.
#
#   guide.sh primary PRIMARY          control plane, east-west gateway, istiod published
#   guide.sh remote PRIMARY REMOTE    one remote, up to the first sidecar
#
# Contexts are the clusters' names. SAMPLES is Istio's folder samples/multicluster, OVERLAY an IstioOperator file,
# REVISION the control plane's revision, if it has one. Each step's duration goes to stderr.
set -euo pipefail
mesh=mesh1 network=network1 revision=${REVISION:-}
: "${SAMPLES:?}" "${OVERLAY:?}"

step() { # step TITLE COMMAND...
  local title=$1 begun=${EPOCHREALTIME/[.,]/}
  "${@:2}"
  local ms=$(((${EPOCHREALTIME/[.,]/} - begun) / 1000))
  printf '\n%6d.%03d s  %s\n' $((ms / 1000)) $((ms % 1000)) "$title" >&2
}

operator() { # operator PROFILE CLUSTER VALUES...: the guide's IstioOperator
  cat <<END
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: $1
  ${revision:+revision: $revision}
  values:
    global:
      meshID: $mesh
      multiCluster:
        clusterName: $2
      network: $network
END
  printf '%s\n' "${@:3}"
}

install() { # install CONTEXT OPERATOR SETTING...
  istioctl install -y --context "$1" -f "$OVERLAY" -f <(printf '%s\n' "$2") "${@:3}"
}

gateway() {
  local gateway # assigned apart, so that a failure ends the script
  gateway=$(bash "$SAMPLES/gen-eastwest-gateway.sh" --network "$network" --revision "$revision")
  install "$primary" "$gateway"
}

await_address() {
  kubectl --context "$primary" -n istio-system wait --timeout 2m service/istio-eastwestgateway \
    --for jsonpath='{.status.loadBalancer.ingress[0].ip}'
}

expose() {
  if [[ $revision ]]; then
    sed "s/{{.Revision}}/$revision/g" "$SAMPLES/expose-istiod-rev.yaml.tmpl"
  else
    cat "$SAMPLES/expose-istiod.yaml"
  fi | kubectl --context "$primary" -n istio-system apply -f -
}

namespace() {
  kubectl --context "$remote" create namespace istio-system
  kubectl --context "$remote" annotate namespace istio-system topology.istio.io/controlPlaneClusters="$primary"
}

profile() {
  local address
  address=$(kubectl --context "$primary" -n istio-system get service istio-eastwestgateway \
    -o jsonpath='{.status.loadBalancer.ingress[0].ip}')
  # The overlay is for what runs in the primary.
  istioctl install -y --context "$remote" -f <(operator remote "$remote" \
    "      remotePilotAddress: $address" \
    "    istiodRemote:" \
    "      injectionPath: /inject/cluster/$remote/net/$network")
}

credentials() {
  istioctl create-remote-secret --context "$remote" --name "$remote" | kubectl --context "$primary" apply -f -
}

await_synced() { # no object says it, so istiod is asked again until it does
  until [[ $(istioctl remote-clusters --context "$primary" ${revision:+--revision "$revision"}) =~ $remote\ +[^$'\n']*\ synced ]]; do :; done
}

await_certificate() {
  local injectors
  injectors=$(kubectl --context "$remote" get mutatingwebhookconfigurations -l app=sidecar-injector -o name)
  # shellcheck disable=SC2086 # one name a word
  kubectl --context "$remote" wait --timeout 2m $injectors --for jsonpath='{.webhooks[0].clientConfig.caBundle}'
}

await_injection() { # a pod in a server-side dry run has a sidecar that knows its cluster
  until [[ $(kubectl --context "$remote" -n default run probe --image none.invalid/probe --dry-run=server -o yaml \
    --labels "sidecar.istio.io/inject=true${revision:+,istio.io/rev=$revision}" 2>/dev/null) =~ ISTIO_META_CLUSTER_ID[[:space:]]+value:\ $remote ]]; do :; done
}

primary=$2
case $1 in
primary)
  step "istioctl install, primary" install "$primary" "$(operator minimal "$primary")" \
    --set values.pilot.env.EXTERNAL_ISTIOD=true
  step "istioctl install, gateway" gateway
  step "wait for the address" await_address
  step "expose istiod" expose
  ;;
remote)
  remote=$3
  step "namespace, annotation" namespace
  step "istioctl install, remote" profile
  step "remote secret" credentials
  step "wait until synced" await_synced
  step "wait for the certificate" await_certificate
  step "wait for injection" await_injection
  ;;
esac >/dev/null
