#!/usr/bin/env bash
# Prints the paths of the CustomResourceDefinitions of all kinds that istio/ and monitoring/ use, downloaded at need into
# .tools/; or, asked for charts, the directory of Istio's charts of the same version.
# usage: tools/crds.sh [charts]
set -euo pipefail

cd "$(dirname "$0")/.."

# What is in .tools, the module it comes from, its checksum, and where in the module the definitions stand.
# Istio's is a commit of its branch release-1.31, of 27 August 2026.
sources="\
istio-1.31 istio.io/istio@v0.0.0-20260827124520-eed52ebb66ad h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI= manifests/charts/base/files/crd-all.gen.yaml
gateway-api-1.5.1 sigs.k8s.io/gateway-api@v1.5.1 h1:RqVRIlkhLhUO8wOHKTLnTJA6o/1un4po4/6M1nRzdd0= config/crd/standard/*.yaml
external-secrets-1.3.2 github.com/external-secrets/external-secrets@v1.3.2 h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ= config/crds/bases/external-secrets.io_*.yaml
argo-cd-3.4.13 github.com/argoproj/argo-cd/v3@v3.4.13 h1:kmnF4nE5SQ83OhtdX6DMmLSpH0eRIa1gNYdCLNHqB+A= manifests/crds/*-crd.yaml
prometheus-operator-0.85.0 github.com/prometheus-operator/prometheus-operator@v0.85.0 h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s= example/prometheus-operator-crd/monitoring.coreos.com_*.yaml"

if [[ ${1:-} == charts ]]; then
    charts=$PWD/.tools/crds/istio-1.31-charts
    if [[ ! -d $charts ]]; then
        read -r _ module checksum _ <<<"$sources"
        source=$(tools/go-module.sh "$module" "$checksum")
        mkdir -p .tools/crds
        work=$(mktemp -d .tools/crds/XXXXXX)
        cp -r "$source/manifests/charts/gateway" "$work/"
        chmod -R u+w "$work"
        # Who came first has put the very same there.
        mv -T "$work" "$charts" 2>/dev/null || { rm -rf "$work" && [[ -d $charts ]]; } || exit 1
    fi
    echo "$charts"
    exit 0
fi

while read -r name module checksum files; do
    file=$PWD/.tools/crds/$name.yaml
    if [[ ! -e $file ]]; then
        source=$(tools/go-module.sh "$module" "$checksum")
        echo "crds: the definitions of $name go into .tools/" >&2
        mkdir -p .tools/crds
        work=$(mktemp .tools/crds/XXXXXX)
        # The pattern is to be expanded.
        # shellcheck disable=SC2086
        for part in "$source"/$files; do
            echo "---"
            cat "$part"
        done >"$work"
        mv -f "$work" "$file"
    fi
    echo "$file"
done <<<"$sources"
