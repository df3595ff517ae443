#!/usr/bin/env bash
# Prints the path of crane, which speaks to registries with the library that Istio's agent has too: the one that CRANE
# names, else the pinned one in .tools/, built at need. tools/crane/go.sum has the checksums of all that it is built of.
# usage: [CRANE=/path/to/crane] tools/crane.sh
set -euo pipefail

fail() {
    echo "crane: $*" >&2
    exit 1
}

if [[ -n ${CRANE:-} ]]; then
    exec "$(dirname "$0")/program.sh" CRANE
fi

cd "$(dirname "$0")/.."
package=github.com/google/go-containerregistry
version=$(sed -n "s|^.*$package v\([^ ]*\).*|\1|p" tools/crane/go.mod)
binary=$PWD/.tools/crane-$version/crane
if [[ -x $binary ]]; then
    echo "$binary"
    exit 0
fi

go=$(tools/go.sh)
echo "crane: building crane $version into .tools/ (half a minute)" >&2
mkdir -p .tools
work=$(mktemp -d "$PWD/.tools/crane.XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd tools/crane && CGO_ENABLED=0 "$go" build -mod=readonly -trimpath -buildvcs=false -o "$work/crane" "$package/cmd/crane") >&2 ||
    fail "Go could not build crane $version; CRANE=/path/to/crane names another one"
# Under its name only when it is whole.
mkdir -p "$(dirname "$binary")"
mv -f "$work/crane" "$binary"
echo "$binary"
