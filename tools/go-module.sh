#!/usr/bin/env bash
# Prints the directory of a Go module's source, downloaded at need, after comparing its checksum. Go also asks
# the public checksum database (sum.golang.org) unless it is told otherwise.
# usage: tools/go-module.sh MODULE@VERSION CHECKSUM
set -euo pipefail

fail() {
    echo "go-module: $*" >&2
    exit 1
}

[[ $# -eq 2 ]] || fail "a module with its version, and its checksum, are needed"
go=$("$(dirname "$0")/go.sh")
# Outside of any module, so that no go.mod has a say.
answer=$(cd / && GOFLAGS=-mod=mod "$go" mod download -json "$1") || fail "Go could not give $1: $answer"
value() {
    sed -n "s/^\t\"$1\": \"\(.*\)\",*$/\1/p" <<<"$answer"
}
[[ $(value Sum) == "$2" ]] || fail "what Go gave is not the $1 that is pinned here: its checksum is $(value Sum)"
value Dir
