//! The context: a short-lived signed token in which the outer door tells inner ones, and they each other, on
//! whose behalf a request is made (OAuth Transaction Tokens, draft-ietf-oauth-transaction-tokens).
//!
//! Here stands what both doors must agree on. A context is never a user's token, nor the other way about: its
//! type says so, and no issuer may accept that type.

mod claims;
pub mod mint;

/// Its `typ`, in the form of [`crate::jose::header::media_type`].
pub const TYPE: &str = "txntoken+jwt";

/// What an inner door calls who mints, in logs and metrics, where other doors have the name of an issuer.
pub const NAME: &str = "context";

/// Where in a context stands what.
pub mod claim {
    /// The transaction: one id for a request and all that it causes.
    pub const TRANSACTION: &str = "txn";
    /// The tenant.
    pub const TENANT: &str = "/tctx/tenant";
    /// The permissions.
    pub const PERMISSIONS: &str = "/tctx/permissions";
    /// The roles.
    pub const ROLES: &str = "/tctx/roles";
    /// The configured name of the issuer whose token the outer door verified.
    pub const ISSUER: &str = "/tctx/issuer";
}
