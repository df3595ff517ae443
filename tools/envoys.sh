#!/usr/bin/env bash
# Runs the tests that start an Envoy, and the demo, with one pinned version of Envoy after the other, and says at the
# end what became of each; a test that fails keeps no version from its turn.
# usage: VESTIBULE_WASM=… VESTIBULE_HOST_WASM=… VESTIBULE_PROBE=… tools/envoys.sh [VERSION...]
#        all versions of tools/envoy-requirements.txt unless some are named
set -euo pipefail
cd "$(dirname "$0")/.."

# The versions are what differs; an Envoy of somebody's own has `make test`.
unset ENVOY
if (($# == 0)); then
    # Split into versions.
    # shellcheck disable=SC2046
    set -- $(tools/envoy.sh --versions)
fi

report=
failed=0
for version; do
    ENVOY=$(ENVOY_VERSION=$version tools/envoy.sh)
    export ENVOY
    echo "envoys: the suite with Envoy $version"
    suite=passed demo=passed
    cargo test --locked --no-fail-fast --test envoy || suite=FAILED
    echo "envoys: the demo with Envoy $version"
    cargo run --locked --example demo || demo=FAILED
    [[ $suite$demo == passedpassed ]] || failed=1
    report+="envoys: $version: suite $suite, demo $demo"$'\n'
    unset ENVOY
done
printf %s "$report"
exit "$failed"
