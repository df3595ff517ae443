#!/usr/bin/env bash
# Checks monitoring/ with what will read it: rules and their tests with promtool, the resources with kustomize
# and the CustomResourceDefinitions of the Prometheus Operator. Or writes the rules as Prometheus itself reads
# them.
# usage: tools/alerts.sh [check [MONITORING] | rules DIRECTORY]
set -euo pipefail

# What the operator gives Prometheus to read is all below `spec`, which therefore comes last.
# usage: plain MONITORING DIRECTORY
plain() {
    local rules
    mkdir -p "$2"
    for rules in "$1"/rules/*.yaml; do
        sed '0,/^spec:$/d; s/^  //' "$rules" >"$2/$(basename "$rules")"
    done
}

if [[ ${1:-check} == rules ]]; then
    plain "$(dirname "$0")/../monitoring" "${2:?which directory?}"
    exit 0
fi
cd "$(dirname "$0")/.."
root=${2:-monitoring}
faults=0
fault() {
    echo "alerts: $*" >&2
    faults=$((faults + 1))
}

promtool=$(tools/prometheus.sh)/promtool
kubectl=$(tools/kubectl.sh)
python=$(tools/python.sh)
validators=$(tools/validators.sh)
admit=$(tools/admit.sh)
definitions=$(tools/crds.sh)
mapfile -t definitions <<<"$definitions"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

PYTHONPATH=$validators PYTHONDONTWRITEBYTECODE=1 "$python" -m yamllint --strict -c tools/yamllint.yaml "$root" >&2 ||
    fault "$root is not written as tools/yamllint.yaml says"

plain "$root" "$work/rules"
for rules in "$work"/rules/*.yaml; do
    "$promtool" check rules --lint=all --lint-fatal "$rules" >"$work/said" 2>&1 ||
        { cat "$work/said" >&2 && fault "$root/rules/$(basename "$rules"): promtool refuses it"; }
done
# promtool finds the rules from where the tests are.
for tests in "$root"/tests/*.yaml; do
    cp "$tests" "$work/rules/test.yml"
    "$promtool" test rules "$work/rules/test.yml" >"$work/said" 2>&1 ||
        { cat "$work/said" >&2 && fault "$tests: rules do not do what they should"; }
done
rm "$work/rules/test.yml"

if "$kubectl" kustomize "$root" >"$work/build.yaml"; then
    "$admit" "${definitions[@]}" <"$work/build.yaml" >"$work/built-in.yaml" || fault "$root: an API server would refuse it"
    sed 's/^spec:$/&\n  misspelt: true/' "$work/build.yaml" >"$work/misspelt.yaml"
    "$admit" "${definitions[@]}" <"$work/misspelt.yaml" >/dev/null 2>"$work/said" || true
    written=$(grep -c '^spec:$' "$work/build.yaml" || true)
    refused=$(grep -c 'unknown field "spec.misspelt"$' "$work/said" || true)
    [[ $written -gt 0 && $written -eq $refused ]] || fault "of $written misspelt documents $refused were refused"
else
    fault "$root cannot be built"
fi

[[ $faults -eq 0 ]] || exit 1
echo "alerts: the rules of $root do what their tests say"
