//! What stands in for [`software`](super) where the crate is built without it: nothing here verifies or signs, and
//! whatever is asked, it cannot tell. A key is checked all the same, as far as hosts serve it.

use std::convert::Infallible;

use super::algorithm::{Algorithm, Family};
use super::curve;
use super::key::{OFF_CURVE, Unusable, VerifyingKey};
use super::module::NOT_THE_HOSTS;
use super::signature::{Engine, Outcome};
use super::signing::SigningKey;

/// A key in the form in which the module verifies. There is none.
#[derive(Clone, Debug)]
pub struct SoftwareKey(Infallible);

impl SoftwareKey {
    pub(super) fn rsa(_: &[u8], _: &[u8]) -> Result<Option<Self>, Unusable> {
        Ok(None)
    }

    pub(super) fn ec(family: Family, point: &[u8]) -> Result<Option<Self>, Unusable> {
        if curve::holds(family, point) { Ok(None) } else { Err(OFF_CURVE) }
    }

    pub(super) fn ed25519(_: &[u8]) -> Result<Option<Self>, Unusable> {
        Err(NOT_THE_HOSTS)
    }

    pub(super) fn hmac(_: &[u8]) -> Result<Self, Unusable> {
        Err(NOT_THE_HOSTS)
    }

    pub(super) fn secret_length(&self) -> Option<usize> {
        match self.0 {}
    }
}

/// A private key in the form in which the module signs. There is none.
#[derive(Debug)]
pub(super) struct SoftwareSigningKey(Infallible);

impl SoftwareSigningKey {
    pub(super) fn rsa(_: &[u8]) -> Result<Option<Self>, Unusable> {
        Ok(None)
    }
}

/// The engine inside the module, which cannot tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Software;

impl Engine for Software {
    fn verify(&self, _: Algorithm, _: &VerifyingKey, _: &[u8], _: &[u8]) -> Outcome {
        Outcome::Unavailable
    }

    fn sign(&self, key: &SigningKey, _: &[u8]) -> Option<Vec<u8>> {
        match key.software()?.0 {}
    }
}
