//! Methods: which a route is for, and which can be told apart at all.

/// The methods that a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every one.
    Any,
    /// These; HEAD is among them where GET is, for it asks for the same (RFC 9110 section 9.3.2).
    Named(Vec<Box<[u8]>>),
}

/// Methods that no door forwards: CONNECT makes a tunnel that nothing behind it can see into; TRACE (RFC 9110
/// section 9.3.8) and TRACK echo headers, the trusted ones among them.
const REFUSED: [&[u8]; 3] = [b"CONNECT", b"TRACE", b"TRACK"];

/// The longest method that is compared.
const MAX: usize = 32;

/// Whether no door forwards this method, in whatever case.
#[must_use]
pub fn is_refused(method: &[u8]) -> bool {
    REFUSED.iter().any(|refused| method.eq_ignore_ascii_case(refused))
}

/// Whether this is a method by which routes can be told apart: upper-case letters, digits, `-` and `_`. Methods
/// have a case (RFC 9110 section 9.1), but not for every server: `get` could be a GET that no route guards.
#[must_use]
pub fn is_method(method: &[u8]) -> bool {
    let allowed =
        |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=MAX).contains(&method.len()) && method.iter().all(allowed)
}

impl Methods {
    /// These methods and what they stand for.
    pub fn named(methods: &[&str]) -> Self {
        let mut named: Vec<Box<[u8]>> = methods.iter().map(|method| method.as_bytes().into()).collect();
        if methods.contains(&"GET") && !methods.contains(&"HEAD") {
            named.push(b"HEAD"[..].into());
        }
        Self::Named(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_upper_case() {
        for good in ["GET", "M-SEARCH", "VERSION_2", &"A".repeat(32)] {
            assert!(is_method(good.as_bytes()), "{good}");
        }
        for bad in ["", "get", "Get", "GET ", "G\u{7f}T", "GÉT", &"A".repeat(33)] {
            assert!(!is_method(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn get_stands_for_head_and_head_for_itself() {
        let named = |methods: &[&str]| Methods::named(methods);
        assert_eq!(named(&["GET"]), named(&["GET", "HEAD"]));
        assert_eq!(named(&["HEAD"]), Methods::Named(vec![b"HEAD"[..].into()]));
    }
}
