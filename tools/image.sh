#!/usr/bin/env bash
# Makes the images of the modules as OCI image layouts, checks images, and pushes them. No container engine is needed.
# usage: tools/image.sh make                        dist/image/NAME and dist/image/NAME.sbom of each module
#        tools/image.sh check LAYOUT [SBOM-LAYOUT]  directories
#        tools/image.sh check REGISTRY/NAME:TAG     or @DIGEST: what is there now
#        tools/image.sh push IMAGE [NAME]           what dist/image/NAME (vestibule) is, to REGISTRY/NAME:TAG
#
# Credentials for a registry are those of `docker login` (~/.docker/config.json, or DOCKER_CONFIG).
set -euo pipefail

arguments=("$@")
for ((i = 1; i < $#; i++)); do
    # Directories are named from where the caller is.
    if [[ -d ${arguments[i]} ]]; then arguments[i]=$(cd "${arguments[i]}" && pwd); fi
done
set -- ${arguments[@]+"${arguments[@]}"}
cd "$(dirname "$0")/.."

layouts=dist/image

say() { echo "image: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

image() {
    command -v node >/dev/null || tools/packages.sh nodejs
    cargo run --quiet --locked --manifest-path tools/image/Cargo.toml --target-dir target/image -- "$@"
}

# module NAME CARGO-ARGUMENT...: the arguments are those with which tools/wasm.sh builds it.
module() {
    local name=$1 digest checked
    shift
    digest=$(image build "dist/$name.wasm" "$layouts/$name" "$layouts/$name.sbom" "dist/$name.cdx.json" "$@")
    checked=$(image check "$layouts/$name" "$layouts/$name.sbom" "dist/$name.wasm")
    [[ $checked == "$digest "* ]] || fail "made $digest, and checked $checked"
    printf '%-22s %s\n' "$layouts/$name" "$checked"
}

make() {
    module vestibule
    module vestibule-host --no-default-features --features plugin
}

check() {
    local work crane said
    if [[ $# -gt 1 || -d $1 || $1 != */* || $1 == [./]* ]]; then
        image check "$@"
        return
    fi
    crane=$(tools/crane.sh)
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # what it is now is what is to be removed
    trap "rm -rf '$work'" EXIT
    "$crane" pull --format=oci "$1" "$work/image" || fail "$1 cannot be pulled"
    # Of the reference, and not of the directory in which nobody can look any more.
    said=$(image check "$work/image" 2>&1) || {
        echo "${said//"$work/image"/$1}" >&2
        exit 1
    }
    echo "$said"
}

push() {
    local to=$1 name=${2:-vestibule} crane digest repository there sbom
    [[ -d $layouts/$name && -d $layouts/$name.sbom ]] || fail "there is no $layouts/$name; \`make image\` makes it"
    # The port of a registry is no tag.
    [[ $to == */* && ${to##*/} == *:* && $to != *@* ]] || fail "IMAGE is '$to'; it is to be REGISTRY/NAME:TAG"
    crane=$(tools/crane.sh)
    # Read before anything is sent.
    read -r digest _ <<<"$(image check "$layouts/$name" "$layouts/$name.sbom")"
    [[ $digest == sha256:* ]] || fail "$layouts/$name is not sent"
    repository=${to%:*}
    "$crane" push "$layouts/$name" "$to" >/dev/null
    there=$("$crane" digest "$to")
    [[ $there == "$digest" ]] || fail "$to is $there, and not the $digest that was sent"
    sbom=$(sed -E 's/.*"digest":"(sha256:[0-9a-f]{64})".*/\1/' "$layouts/$name.sbom/index.json")
    "$crane" push "$layouts/$name.sbom" "$repository@$sbom" >/dev/null
    echo "url: oci://$repository@$digest"
    echo "# by its tag: oci://$to, with sha256: ${digest#sha256:}"
    echo "# its bill of materials: $repository@$sbom"
}

command=${1:-}
shift || true
case $command/$# in
make/0 | check/1 | check/2 | push/1 | push/2) "$command" "$@" ;;
*) fail "usage: tools/image.sh make | check LAYOUT-OR-REFERENCE [SBOM-LAYOUT] | push IMAGE [NAME]" ;;
esac
