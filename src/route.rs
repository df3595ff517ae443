//! Routes: which rule stands over a request, by its host, path and method.

pub mod host;
pub mod method;
pub mod preflight;
pub mod table;
pub mod template;
