//! What a request presents to prove who it comes from, and where it came in.

pub mod bearer;
pub mod cookie;
pub mod entrance;
pub mod gateway_key;
pub mod issuer;
pub mod issuers;
pub mod places;
pub mod proof_cache;
pub mod query;
pub mod remote;
pub mod source;
mod spelling;
pub mod whole_header;
