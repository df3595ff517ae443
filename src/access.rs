//! Who may pass: the rule that stands where no route says otherwise.

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone; no credential is looked at.
    Public,
    /// Everyone without a credential; a credential that is present must be good.
    Optional,
    /// Whoever proves a principal.
    Authenticated,
    /// No one.
    Deny,
}
