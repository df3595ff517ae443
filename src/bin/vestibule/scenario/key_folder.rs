//! Where a scenario's keys are: a folder, in which the key `issuer` is the file `issuer.pem`.
//!
//! A key is read when it is first named.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Read;
use super::key::Key;

/// What finds a key by its name, or says why there is none.
pub(crate) type KeyNamed<'k> = &'k dyn Fn(&str) -> Result<Arc<Key>, String>;

/// The folder, and the keys that were read so far.
pub(crate) struct KeyFolder<'r> {
    folder: Option<PathBuf>,
    read: Read<'r>,
    keys: RefCell<BTreeMap<String, Arc<Key>>>,
}

impl<'r> KeyFolder<'r> {
    /// The folder at this path; without one there are no keys.
    pub(crate) fn new(folder: Option<PathBuf>, read: Read<'r>) -> Self {
        Self { folder, read, keys: RefCell::default() }
    }

    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Result<Arc<Key>, String> {
        if let Some(key) = self.keys.borrow().get(name) {
            return Ok(Arc::clone(key));
        }
        let folder = self.folder.as_ref().ok_or_else(|| {
            format!("names the key `{name}`, and the file names no folder of keys: give `keys`")
        })?;
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !name.bytes().all(in_name) || name.starts_with('.') || name.is_empty() {
            return Err(format!(
                "`{name}` is no name of a key: letters, digits, `-`, `_` and `.`, and no path"
            ));
        }
        let path = folder.join(format!("{name}.pem"));
        let pem = (self.read)(&path).map_err(|error| format!("there is no key `{name}`: {error}"))?;
        let key = std::str::from_utf8(&pem).ok().and_then(|pem| Key::from_pem(name, pem)).ok_or_else(|| {
            format!(
                "the key `{name}` is not RSA, P-256, P-384, P-521 or Ed25519 as unencrypted PKCS#8 PEM; `openssl \
                 pkcs8 -topk8 -nocrypt` converts other PEM"
            )
        })?;
        let key = Arc::new(key);
        self.keys.borrow_mut().insert(name.to_owned(), Arc::clone(&key));
        Ok(key)
    }
}
