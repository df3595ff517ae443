#!/usr/bin/env bash
# Prints the path of the program that runs the core's tests in Node: wasm-bindgen's own, of the version that
# Cargo.lock has of wasm-bindgen, for each speaks to its like only. Built into .tools/ at need.
# usage: tools/wasm-runner.sh
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n '/^name = "wasm-bindgen"$/ { n; s/^version = "\(.*\)"$/\1/p; }' Cargo.lock)
program=wasm-bindgen-test-runner
binary=$PWD/.tools/wasm-bindgen-$version/$program
if [[ -x $binary ]]; then
    echo "$binary"
    exit 0
fi

say() { echo "wasm-runner: $*" >&2; }

mkdir -p .tools
work=$(mktemp -d .tools/wasm-bindgen.XXXXXX)
trap 'rm -rf "$work"' EXIT
install() {
    cargo install --quiet "$@" --no-track --root "$work" --bin "$program" "wasm-bindgen-cli@$version" >&2
}
say "building wasm-bindgen-cli $version into .tools/ (two to four minutes)"
# A mirror of the registry may not have every version that its lock file names.
install --locked || {
    say "not with the versions that it was released with; again, with those that fit"
    install
}
# Under its name only when it is whole.
mkdir -p "$(dirname "$binary")"
mv -f "$work/bin/$program" "$binary"
echo "$binary"
