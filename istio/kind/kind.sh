#!/usr/bin/env bash
# A cluster of kind with Istio, Keycloak and two services behind both doors.
# usage: istio/kind/kind.sh up      makes it, and whatever of it is not there yet
#        istio/kind/kind.sh test    sends the requests of istio/requests.json (make test-kind: both)
#        istio/kind/kind.sh logs    fetches all logs into target/kind/logs
#        istio/kind/kind.sh down    removes it
#
# Only `docker` must be there. Every step may be run again.
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=istio/kind/versions.sh
source istio/kind/versions.sh
# shellcheck source=istio/kind/keys.sh
source istio/kind/keys.sh

# Keys, certificates, the copy of istio/ that is applied, and the file by which kubectl knows the cluster.
state=$PWD/target/kind
registry_name="vestibule-registry"
cluster_name=vestibule

step() { echo "kind: $*" >&2; }

fail() {
    step "$@"
    exit 1
}

registry() {
    step "the registry $registry_name, 127.0.0.1:5001 to this machine"
    case $(docker container inspect --format '{{.State.Running}}' "$registry_name" 2>/dev/null || true) in
    true) ;;
    false) docker start "$registry_name" >/dev/null ;;
    *) docker run --detach --name "$registry_name" --publish 127.0.0.1:5001:5000 "$registry_image" >/dev/null ;;
    esac
}

there_is_a_cluster() {
    "$kind" get clusters --quiet | grep -qx "$cluster_name"
}

cluster() {
    step "the cluster $cluster_name"
    if ! there_is_a_cluster; then
        "$kind" create cluster --config istio/kind/cluster.yaml --image "$node_image" --wait 5m \
            --kubeconfig "$state/kubeconfig"
    fi
    "$kind" export kubeconfig --name "$cluster_name" --kubeconfig "$state/kubeconfig" --quiet
    # Where pods find the registry, by its name.
    local network='{{json .NetworkSettings.Networks.kind}}'
    if [[ $(docker container inspect --format "$network" "$registry_name") == null ]]; then
        docker network connect kind "$registry_name"
    fi
    "$kubectl" apply --filename istio/kind/namespaces.yaml
}

module() {
    step "the module's image goes into the registry"
    local said
    said=$(make --silent push IMAGE=localhost:5001/vestibule:kind)
    digest=$(sed -n 's|^url: oci://.*@\(sha256:[0-9a-f]\{64\}\)$|\1|p' <<<"$said")
    [[ -n $digest ]] || fail "make push did not say a digest: $said"
}

# install NAME NAMESPACE CHART ARGUMENT...: one of Istio's charts.
install() {
    local name=$1 namespace=$2 chart=$3
    shift 3
    step "Istio $istio_version: $chart"
    "$helm" upgrade --install "$name" "$istio_charts/$chart" --version "$istio_version" \
        --namespace "$namespace" --wait --timeout 5m "$@" >/dev/null
}

control_plane() {
    install istio-base istio-system base
    install istiod istio-system istiod --values istio/base/mesh/istiod-values.yaml \
        --values istio/kind/istiod-values.yaml
}

gateway() {
    install istio-ingress istio-ingress gateway --values istio/base/outer/gateway-values.yaml \
        --values istio/kind/gateway-values.yaml
}

keycloak() {
    step "Keycloak"
    "$kubectl" apply --kustomize istio/kind/keycloak
    "$kubectl" --namespace keycloak rollout status deployment/keycloak --timeout 10m
}

# What an operator writes into a region's files, written into a copy.
region() {
    local file=$state/istio/kind/region/region.yaml hash value
    hash=$(sha256_of "$state/gateway.key")
    rm -rf "$state/istio"
    cp -R istio "$state/istio"
    sed -i -e "s|^\( *module: .*\)@sha256:.*|\1@$digest|" \
        -e "s|^\( *gateway-key-sha256: \).*|\1$hash|" "$file"
    for value in "@$digest" "$hash"; do
        grep -qF "$value" "$file" || fail "$file was not filled in"
    done
    sed -i '/^data:$/,$d' "$state/istio/kind/region/context-keys.yaml"
    {
        echo "data:"
        echo "  jwks: |"
        sed 's/^/    /' "$state/context.json"
    } >>"$state/istio/kind/region/context-keys.yaml"
}

doors() {
    step "the doors, and what stands around them"
    region
    "$kubectl" kustomize "$state/istio/kind/region" >"$state/region.yaml"
    # With what the gateway's container will have, so that keys and hashes are compared too.
    VESTIBULE_GATEWAY_KEY_FIRST=$(<"$state/gateway.key") VESTIBULE_CONTEXT_KEY_FIRST=$(<"$state/context.pem") \
        "$vestibule" check --deny-warnings --env "$state/region.yaml"
    "$kubectl" apply --filename "$state/region.yaml"
}

services() {
    step "the services, and who calls them"
    "$kubectl" apply --kustomize istio/kind/mesh
    local deployment
    for deployment in shop/{blog,orders,billing,stranger} clients/client istio-ingress/past-the-gateway; do
        "$kubectl" --namespace "${deployment%/*}" rollout status "deployment/${deployment#*/}" --timeout 5m
    done
}

up() {
    # Before anything takes minutes.
    docker info >/dev/null || fail "docker does not answer, and kind runs the cluster in its containers"
    mkdir -p "$state"
    helm=$(dirname "$kubectl")/helm
    [[ -x $helm ]] || fail "there is no helm beside $kubectl"
    kind=$(tools/kind.sh)
    # Not `make cli`: what is only soon built does here, and the tests have built most of it.
    cargo build --quiet --locked --bin vestibule
    vestibule=$PWD/target/debug/vestibule
    # Before the cluster: one that has others is not to be given these.
    [[ -e $state/keys-are-made ]] || ! there_is_a_cluster ||
        fail "the cluster's keys are not in $state any more: istio/kind/kind.sh down"
    keys
    registry
    cluster
    module
    secrets
    control_plane
    gateway
    keycloak
    doors
    services
    step "is up: KUBECONFIG=$KUBECONFIG kubectl get pods --all-namespaces"
}

requests() {
    step "the requests of istio/requests.json"
    [[ -e $KUBECONFIG ]] || fail "there is no $KUBECONFIG: istio/kind/kind.sh up"
    KUBECTL=$kubectl cargo test --locked --test kind -- --ignored --nocapture
}

logs() {
    kind=$(tools/kind.sh)
    "$kind" export logs --name "$cluster_name" "$state/logs"
}

down() {
    kind=$(tools/kind.sh)
    step "removes the cluster $cluster_name and the registry $registry_name"
    "$kind" delete cluster --name "$cluster_name" --kubeconfig "$state/kubeconfig"
    docker rm --force --volumes "$registry_name" >/dev/null
    rm -rf "$state"
}

# Of this cluster alone, whatever else kubectl knows here.
export KUBECONFIG=$state/kubeconfig
kubectl=$(tools/kubectl.sh)
case ${1:-}/$# in
up/1 | logs/1 | down/1) "$1" ;;
test/1) requests ;;
*) fail "usage: istio/kind/kind.sh up | test | logs | down" ;;
esac
