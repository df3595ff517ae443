//! `istio/examples/tenant-routing`: the gateway sends a request where the verified tenant says, and never where the
//! client does.

use serde_json::{Value, json};

use super::mesh::{HOST, Mesh, mesh, token_with};
use crate::support::http::{Call, Response, get};
use crate::support::process::eventually;

/// A request by somebody of this tenant.
fn of(tenant: &str) -> Call {
    get("/blog/1").header("host", HOST).bearer(&token_with(&json!({ "payload": { "tenant_id": tenant } })))
}

/// Whether Envoy found nobody to send the request to; no door says that.
fn has_nowhere_to_go(response: &Response) -> bool {
    response.status == 503 && response.code().is_none()
}

#[test]
fn a_tenant_with_pods_of_its_own_is_routed_there_by_its_token_and_by_nothing_else() {
    let mesh = mesh();
    let routes = mesh.object("virtualservice", "shop");
    let example = |file: &str| {
        let path = format!("{}/istio/examples/tenant-routing/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let patch: Value = serde_saphyr::from_str(&example("routes.yaml")).expect("YAML");
    // The one pod of blog is everybody's; acme has none, so what is routed to acme's arrives nowhere.
    mesh.patch("workloadentry", "blog", &json!({ "spec": { "labels": { "tenant": "shared" } } }));
    mesh.apply(&example("destination-rule.yaml"));
    mesh.patch("virtualservice", "shop", &json!({ "spec": { "http": patch["spec"]["http"] } }));

    let send = |call: &Call| mesh.send("client", call);
    let routed = eventually(|| has_nowhere_to_go(&send(&of("acme"))).then_some(()));
    assert!(routed.is_some(), "acme's requests go on to everybody's pods; {}", mesh.logs());
    for forged in
        [of("globex"), of("globex").header("x-tenant-id", "acme"), of("globex").header("X_Tenant_Id", "acme")]
    {
        let response = send(&forged);
        let arrival = mesh.arrival(&response).unwrap_or_else(|| panic!("{forged:?}: {}", response.text()));
        assert_eq!(arrival.values("x-tenant-id"), ["globex"]);
    }
    for forged in [of("acme").header("x-tenant-id", "globex"), of("acme").header("x-tenant-id", "shared")] {
        let response = send(&forged);
        assert!(has_nowhere_to_go(&response), "{forged:?}: {} {}", response.status, response.text());
    }
    restore(&mesh, &routes);
}

/// Leaves the mesh as it was.
fn restore(mesh: &Mesh, routes: &Value) {
    mesh.patch("virtualservice", "shop", &json!({ "spec": { "http": routes["spec"]["http"] } }));
    mesh.delete("destinationrule", "blog");
    mesh.patch("workloadentry", "blog", &json!({ "spec": { "labels": { "tenant": null } } }));
    mesh.wait_until_it_serves();
}
