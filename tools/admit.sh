#!/usr/bin/env bash
# Prints the path of admit, which says what an API server would say to custom resources (tools/admit), built
# at need.
# usage: tools/admit.sh
set -euo pipefail

cd "$(dirname "$0")/.."
sources=(tools/admit/go.mod tools/admit/go.sum tools/admit/main.go tools/admit/definition.go)
read -r sum _ < <(cat "${sources[@]}" | cksum)
binary=$PWD/.tools/admit-$sum/admit
if [[ ! -x $binary ]]; then
    go=$(tools/go.sh)
    echo "admit: building what checks custom resources into .tools/ (a minute or two)" >&2
    mkdir -p .tools
    work=$PWD/$(mktemp -d .tools/admit.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    (cd tools/admit && CGO_ENABLED=0 nice "$go" build -mod=readonly -buildvcs=false -trimpath -ldflags="-s -w" -o "$work/admit" .)
    mkdir -p "$(dirname "$binary")"
    mv -f "$work/admit" "$binary"
fi
echo "$binary"
