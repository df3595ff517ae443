#!/usr/bin/env bash
# Checks the manifests of istio/ with what will read them: kustomize, the CustomResourceDefinitions, the
# schemas of Kubernetes' own kinds, Istio's validation, Istio's charts; and that no region names what is
# another's.
# usage: tools/manifests.sh [--quick] [DIRECTORY]      --quick leaves out istioctl; DIRECTORY is another
# istio/
set -euo pipefail

quick=
if [[ ${1:-} == --quick ]]; then
    quick=yes
    shift
fi
cd "$(dirname "$0")/.."
root=${1:-istio}
faults=0
fault() {
    echo "manifests: $*" >&2
    faults=$((faults + 1))
}

kubectl=$(tools/kubectl.sh)
python=$(tools/python.sh)
validators=$(tools/validators.sh)
admit=$(tools/admit.sh)
definitions=$(tools/crds.sh)
mapfile -t definitions <<<"$definitions"
istioctl=
[[ -n $quick ]] || istioctl=$(tools/istioctl.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONPATH=$validators PYTHONDONTWRITEBYTECODE=1

# usage: strictly FILE: Kubernetes' own kinds. A stream without any is fine.
strictly() {
    [[ ! -s $1 ]] || "$python" -m kubernetes_validate --strict --quiet -k 1.35 "$1" >&2
}

"$python" -m yamllint --strict -c tools/yamllint.yaml "$root" >&2 || fault "$root is not written as tools/yamllint.yaml says"

# What is applied is checked; what is only a part (bases, services) has holes, so it is built and no more.
mapfile -t kustomizations < <(find "$root" -name kustomization.yaml -printf '%h\n' | sort)
built=()
for directory in "${kustomizations[@]}"; do
    place=${directory#"$root"/}
    build=$work/${place//\//_}.yaml
    if grep -q '^kind: Component$' "$directory/kustomization.yaml"; then
        continue
    elif ! "$kubectl" kustomize "$directory" >"$build"; then
        fault "$directory cannot be built"
        continue
    fi
    [[ $place == overlays/* || $place == examples/* || $place == kind/* ]] || continue
    built+=("$place")
    "$admit" "${definitions[@]}" <"$build" >"$work/built-in.yaml" || fault "$directory: an API server would refuse it"
    strictly "$work/built-in.yaml" || fault "$directory: Kubernetes' schemas refuse it"
    [[ -z $istioctl ]] || "$istioctl" validate -f "$build" >"$work/said" 2>&1 || {
        cat "$work/said" >&2
        fault "$directory: Istio would refuse it"
    }
done
[[ ${#built[@]} -gt 0 ]] || fault "$root has no overlays"

# And all of it must be able to fail: no document passes with a field that nobody knows.
for place in "${built[@]}"; do
    echo "---"
    sed 's/^spec: {}$/spec:/; s/^spec:$/&\n  misspelt: true/' "$work/${place//\//_}.yaml"
done >"$work/misspelt.yaml"
"$admit" "${definitions[@]}" <"$work/misspelt.yaml" >"$work/built-in.yaml" 2>"$work/said" || true
written=$(grep -c '^spec:' "$work/misspelt.yaml")
refused=$(grep -c 'unknown field "spec.misspelt"$' "$work/said" || true)
rest=$(grep -c '^spec:' "$work/built-in.yaml" || true)
[[ $((refused + rest)) -eq $written ]] || fault "of $written misspelt documents $refused were refused, and $rest left to Kubernetes' schemas"
! strictly "$work/built-in.yaml" 2>/dev/null || fault "Kubernetes' schemas take a field that nobody knows"

# What kind.sh applies by itself, and what is said twice there.
if [[ -d $root/kind ]]; then
    strictly "$root/kind/namespaces.yaml" || fault "$root/kind/namespaces.yaml: Kubernetes' schemas refuse it"
    domain=$(sed -n 's/^ *trust-domain: //p' "$root/kind/region/region.yaml")
    grep -qx " *trustDomain: $domain" "$root/kind/istiod-values.yaml" ||
        fault "$root/kind/istiod-values.yaml: the trust domain is not $domain, as in region/region.yaml"
fi

# A component is checked where it is used.
for component in "$root"/components/*/; do
    name=$(basename "$component")
    grep -rqE "/components/$name\$" "$root/overlays" "$root/examples" || fault "$component is used by no overlay and no example"
done

# What is a region's own: hosts, domains, hashes, keys. The module's digest may well be the same.
own() {
    grep -hv '^ *#' "$root/$1/region.yaml" "$root/$1/context-keys.yaml" | sed 's/@sha256:.*//' |
        grep -oE '([a-z0-9-]+\.){2,}[a-z]+|[A-Za-z0-9_-]{40,}' | grep -v '\.svc\.cluster\.local$' | sort -u
}
regions=()
for place in "${built[@]}"; do
    [[ $place != overlays/* && $place != kind/region ]] || regions+=("$place")
done
for one in "${regions[@]}"; do
    # What has nothing of its own would be found nowhere.
    [[ -n $(own "$one") ]] || fault "$root/$one has no region.yaml and context-keys.yaml with values of its own"
    for other in "${regions[@]}"; do
        [[ $other != "$one" ]] || continue
        while read -r value; do
            ! grep -qF -- "$value" "$work/${one//\//_}.yaml" || fault "$root/$one has $value, which is of $other"
        done < <(own "$other")
    done
    if [[ $one == overlays/prod/* ]]; then
        # Of a WasmPlugin's spec, whatever its scheme, and none deeper inside: those are of its configuration.
        mapfile -t urls < <(sed -n 's/^  url: //p' "$work/${one//\//_}.yaml")
        [[ ${#urls[@]} -gt 0 ]] || fault "$root/$one names no module"
        for url in "${urls[@]}"; do
            [[ $url =~ ^oci://[^@]+@sha256:[0-9a-f]{64}$ ]] || fault "$root/$one: $url is no module by digest"
        done
    fi
done

# The gateway chart with our values: every secret that the outer door names is in the container's environment.
helm=$(dirname "$kubectl")/helm
values=$root/base/outer/gateway-values.yaml
if [[ ! -x $helm ]]; then
    echo "manifests: there is no helm beside $kubectl: $values not checked" >&2
else
    chart=$(tools/crds.sh charts)/gateway
    for further in "" "$root/kind/gateway-values.yaml"; do
        [[ -z $further || -e $further ]] || continue
        "$helm" template istio-ingress "$chart" -n istio-ingress -f "$values" ${further:+-f "$further"} >"$work/chart.yaml" || {
            fault "$values $further: Istio's chart refuses it"
            continue
        }
        strictly "$work/chart.yaml" || fault "$values $further: Kubernetes' schemas refuse what the chart makes of it"
        while read -r name; do
            grep -qE "^ *(- )?name: $name\$" "$work/chart.yaml" || fault "$values: the door's $name is in no container"
        done < <(sed -n 's/^ *- name: \(VESTIBULE_.*\)/\1/p' "$root/base/outer/wasm-plugin.yaml")
    done
fi

if [[ $faults -gt 0 ]]; then
    echo "manifests: $faults faults" >&2
    exit 1
fi
echo "manifests: ${#built[@]} builds of $root are fine: ${built[*]}"
