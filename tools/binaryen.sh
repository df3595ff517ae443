#!/usr/bin/env bash
# Prints the directory of Binaryen's programs: the one that BINARYEN names, else the pinned ones in .tools/,
# downloaded at need. They are the same bytes on every machine, for Node runs them.
# usage: [BINARYEN=/path/to/directory] tools/binaryen.sh
set -euo pipefail

version=132.0.0
sha512=e14b20ef212fc0edc532ca373a8bfaaa438e1d2a1dd4812ff9ba0a921efb91396333e78d068baa09
sha512+=36ea5acc06cdb1bebc334efdbfefd82e207c48755a007d2e

fail() {
    echo "binaryen: $*" >&2
    exit 1
}

if [[ -n ${BINARYEN:-} ]]; then
    [[ -e $BINARYEN/wasm-opt && -e $BINARYEN/wasm-metadce ]] ||
        fail "BINARYEN is '$BINARYEN', where there is no wasm-opt or no wasm-metadce"
    cd "$BINARYEN" && pwd
    exit 0
fi

cd "$(dirname "$0")/.."
command -v node >/dev/null || tools/packages.sh nodejs
directory=$PWD/.tools/binaryen-$version
if [[ -x $directory/wasm-opt ]]; then
    echo "$directory"
    exit 0
fi

command -v npm >/dev/null || tools/packages.sh npm
echo "binaryen: downloading Binaryen $version (23 MB) into .tools/" >&2
mkdir -p .tools
work=$(mktemp -d .tools/binaryen.XXXXXX)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "binaryen@$version" >/dev/null ||
    fail "npm could not give Binaryen $version; BINARYEN=/path/to/directory names another one"
archive=$work/binaryen-$version.tgz
sha512sum --check --quiet <<<"$sha512  $archive" >&2 ||
    fail "what npm gave is not the Binaryen $version that is pinned here"
tar -xzf "$archive" -C "$work"
# Under its name only when it is whole, whoever else is downloading it at the same time; wasm-opt comes last,
# and package.json says what the programs are written in.
mkdir -p "$directory"
for file in package.json wasm-metadce wasm-opt; do
    mv -f "$work/package/bin/$file" "$directory/$file"
done
echo "$directory"
