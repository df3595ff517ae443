#!/usr/bin/env bash
# Prints the path of mdbook, which makes the site of docs/: the one that MDBOOK names, else the pinned one in .tools/,
# built at need. Its lock file has the checksums of all that it is built of.
# usage: [MDBOOK=/path/to/mdbook] tools/mdbook.sh
set -euo pipefail

version=0.5.4

fail() {
    echo "mdbook: $*" >&2
    exit 1
}

if [[ -n ${MDBOOK:-} ]]; then
    exec "$(dirname "$0")/program.sh" MDBOOK
fi

cd "$(dirname "$0")/.."
binary=$PWD/.tools/mdbook-$version/mdbook
if [[ -x $binary ]]; then
    echo "$binary"
    exit 0
fi

echo "mdbook: building mdbook $version into .tools/ (two minutes)" >&2
mkdir -p .tools
work=$(mktemp -d "$PWD/.tools/mdbook.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Unoptimised, for making the site takes it a second and building it thrice as long otherwise; without its own server.
CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --no-track --root "$work" --target-dir "$work/target" \
    --no-default-features --features search "mdbook@$version" >&2 ||
    fail "cargo could not build mdbook $version; MDBOOK=/path/to/mdbook names another one"
# Under its name only when it is whole.
mkdir -p "$(dirname "$binary")"
mv -f "$work/bin/mdbook" "$binary"
echo "$binary"
