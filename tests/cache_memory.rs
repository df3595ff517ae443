//! The cache of proofs takes about as much memory as it may, whatever the tokens look like.
//!
//! A binary of its own, for it counts every byte that is allocated.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use support::token;
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::keyring::Keys;
use vestibule::policy;
use vestibule::request::Request;
use vestibule::time::UnixTime;

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What is allocated now, in bytes.
static HELD: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is the system's own, counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How much is held when tokens with this claim, which is injected, have come until the cache is full, as a share of
/// its size.
fn share(claim: &Value) -> f64 {
    const CAPACITY: usize = 1 << 20;
    let configuration = json!({
        "door": "outer", "tenant": "optional",
        "issuers": { "main": {
            "issuer": "https://issuer.test", "audiences": ["*"], "keys": [{ "secret": { "env": "SECRET" } }],
        } },
        "inject": { "x-claim": { "claim": "x", "as": "json" } },
        "limits": { "tokenCacheBytes": CAPACITY, "injectedBytes": 32_768 },
    });
    let secrets = |_: &str| Some(SECRET.to_owned());
    let policy = compile::compile(&configuration, &Secrets::From(&secrets), UnixTime::from_secs(NOW))
        .expect("it compiles")
        .value;
    let keys = Keys::in_module();
    let before = HELD.load(Ordering::Relaxed);
    let mut most = 0;
    for number in 0..2_000 {
        let spec = json!({
            "header": { "alg": "HS256" }, "sign": { "alg": "HS256", "secret": SECRET },
            "payload": { "iss": "https://issuer.test", "sub": format!("user-{number}"), "exp": NOW + 60, "x": claim },
        });
        let authorization = format!("Bearer {}", token::mint(&spec, NOW));
        let headers: [(&[u8], &[u8]); 3] =
            [(b":method", b"GET"), (b":path", b"/"), (b"authorization", authorization.as_bytes())];
        let decision =
            policy::decide(&policy, &keys, &Request::new(headers.to_vec()), UnixTime::from_secs(NOW));
        assert!(matches!(decision, Decision::Permit(_)), "{decision:?}");
        drop((decision, authorization, spec));
        most = most.max(HELD.load(Ordering::Relaxed).saturating_sub(before));
    }
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = most as f64 / CAPACITY as f64;
    share
}

/// One test, because the count is the process's.
#[test]
fn a_full_cache_holds_at_most_a_quarter_more_than_it_may_and_at_least_a_fifth_of_it() {
    let mut nested = json!({});
    for _ in 0..20 {
        nested = json!({ "a": nested });
    }
    for (name, claim) in [
        ("nothing", json!(null)),
        ("a long text", json!("x".repeat(3_000))),
        ("numbers", json!(vec![0; 1_000])),
        ("small objects", json!(vec![json!({ "a": 0 }); 200])),
        (
            "large objects",
            json!((0..200).map(|n| (format!("{n}"), json!(n))).collect::<serde_json::Map<_, _>>()),
        ),
        ("nested objects", json!(vec![nested; 10])),
        ("texts", json!((0..300).map(|n| n.to_string()).collect::<Vec<_>>())),
    ] {
        let share = share(&claim);
        assert!((0.2..1.25).contains(&share), "{name}: {share:.2}");
    }
}
