//! Which of the two doors a policy is for.

/// Which of the two doors this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// An ingress gateway.
    Outer,
    /// A service's sidecar or waypoint.
    Inner,
}

impl Door {
    /// As the configuration spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outer => "outer",
            Self::Inner => "inner",
        }
    }
}
