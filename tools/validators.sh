#!/usr/bin/env bash
# Prints the directory of yamllint and kubernetes-validate, as PYTHONPATH, downloaded at need into .tools/:
# run them as PYTHONPATH=… $(tools/python.sh) -m yamllint, … -m kubernetes_validate.
# usage: tools/validators.sh
set -euo pipefail

fail() {
    echo "validators: $*" >&2
    exit 1
}

cd "$(dirname "$0")/.."
requirements=tools/validators-requirements.txt
python=$(tools/python.sh)
# Some of it is compiled for one version of Python.
tag=$("$python" -c 'import sys; print("py%d%d" % sys.version_info[:2])')
read -r sum _ < <(cksum "$requirements")
directory=$PWD/.tools/validators-$tag-$sum
if [[ ! -d $directory ]]; then
    echo "validators: downloading yamllint and kubernetes-validate (about 20 MB) into .tools/" >&2
    mkdir -p .tools
    work=$(mktemp -d .tools/validators.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --only-binary=:all: \
        --require-hashes -r "$requirements" --target "$work/packages" >&2 || fail "pip could not give what $requirements names"
    # Under its name only when it is whole. Who came first has put the very same there.
    mv -T "$work/packages" "$directory" 2>/dev/null || [[ -d $directory ]] || fail "cannot write $directory"
fi
echo "$directory"
