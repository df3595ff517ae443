//! What Vestibule's own work takes natively: `make bench-native`. It judges nothing.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on ends with the reason"
)]

mod cases;

use cases::Case;
use divan::Bencher;

fn main() {
    divan::main();
}

#[divan::bench(args = cases::NAMES)]
fn case(bencher: Bencher<'_, '_>, name: &str) {
    let case = Case::named(name);
    bencher.bench_local(|| case.run());
}
