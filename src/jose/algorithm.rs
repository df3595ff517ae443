//! The signature algorithms that Vestibule verifies (RFC 7518 section 3.1).

use std::fmt;

/// An algorithm, by its JWA name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
}

/// The keys that can serve an algorithm. An EC algorithm fixes its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// RSA.
    Rsa,
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384];

    /// The algorithm of a JWA name; the names are case-sensitive (RFC 7515 section 4.1.1).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// The JWA name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }

    /// The keys that can serve it.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 => Family::Rsa,
            Self::Es256 => Family::P256,
            Self::Es384 => Family::P384,
        }
    }

    /// The digest's name, as BoringSSL and Envoy's `verify_signature` call it.
    #[must_use]
    pub const fn digest(self) -> &'static str {
        match self {
            Self::Rs256 | Self::Es256 => "sha256",
            Self::Rs384 | Self::Es384 => "sha384",
            Self::Rs512 => "sha512",
        }
    }
}

impl Family {
    /// The algorithms that keys of this family can serve.
    pub fn algorithms(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| algorithm.family() == self)
    }

    /// The length of each half of an ECDSA signature (RFC 7518 section 3.4), in bytes; none for RSA.
    #[must_use]
    pub const fn scalar_length(self) -> Option<usize> {
        match self {
            Self::Rsa => None,
            Self::P256 => Some(32),
            Self::P384 => Some(48),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
