#!/usr/bin/env bash
# Prints the directory of Istio's own programs, pilot-discovery (istiod) and pilot-agent, with the bootstrap of
# the agent's Envoy and the definitions of Istio's resources: the one that ISTIOD names, else the pinned ones in
# .tools/, built at need. That takes ten minutes of one core.
# usage: [ISTIOD=/path/to/directory] tools/istiod.sh
set -euo pipefail

# The commit of tools/istioctl.sh, of Istio's main branch: what it is made of is there for whoever builds both.
version=v0.0.0-20260423205519-b01690e6db7d
checksum=h1:A+Us0Ium1V2WFsOJYZAfeNfWmPQULLUVdgwNm7KjLF8=
files=(envoy_bootstrap.json crd-all.gen.yaml pilot-agent pilot-discovery)

fail() {
    echo "istiod: $*" >&2
    exit 1
}

if [[ -n ${ISTIOD:-} ]]; then
    for file in "${files[@]}"; do
        [[ -e $ISTIOD/$file ]] || fail "ISTIOD is '$ISTIOD', where there is no $file"
    done
    cd "$ISTIOD" && pwd
    exit 0
fi

cd "$(dirname "$0")/.."
directory=$PWD/.tools/istiod-$version
if [[ -x $directory/pilot-discovery ]]; then
    echo "$directory"
    exit 0
fi

go=$(tools/go.sh)
source=$(tools/go-module.sh "istio.io/istio@$version" "$checksum")
echo "istiod: building istiod and Istio's agent of ${version##*-} into .tools/ (some minutes)" >&2
mkdir -p .tools
work=$PWD/$(mktemp -d .tools/istiod.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
cp -r "$source/." "$work/source"
chmod -R u+w "$work/source"
cd "$work/source"

# The one thing that is changed: the agent keeps modules below where it runs, as it keeps everything else, and not
# in /var/lib, where several would share them and only root may write.
constants=pkg/config/constants/constants.go
sed -i 's|IstioDataDir = "/var/lib|IstioDataDir = "./var/lib|' "$constants"
grep -q 'IstioDataDir = "\./var' "$constants" || fail "the agent would keep modules in /var/lib/istio"

# In their own module, whose go.mod and go.sum pin all that they are made of.
for program in pilot-agent pilot-discovery; do
    CGO_ENABLED=0 nice "$go" build -mod=readonly -trimpath -ldflags="-s -w" -o "$work/$program" "./pilot/cmd/$program" ||
        fail "$program could not be built; ISTIOD=/directory names another one"
done
cp tools/packaging/common/envoy_bootstrap.json manifests/charts/base/files/crd-all.gen.yaml "$work"
# Under their names only when they are whole, whoever else is building them at the same time; pilot-discovery
# comes last.
mkdir -p "$directory"
for file in "${files[@]}"; do
    mv -f "$work/$file" "$directory/$file"
done
echo "$directory"
