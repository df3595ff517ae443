#!/usr/bin/env bash
# Prints the directory of Istio's own programs, pilot-discovery (istiod) and pilot-agent, with the bootstrap of
# the agent's Envoy and the CRDs: the one that ISTIOD names, else the pinned ones in .tools/, built at need from
# Istio's source. Go's checksum database vouches for the source, and for what it needs.
# usage: [ISTIOD=/path/to/directory] tools/istiod.sh
set -euo pipefail

# The release branch of 1.31, of 27 August 2026. Istio's releases are no versions for Go: it names a commit.
release=1.31
commit=v0.0.0-20260827124520-eed52ebb66ad
# What the commit asks for are commits too; these are the releases, or the commits in a release, after them.
requirements=(
    istio.io/api@v1.31.1
    istio.io/client-go@v1.31.1
    github.com/envoyproxy/go-control-plane/envoy@v1.37.1-0.20260729145720-a2d8c7492908
    github.com/envoyproxy/go-control-plane/contrib@v1.36.1-0.20260729145720-a2d8c7492908
)
programs=(pilot-discovery pilot-agent)

fail() {
    echo "istiod: $*" >&2
    exit 1
}

if [[ -n ${ISTIOD:-} ]]; then
    [[ -x $ISTIOD/pilot-discovery && -x $ISTIOD/pilot-agent && -e $ISTIOD/crd-all.gen.yaml ]] ||
        fail "ISTIOD is '$ISTIOD', where there is no pilot-discovery, no pilot-agent or no crd-all.gen.yaml"
    cd "$ISTIOD" && pwd
    exit 0
fi

cd "$(dirname "$0")/.."
directory=$PWD/.tools/istiod-$release-${commit##*-}
if [[ -x $directory/pilot-discovery ]]; then
    echo "$directory"
    exit 0
fi

command -v go >/dev/null || fail "Go 1.26 or newer builds it (https://go.dev/dl); ISTIOD=/directory names another one"
echo "istiod: building Istio $release (${commit##*-}) into .tools/; it takes some minutes" >&2
mkdir -p .tools
work=$(mktemp -d .tools/istiod.XXXXXX)
trap 'rm -rf "$work"' EXIT
source=$(go mod download -json "istio.io/istio@$commit" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
[[ -n $source ]] || fail "Go could not give Istio's source"
mkdir "$work/source"
cp -r "$source/." "$work/source"
chmod -R u+w "$work/source"

# Left out: a proxy other than Envoy, off unless PILOT_ENABLE_AGENTGATEWAY is set, whose API is published at no
# version. What istiod names of it stays, and ends the process.
gateway=$work/source/pilot/pkg/config/kube/agentgateway
rm "$gateway"/*.go
cat >"$gateway/absent.go" <<'GO'
// Package agentgateway is left out of this build.
package agentgateway

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/serviceregistry/kube/controller"
	"istio.io/istio/pilot/pkg/status"
	"istio.io/istio/pilot/pkg/xds"
	"istio.io/istio/pkg/kube"
)

// Controller is what nobody makes.
type Controller struct {
	model.AgentgatewayController
	Registrations []xds.Registration
}

// NewAgwController ends the process.
func NewAgwController(
	kube.Client, func(schema.GroupVersionResource, <-chan struct{}) bool, controller.Options,
) *Controller {
	panic("this istiod was built without agentgateway")
}

// SetStatusWrite is never called.
func (*Controller) SetStatusWrite(bool, *status.Manager) {}
GO

# The agent keeps modules below where it runs, as it keeps everything else.
constants=$work/source/pkg/config/constants/constants.go
sed -i 's|IstioDataDir = "/var/lib|IstioDataDir = "./var/lib|' "$constants"
grep -q 'IstioDataDir = "\./var' "$constants" || fail "the agent would keep modules in /var/lib/istio"

export CGO_ENABLED=0
out=$PWD/$work/out
mkdir "$out"
(
    cd "$work/source"
    go mod edit -droprequire github.com/agentgateway/agentgateway/api "${requirements[@]/#/-require=}"
    for program in "${programs[@]}"; do
        nice -n 10 go build -mod=mod -trimpath -ldflags="-s -w" -o "$out/$program" "./pilot/cmd/$program" >&2
    done
    cp tools/packaging/common/envoy_bootstrap.json manifests/charts/base/files/crd-all.gen.yaml "$out"
)
# Under their names only when they are whole, whoever else is building them at the same time; pilot-discovery
# comes last.
mkdir -p "$directory"
for file in envoy_bootstrap.json crd-all.gen.yaml pilot-agent pilot-discovery; do
    mv -f "$out/$file" "$directory/$file"
done
echo "$directory"
