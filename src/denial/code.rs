//! Why a request is refused: one closed list of codes, shared by bodies, logs, metrics and tests, and one
//! table of what each means to the caller.

use super::Status;

/// What a denial says to the caller.
struct Meaning {
    code: &'static str,
    /// The response-code detail, which access logs show as `%RESPONSE_CODE_DETAILS%`.
    response_detail: &'static str,
    status: Status,
    title: &'static str,
    detail: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $status:ident $title:literal $detail:literal;)+) => {
        /// The reason for a denial. The names are part of the contract with operators and clients.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            const fn meaning(self) -> Meaning {
                match self {
                    $(Self::$variant => Meaning {
                        code: $code,
                        response_detail: concat!("vestibule_", $code),
                        status: Status::$status,
                        title: $title,
                        detail: $detail,
                    },)+
                }
            }
        }
    };
}

codes! {
    /// CONNECT, TRACE and TRACK reach no service.
    MethodRefused "method_refused" BadRequest "Method refused"
        "This method is not forwarded.";
    /// What decides, in a header, a cookie or the query, is there several times or cannot be read in one way
    /// only.
    HeaderMalformed "header_malformed" BadRequest "Malformed header"
        "A header, cookie or query parameter that decides about access is malformed or there more than once.";
    /// The path could be read differently by the service.
    PathAmbiguous "path_ambiguous" BadRequest "Ambiguous path"
        "The path could be read in more than one way.";
    /// More than one credential.
    CredentialMultiple "credential_multiple" BadRequest "Several credentials"
        "The request presents more than one credential.";

    /// No credential where one is needed.
    CredentialMissing "credential_missing" Unauthorized "Credential missing"
        "This resource needs a credential and none was presented.";
    /// Not a compact JWS (RFC 7515 section 7.1) of JSON objects.
    TokenMalformed "token_malformed" Unauthorized "Malformed token"
        "The token is not a well-formed signed JWT.";
    /// Longer than `limits.tokenBytes`.
    TokenTooLarge "token_too_large" Unauthorized "Token too large"
        "The token is longer than is accepted here.";
    /// `typ` is not among the issuer's `types`.
    TypeNotAllowed "type_not_allowed" Unauthorized "Token type not accepted"
        "The token is of a type that is not accepted here.";
    /// `crit` names extensions that must be understood (RFC 7515 section 4.1.11).
    CriticalHeader "critical_header" Unauthorized "Critical header not understood"
        "The token demands an extension that is not supported.";
    /// `alg` is not one that the issuer's keys and settings allow.
    AlgorithmNotAllowed "algorithm_not_allowed" Unauthorized "Algorithm not accepted"
        "The token's signature algorithm is not accepted here.";
    /// `iss` is not a known issuer.
    IssuerUnknown "issuer_unknown" Unauthorized "Unknown issuer"
        "The token's issuer is not known here.";
    /// `kid` names no key of the issuer.
    KeyUnknown "key_unknown" Unauthorized "Unknown key"
        "The token's key is not known here.";
    /// No key verifies the signature.
    SignatureInvalid "signature_invalid" Unauthorized "Invalid signature"
        "The token's signature is not valid.";
    /// `exp` has passed.
    TokenExpired "token_expired" Unauthorized "Token expired"
        "The token has expired.";
    /// `nbf` or `iat` lies in the future.
    TokenNotYetValid "token_not_yet_valid" Unauthorized "Token not yet valid"
        "The token is not valid yet.";
    /// `aud` names nobody here.
    AudienceMismatch "audience_mismatch" Unauthorized "Wrong audience"
        "The token is meant for another audience.";
    /// A required claim is absent.
    ClaimMissing "claim_missing" Unauthorized "Claim missing"
        "The token lacks a required claim.";
    /// A claim has the wrong JSON type or a value that cannot be used.
    ClaimMalformed "claim_malformed" Unauthorized "Malformed claim"
        "A claim of the token is malformed.";
    /// A claim has a value that is not accepted.
    ClaimNotAllowed "claim_not_allowed" Unauthorized "Claim not accepted"
        "A claim of the token has a value that is not accepted here.";
    /// The token lives longer than the issuer's `maxLifetime`.
    LifetimeExceeded "lifetime_exceeded" Unauthorized "Lifetime too long"
        "The token lives longer than is accepted here.";
    /// The token is bound to a key (`cnf`, RFC 7800), so it is no bearer token.
    ConfirmationRequired "confirmation_required" Unauthorized "Proof of possession required"
        "The token is bound to a key and cannot be used as a bearer token.";

    /// The filter runs where its configuration does not belong.
    WrongDoor "wrong_door" Forbidden "Wrong door"
        "This proxy is not set up for this traffic.";
    /// The route is closed.
    RouteDenied "route_denied" Forbidden "Route denied"
        "This resource is not accessible.";
    /// The request did not come through the gateway.
    GatewayKeyMissing "gateway_key_missing" Forbidden "Not through the gateway"
        "This service is reached through its gateway only.";
    /// The gateway key is wrong, expired, not yet valid, or there more than once.
    GatewayKeyInvalid "gateway_key_invalid" Forbidden "Not through the gateway"
        "The proof of having come through the gateway is not valid.";
    /// The peer's identity is not listed.
    PeerNotAllowed "peer_not_allowed" Forbidden "Peer not allowed"
        "The calling service may not call this service.";
    /// No context.
    ContextMissing "context_missing" Forbidden "Context missing"
        "The signed context is missing.";
    /// The context does not verify.
    ContextInvalid "context_invalid" Forbidden "Context invalid"
        "The signed context is not valid.";
    /// The context has expired.
    ContextExpired "context_expired" Forbidden "Context expired"
        "The signed context has expired.";
    /// The principal has no tenant.
    TenantMissing "tenant_missing" Forbidden "Tenant missing"
        "The credential names no tenant.";
    /// The tenant is not a well-formed name.
    TenantMalformed "tenant_malformed" Forbidden "Malformed tenant"
        "The credential's tenant is malformed.";
    /// The issuer may not speak for this tenant.
    TenantNotAllowed "tenant_not_allowed" Forbidden "Tenant not allowed"
        "The credential's tenant is not accepted here.";
    /// The route does not accept this issuer.
    IssuerNotAllowed "issuer_not_allowed" Forbidden "Issuer not allowed"
        "The credential's issuer is not accepted for this resource.";
    /// A permission is lacking.
    PermissionMissing "permission_missing" Forbidden "Permission missing"
        "The credential lacks a permission that this resource needs.";
    /// A scope is lacking.
    ScopeMissing "scope_missing" Forbidden "Scope missing"
        "The credential lacks a scope that this resource needs.";
    /// No role that is accepted.
    RoleMissing "role_missing" Forbidden "Role missing"
        "The credential has no role that this resource accepts.";

    /// The issuer's keys cannot be had, or the signature could not be checked.
    KeysUnavailable "keys_unavailable" Unavailable "Keys unavailable"
        "The keys needed to check the credential are not available.";
    /// Too many requests wait already, or hold what will be attached to them.
    Overloaded "overloaded" Unavailable "Overloaded"
        "Too many requests are under way.";
    /// The proxy did not do what a decision needed: read the headers, or change one.
    HostFailed "host_failed" Unavailable "Proxy failure"
        "The proxy could not carry out the decision about this request.";
}

