//! The issuers of a door, and which of them judges a token: found by what it claims, in a time that does not grow
//! with their number. What the judgement is it does not know.

use std::collections::HashMap;

use super::issuer::Issuer;

/// Issuers, in the order in which the configuration has them.
#[derive(Clone, Debug, Default)]
pub struct Issuers {
    issuers: Vec<Issuer>,
    /// Where those stand that believe one `iss` only, by it.
    by_iss: HashMap<Box<str>, Vec<usize>>,
    /// Where those stand that believe any: one at most, which has no other beside it (`compile::issuer`).
    any: Vec<usize>,
}

impl From<Vec<Issuer>> for Issuers {
    fn from(issuers: Vec<Issuer>) -> Self {
        let (mut by_iss, mut any): (HashMap<Box<str>, Vec<usize>>, _) = (HashMap::new(), Vec::new());
        for (position, issuer) in issuers.iter().enumerate() {
            let places = match &issuer.iss {
                Some(iss) => by_iss.entry(iss.as_str().into()).or_default(),
                None => &mut any,
            };
            places.push(position);
        }
        Self { issuers, by_iss, any }
    }
}

impl Issuers {
    /// Every one.
    pub fn each(&self) -> impl Iterator<Item = &Issuer> {
        self.issuers.iter()
    }

    /// The one at this position.
    #[must_use]
    pub fn at(&self, position: usize) -> Option<&Issuer> {
        self.issuers.get(position)
    }

    /// The issuer that judges a token with this `iss` at this place, and its position: one that believes the `iss`
    /// and reads the place.
    #[must_use]
    pub fn judge(&self, place: usize, iss: Option<&str>) -> Option<(usize, &Issuer)> {
        let named = iss.and_then(|iss| self.by_iss.get(iss)).into_iter().flatten();
        let mut candidates =
            named.chain(&self.any).filter_map(|position| Some((*position, self.at(*position)?)));
        candidates.find(|(_, issuer)| issuer.source_at(place).is_some())
    }
}
