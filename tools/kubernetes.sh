#!/usr/bin/env bash
# Prints the directory of Kubernetes' API server, with the etcd that it keeps its objects in: the one that
# KUBERNETES names, else the pinned ones in .tools/, built at need from source. Go's checksum database vouches for
# the source, and for what it needs. That takes ten minutes of one core.
# usage: [KUBERNETES=/path/to/directory] tools/kubernetes.sh
set -euo pipefail

version=1.35.4
checksum=h1:o/8dBC/pHVpYoGV4OAIytAlNPZbdYVTXJHoYvXC4qzM=
etcd=3.6.8
etcd_checksum=h1:U2strdSEy1U8qcSzRIdkYpvOPtBy/9i/IfaaCI9flZ4=

fail() {
    echo "kubernetes: $*" >&2
    exit 1
}

if [[ -n ${KUBERNETES:-} ]]; then
    [[ -x $KUBERNETES/kube-apiserver && -x $KUBERNETES/etcd ]] ||
        fail "KUBERNETES is '$KUBERNETES', where there is no kube-apiserver or no etcd"
    cd "$KUBERNETES" && pwd
    exit 0
fi

cd "$(dirname "$0")/.."
directory=$PWD/.tools/kubernetes-$version
if [[ -x $directory/kube-apiserver ]]; then
    echo "$directory"
    exit 0
fi

go=$(tools/go.sh)
source=$(tools/go-module.sh "k8s.io/kubernetes@v$version" "$checksum")
tools/go-module.sh "go.etcd.io/etcd/server/v3@v$etcd" "$etcd_checksum" >/dev/null
echo "kubernetes: building kube-apiserver $version and etcd $etcd into .tools/; it takes some minutes" >&2
mkdir -p .tools
work=$(mktemp -d .tools/kubernetes.XXXXXX)
trap 'rm -rf "$work"' EXIT
export CGO_ENABLED=0
out=$PWD/$work/out
mkdir "$out" "$work/etcd" "$work/apiserver"

# A module of our own that asks for the program: it is none that `go install` could build alone.
build() { # PROGRAM PACKAGE [LINKER FLAG...]
    printf '//go:build tools\n\npackage tools\n\nimport _ "%s"\n' "$2" >tools.go
    "$go" mod tidy >/dev/null 2>&1 || "$go" mod tidy >&2
    nice "$go" build -trimpath -ldflags="-s -w ${*:3}" -o "$out/$1" "$2" >&2
}
(
    cd "$work/etcd"
    printf 'module etcd\n\ngo 1.25.0\n\nrequire go.etcd.io/etcd/server/v3 v%s\n' "$etcd" >go.mod
    build etcd go.etcd.io/etcd/server/v3
)
(
    cd "$work/apiserver"
    printf 'module apiserver\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes v%s\n' "$version" >go.mod
    # Its parts are modules of the same release, which its own go.mod looks for in folders beside it.
    sed -n "s|^\t\(k8s.io/[a-z-]*\) => ./staging/.*|replace \1 => \1 v0.${version#*.}|p" "$source/go.mod" >>go.mod
    build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver \
        -X "k8s.io/component-base/version.gitVersion=v$version"
)
# Under their names only when they are whole, whoever else is building them at the same time; kube-apiserver comes
# last.
mkdir -p "$directory"
for file in etcd kube-apiserver; do
    mv -f "$out/$file" "$directory/$file"
done
echo "$directory"