impl Code {
    /// The code as bodies, logs and metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.meaning().code
    }

    /// `vestibule_<code>`, for Envoy's `%RESPONSE_CODE_DETAILS%`.
    #[must_use]
    pub const fn response_detail(self) -> &'static str {
        self.meaning().response_detail
    }

    /// HTTP and gRPC status.
    #[must_use]
    pub const fn status(self) -> Status {
        self.meaning().status
    }

    /// A summary that is the same for every occurrence (RFC 9457 section 3.1.3).
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.meaning().title
    }

    /// One constant sentence; it never holds anything of the request.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        self.meaning().detail
    }

    /// `WWW-Authenticate` (RFC 6750 section 3). A request without a credential gets no `error` (section 3.1).
    #[must_use]
    pub const fn challenge(self) -> Option<&'static str> {
        match (self.status(), self) {
            (Status::Unauthorized, Self::CredentialMissing) => Some("Bearer realm=\"vestibule\""),
            (Status::Unauthorized, _) => Some("Bearer realm=\"vestibule\", error=\"invalid_token\""),
            (Status::Forbidden, Self::PermissionMissing | Self::ScopeMissing | Self::RoleMissing) => {
                Some("Bearer realm=\"vestibule\", error=\"insufficient_scope\"")
            }
            (Status::BadRequest | Status::Forbidden | Status::Unavailable, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct_and_snake_case() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }

    #[test]
    fn the_docs_have_every_code_with_its_status() {
        let page = include_str!("../../docs/denials.md");
        for code in Code::ALL {
            let status = code.status().http();
            let row = format!("| {status} | `{}` | {} |", code.as_str(), code.detail());
            assert!(page.contains(&row), "{code:?}");
        }
    }

    #[test]
    fn every_401_carries_a_challenge_and_no_other_status_asks_for_a_credential() {
        for code in Code::ALL {
            assert_eq!(
                code.status() == Status::Unauthorized,
                code.challenge().is_some_and(|c| !c.contains("scope")),
                "{code:?}"
            );
        }
    }

    #[test]
    fn a_request_without_a_credential_is_told_no_error() {
        assert_eq!(Code::CredentialMissing.challenge(), Some("Bearer realm=\"vestibule\""));
    }
}
