//! The gateway key: what the outer door attaches so that an inner door knows where a request came in.

use std::fmt;
use std::sync::Arc;

use crate::header::HeaderName;
use crate::mutation::Assignment;

/// The shortest gateway key, in bytes: 32 bytes of randomness cannot be guessed.
pub const MIN_BYTES: usize = 32;
/// The longest, in bytes; every request's is hashed.
pub const MAX_BYTES: usize = 1024;

/// A gateway key as it travels: visible ASCII without `"`, `,`, `\`, so that no proxy trims, joins or splits
/// it. It never shows itself in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewayKey(Arc<[u8]>);

impl fmt::Debug for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayKey")
    }
}

impl GatewayKey {
    /// A key of its bytes.
    ///
    /// # Errors
    /// What [`Self::check`] finds.
    pub fn new(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::check(bytes).map(|()| Self(bytes.into()))
    }

    /// Whether bytes can be a key at all.
    ///
    /// # Errors
    /// What is wrong with them; never the bytes themselves.
    pub fn check(bytes: &[u8]) -> Result<(), &'static str> {
        if bytes.len() < MIN_BYTES {
            return Err("a gateway key has at least 32 bytes: make one with `vestibule keygen gateway-key`");
        }
        if bytes.len() > MAX_BYTES {
            return Err("a gateway key has at most 1024 bytes: make one with `vestibule keygen gateway-key`");
        }
        if !bytes.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b'\\')) {
            return Err(
                "a gateway key travels in a header, so it is visible ASCII without `\"`, `,` and `\\`: \
                        make one with `vestibule keygen gateway-key`",
            );
        }
        Ok(())
    }

    pub(crate) fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.0)
    }

    /// The bytes, to be hashed or sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The gateway key as the outer door attaches it.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub(crate) header: HeaderName,
    pub(crate) key: GatewayKey,
}

impl Attachment {
    pub(crate) fn assignment(&self) -> Assignment {
        Assignment { name: self.header.shared(), value: self.key.shared() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_key_shows_itself_nowhere() {
        assert_eq!(format!("{:?}", GatewayKey::new(&[b'a'; 32]).unwrap()), "GatewayKey");
    }

    #[test]
    fn a_key_is_long_and_cannot_be_trimmed_or_split() {
        assert!(GatewayKey::new(&[b'a'; 31]).is_err());
        for bad in [b' ', b',', b'"', b'\\', b'\n', 0xff] {
            assert!(GatewayKey::new(&[[b'a'; 32].as_slice(), &[bad]].concat()).is_err());
        }
    }
}
