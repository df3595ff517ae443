# shellcheck shell=bash disable=SC2034  # read by whoever sources this
# What kind.sh fetches itself. The images of Istio's proxies, Keycloak, Python and curl stand where they are
# used: istiod-values.yaml, keycloak/ and mesh/; kind's own version in tools/kind.sh. README.md says where the
# digests were read.

# The default of kind 0.32.0. Istio 1.31 supports Kubernetes 1.32 to 1.36.
node_image=kindest/node:v1.36.1@sha256:3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5
registry_image=docker.io/library/registry:3.1.1@sha256:1be55279f18a2fe1a74edf2664cac61c1bea305b7b4642dab412e7affdcb3e33

# From 1.31 on Istio's charts are in this registry, and no longer at storage.googleapis.com.
istio_charts=oci://ghcr.io/istio/release/charts
istio_version=1.31.1
