#!/usr/bin/env bash
# Prints the path of an istioctl: the one that ISTIOCTL names, else the pinned one in .tools/, built at need.
# That takes seven minutes of one core.
# usage: [ISTIOCTL=/path/to/istioctl] tools/istioctl.sh
set -euo pipefail

# Istio's releases have no tag that Go takes for a version, so this is a commit of Istio's main branch: of 23
# April 2026, when 1.30 had been branched off.
version=v0.0.0-20260423205519-b01690e6db7d
checksum=h1:A+Us0Ium1V2WFsOJYZAfeNfWmPQULLUVdgwNm7KjLF8=

fail() {
    echo "istioctl: $*" >&2
    exit 1
}

if [[ -n ${ISTIOCTL:-} ]]; then
    exec "$(dirname "$0")/program.sh" ISTIOCTL
fi

cd "$(dirname "$0")/.."
binary=$PWD/.tools/istioctl-$version/istioctl
if [[ -x $binary ]]; then
    echo "$binary"
    exit 0
fi

go=$(tools/go.sh)
source=$(tools/go-module.sh "istio.io/istio@$version" "$checksum")
echo "istioctl: building istioctl of ${version##*-} into .tools/ (some minutes)" >&2
mkdir -p .tools
work=$PWD/$(mktemp -d .tools/istioctl.XXXXXX)
trap 'rm -rf "$work"' EXIT
# In its own module, whose go.mod and go.sum pin all that it is made of.
(cd "$source" && CGO_ENABLED=0 nice "$go" build -mod=readonly -trimpath -ldflags="-s -w" -o "$work/istioctl" \
    ./istioctl/cmd/istioctl) || fail "istioctl could not be built; ISTIOCTL=/path/to/istioctl names another one"
mkdir -p "$(dirname "$binary")"
mv -f "$work/istioctl" "$binary"
echo "$binary"
