//! No bytes of a client stop a worker: it neither crashes, nor is its VM built anew, nor does it answer 503.

use serde_json::json;

use super::mesh::{Door, GATEWAY_KEY, good_token, inner_configuration, outer_configuration};
use crate::support::envoy::Envoy;
use crate::support::http::{Call, call, get};

const ROUNDS: usize = 200;

/// The headers that the filter reads, and two that it must at least walk past.
const NAMES: [&str; 20] = [
    "authorization",
    "Authorization",
    "x-gateway-key",
    "x_gateway_key",
    "x-user-id",
    "x.user.id",
    "x-tenant-id",
    "X-Tenant-ID",
    "x_tenant_id",
    "x.tenant.id",
    "x-user-permissions",
    "content-type",
    "x-request-id",
    "x-forwarded-for",
    "x-original-url",
    "x-api-token",
    "x_api_token",
    "cookie",
    "host",
    "x-unknown",
];

#[test]
fn byte_0xff_in_any_header_200_times_over_leaves_the_outer_door_serving() {
    let door = Door::outer(&outer_configuration());
    let good = get("/").bearer(&good_token());
    bombard(&door, &good);
}

#[test]
fn byte_0xff_in_any_header_200_times_over_leaves_the_inner_door_serving() {
    let door = Door::inner(&inner_configuration());
    let good = get("/")
        .header("x-gateway-key", GATEWAY_KEY)
        .header("x-user-id", "alice")
        .header("x-tenant-id", "acme");
    bombard(&door, &good);
}

#[test]
fn byte_0xff_wherever_a_token_may_stand_leaves_the_outer_door_serving() {
    let mut configuration = outer_configuration();
    configuration["issuers"]["main"]["sources"] = json!([
        { "header": "authorization", "scheme": "Bearer" }, { "header": "x-api-token" },
        { "cookie": "session" }, { "query": "jwt" },
    ]);
    let door = Door::outer(&configuration);
    bombard(&door, &get(format!("/?jwt={}", good_token())));
}

/// Sends hostile bytes with and without what the door asks for, and then asks whether anything broke.
fn bombard(door: &Door, good: &Call) {
    door.permitted(good);
    let created = vms_created(&door.envoy);
    let token = good_token();
    let mut answered = 0;
    for round in 0..ROUNDS {
        for name in NAMES {
            let value = hostile_value(round, &token);
            let request = if round % 2 == 0 { good.clone() } else { get("/") };
            let (response, arrival) = door.send(&request.header(name, &value));
            assert!(
                matches!(response.status, 200 | 400 | 401 | 403),
                "{name}: {value:?} was answered {} {}",
                response.status,
                response.text()
            );
            if let Some(arrival) = arrival {
                for owned in ["x-user-id", "x-tenant-id", "x-user-permissions"] {
                    let values = arrival.values(owned);
                    assert!(
                        values.iter().all(|value| value.is_ascii()),
                        "{name}: {value:?} arrived as {owned}: {values:?}"
                    );
                }
            }
            answered += 1;
        }
    }
    for path in [
        b"/\xff".as_slice(),
        b"/%ff",
        b"/?\xff",
        b"/%",
        b"/\xc3\x28",
        b"/?jwt=\xff",
        b"/?\xffjwt=%&jw%7",
        b"/?;=&%",
    ] {
        let (response, _) = door.send(&call("GET", path));
        assert!(
            matches!(response.status, 200 | 400 | 401 | 403 | 404),
            "{path:?} was answered {}",
            response.status
        );
    }
    assert_eq!(answered, ROUNDS * NAMES.len());
    door.permitted(good);
    assert_unharmed(&door.envoy, created);
}

/// Byte 0xFF alone, at either end, in the middle, where a scheme and a token are read, and in bad UTF-8 of
/// other kinds.
fn hostile_value(round: usize, token: &str) -> Vec<u8> {
    match round % 10 {
        0 => b"\xff".to_vec(),
        1 => b"Bearer \xff".to_vec(),
        2 => b"Bearer \xff.\xff.\xff".to_vec(),
        3 => b"Bearer\xff abc".to_vec(),
        4 => b"acme\xff".to_vec(),
        5 => b"\xffacme".to_vec(),
        6 => b"application/grpc\xff".to_vec(),
        7 => b"session=\xed\xa0\x80;\xf8session;=\x88; sess%6; \x80=\x80".to_vec(),
        8 => vec![0xff; 8000],
        _ => [b"Bearer ", token.as_bytes(), b"\xff"].concat(),
    }
}

/// How many VMs this Envoy has made so far.
pub fn vms_created(envoy: &Envoy) -> u64 {
    envoy.stats("wasm.envoy.wasm.runtime.v8.created").into_values().sum()
}

/// That nothing crashed since so many VMs had been made.
pub fn assert_unharmed(envoy: &Envoy, created: u64) {
    assert_eq!(vms_created(envoy), created, "a VM was built anew");
    let reloads =
        envoy.stats("wasm.").into_iter().filter(|(name, count)| name.contains("vm_reload") && *count > 0);
    assert_eq!(reloads.collect::<Vec<_>>(), []);
    let log = envoy.log();
    for sign_of_a_crash in ["panicked at", "Proxy-Wasm plugin in-VM backtrace", "Uncaught RuntimeError"] {
        assert!(!log.contains(sign_of_a_crash), "the log says {sign_of_a_crash:?}");
    }
}
