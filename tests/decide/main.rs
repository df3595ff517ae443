//! `vestibule decide`, run as an operator runs it: that it decides as the vectors say, explains what it decided,
//! reads requests as they are pasted, and shows no secret.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

#[path = "../support/command.rs"]
mod command;
#[path = "../support/mod.rs"]
mod support;

mod asking;
mod contexts;
mod curl;
mod documented;
mod explaining;
mod peers;
mod run;
mod vectors;
