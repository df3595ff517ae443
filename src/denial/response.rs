//! The local reply that a denial becomes: `application/problem+json` (RFC 9457), or a gRPC status. It decides
//! nothing.

use std::borrow::Cow;

use serde_json::json;

use super::{Code, Denial};
use crate::request::Request;
use crate::response::{Response, is_grpc};

/// How long a caller should wait where keys are unavailable, in seconds.
const RETRY_AFTER: &str = "1";

/// A request id longer than this, or with other than visible ASCII, is not repeated to anybody.
const MAX_REQUEST_ID: usize = 128;

impl Denial {
    /// The reply to `request`.
    #[must_use]
    pub fn response(&self, request: &Request<'_>) -> Response {
        let code = self.code();
        let mut headers: Vec<(_, Cow<'static, str>)> = vec![("cache-control", "no-store".into())];
        headers.extend(self.challenge().map(|challenge| ("www-authenticate", challenge.to_owned().into())));
        if matches!(code, Code::KeysUnavailable | Code::Overloaded) {
            headers.push(("retry-after", RETRY_AFTER.into()));
        }
        let body = if is_grpc(request) {
            code.as_str().into()
        } else {
            headers.push(("content-type", "application/problem+json".into()));
            problem(code, request_id(request))
        };
        Response {
            status: code.status().http(),
            grpc_status: code.status().grpc(),
            headers,
            body,
            detail: code.response_detail(),
        }
    }
}

/// The request's id where it is fit to be repeated.
pub(crate) fn request_id<'a>(request: &Request<'a>) -> Option<&'a str> {
    let id = request.single(b"x-request-id").ok()?;
    let fit = (1..=MAX_REQUEST_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(id).ok().filter(|_| fit)
}

fn problem(code: Code, instance: Option<&str>) -> Vec<u8> {
    let mut problem = json!({
        "type": format!("urn:problem-type:vestibule:{}", code.as_str()),
        "title": code.title(),
        "status": code.status().http(),
        "detail": code.detail(),
        "code": code.as_str(),
    });
    if let (Some(id), Some(problem)) = (instance, problem.as_object_mut()) {
        problem.insert("instance".into(), id.into());
    }
    problem.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]
    use super::*;

    fn respond(code: Code, headers: Vec<(&[u8], &[u8])>) -> Response {
        Denial::new(code).response(&Request::new(headers))
    }

    #[test]
    fn the_body_is_a_problem_with_code_and_request_id() {
        let response = respond(Code::TokenExpired, vec![(b"x-request-id", b"abc-1")]);
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(
            (&body["code"], &body["status"], &body["instance"]),
            (&"token_expired".into(), &401.into(), &"abc-1".into())
        );
        assert!(response.headers.contains(&("cache-control", "no-store".into())));
        assert!(response.headers.contains(&("content-type", "application/problem+json".into())));
        assert_eq!(response.detail, "vestibule_token_expired");
    }

    #[test]
    fn a_request_id_that_is_not_visible_ascii_is_not_repeated() {
        for id in [&b"a b"[..], b"\xff", b"", &[b'x'; 129]] {
            let response = respond(Code::TokenExpired, vec![(b"x-request-id", id)]);
            assert!(!String::from_utf8(response.body).unwrap().contains("instance"));
        }
    }

    #[test]
    fn a_grpc_request_gets_the_code_as_its_message() {
        for content_type in [&b"application/grpc"[..], b"application/grpc+proto", b"application/grpc;x=y"] {
            let response = respond(Code::CredentialMissing, vec![(b"content-type", content_type)]);
            assert_eq!((response.grpc_status, response.body.as_slice()), (16, &b"credential_missing"[..]));
        }
        assert_ne!(
            respond(Code::CredentialMissing, vec![(b"content-type", b"application/grpc-web")]).body,
            b"credential_missing"
        );
    }

    #[test]
    fn unavailable_keys_say_when_to_retry() {
        assert!(respond(Code::KeysUnavailable, vec![]).headers.contains(&("retry-after", "1".into())));
        assert!(!respond(Code::TokenExpired, vec![]).headers.iter().any(|(name, _)| *name == "retry-after"));
    }
}
