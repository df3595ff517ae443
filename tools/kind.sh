#!/usr/bin/env bash
# Prints the path of a kind, which runs Kubernetes in containers: the one that KIND names, else the pinned one in
# .tools/, built at need (half a minute).
# usage: [KIND=/path/to/kind] tools/kind.sh
set -euo pipefail

# istio/kind/versions.sh has the node's image that goes with it.
version=v0.32.0
checksum=h1:p9hscbj98u/qyrjVpjId86LI70nQmbSsipV7wCG10Xk=

fail() {
    echo "kind: $*" >&2
    exit 1
}

if [[ -n ${KIND:-} ]]; then
    command -v -- "$KIND" || fail "KIND is '$KIND', which is no program that can be run"
    exit 0
fi

cd "$(dirname "$0")/.."
binary=$PWD/.tools/kind-$version/kind
if [[ -x $binary ]]; then
    echo "$binary"
    exit 0
fi

go=$(tools/go.sh)
source=$(tools/go-module.sh "sigs.k8s.io/kind@$version" "$checksum")
echo "kind: building kind $version into .tools/ (half a minute)" >&2
mkdir -p .tools
work=$PWD/$(mktemp -d .tools/kind.XXXXXX)
trap 'rm -rf "$work"' EXIT
# In its own module, whose go.mod and go.sum pin all that it is made of.
(cd "$source" && CGO_ENABLED=0 nice "$go" build -mod=readonly -trimpath -ldflags="-s -w" -o "$work/kind" .) ||
    fail "kind could not be built; KIND=/path/to/kind names another one"
# Under its name only when it is whole.
mkdir -p "$(dirname "$binary")"
mv -f "$work/kind" "$binary"
echo "$binary"
