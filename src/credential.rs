//! What a request presents to prove who it comes from, and where it came in.

pub mod bearer;
pub mod entrance;
pub mod gateway_key;
pub mod issuer;
pub mod proof_cache;
pub mod remote;
