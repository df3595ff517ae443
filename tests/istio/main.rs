//! `make test-istio`: Istio's own control plane configures the doors, and Istio's own agents start their Envoys.
//!
//! Nothing that plays a part is mocked: Kubernetes' API server keeps the manifests, istiod reads them there, signs
//! the proxies' certificates and serves the configuration, the agents fetch the modules, and requests pass from
//! the gateway's Envoy to a service's. Only there are no pods, and nothing redirects a connection: what
//! `place/` says takes their part.

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "../support/mod.rs"]
mod support;

mod change; // doors that change under load, and a VM that ends
mod control_plane; // fixture: istiod
mod delivery; // what istiod made of the manifests
mod kubernetes; // fixture: the API server, and kubectl
mod mesh; // fixture: the overlay at this place, and all who call
mod outside; // fixture: who is no part of the mesh
mod proxy; // fixture: an agent and its Envoy
mod requests; // istio/requests.json through both doors
mod tenant_routing; // the example: where a request goes by its verified tenant
mod workspace; // fixture: where all of this writes
