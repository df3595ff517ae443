#!/usr/bin/env bash
# Unpacks a wheel of PyPI, which pip compares with its checksum before it keeps it, into a directory that is to be
# there.
# usage: tools/wheel.sh PACKAGE==VERSION SHA256 DIRECTORY
set -euo pipefail

[[ $# -eq 3 ]] || {
    echo "wheel: a package with its version, its checksum and a directory are needed" >&2
    exit 1
}
python=$("$(dirname "$0")/python.sh")
work=$(mktemp -d "$3/wheel.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "$1 --hash=sha256:$2" >"$work/requirements.txt"
"$python" -m pip download --quiet --no-deps --only-binary=:all: --require-hashes -r "$work/requirements.txt" -d "$work" >&2
"$python" -m zipfile -e "$work"/*.whl "$3"
