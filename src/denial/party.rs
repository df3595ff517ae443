//! Who must act, so that a request like the one that was denied passes.

use super::{Code, Status};

/// Somebody who can mend the cause of a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Whoever made the request: the client's application or its user.
    Client,
    /// Whoever issues the credentials and says what they carry: the identity provider, and who keeps accounts there.
    Issuer,
    /// Whoever runs the door and the proxies around it.
    Operator,
    /// The service that called this one.
    Caller,
}

impl Party {
    /// As logs and docs spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Issuer => "issuer",
            Self::Operator => "operator",
            Self::Caller => "caller",
        }
    }
}

impl Code {
    /// Who must act, the likeliest first; at least one.
    #[must_use]
    pub const fn parties(self) -> &'static [Party] {
        use Party::{Caller, Client, Issuer, Operator};
        match self {
            Self::MethodRefused | Self::CredentialMultiple | Self::ConfirmationRequired => &[Client],
            Self::HeaderMalformed
            | Self::PathAmbiguous
            | Self::CredentialMissing
            | Self::TypeNotAllowed
            | Self::IssuerUnknown
            | Self::SignatureInvalid
            | Self::TokenExpired
            | Self::AudienceMismatch
            | Self::ClaimNotAllowed
            | Self::RouteDenied
            | Self::IssuerNotAllowed => &[Client, Operator],
            Self::TokenMalformed | Self::ScopeMissing => &[Client, Issuer],
            Self::CriticalHeader => &[Issuer],
            Self::TokenTooLarge
            | Self::AlgorithmNotAllowed
            | Self::TokenNotYetValid
            | Self::ClaimMissing
            | Self::ClaimMalformed
            | Self::LifetimeExceeded
            | Self::TenantMissing
            | Self::TenantMalformed
            | Self::TenantNotAllowed
            | Self::PermissionMissing
            | Self::RoleMissing => &[Issuer, Operator],
            Self::KeyUnknown | Self::KeysUnavailable => &[Operator, Issuer],
            Self::WrongDoor | Self::GatewayKeyInvalid | Self::Overloaded | Self::HostFailed => &[Operator],
            Self::PeerNotAllowed | Self::ContextInvalid => &[Operator, Caller],
            Self::GatewayKeyMissing | Self::ContextMissing | Self::ContextExpired => &[Caller, Operator],
        }
    }

    /// Whether it was this side that failed, whatever the request was: an operator wants to be woken by it.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!((self.status(), self), (Status::Unavailable, _) | (_, Self::WrongDoor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_can_mend_every_denial_and_our_own_faults_are_an_operators_first() {
        for code in Code::ALL {
            let first = code.parties().first();
            assert!(first.is_some(), "{code:?}");
            assert!(!code.is_fault() || first == Some(&Party::Operator), "{code:?}");
        }
    }

    #[test]
    fn the_docs_say_who_must_act_as_the_log_does() {
        let page = include_str!("../../docs/denials.md");
        for code in Code::ALL {
            let row = page.lines().find(|line| line.contains(&format!("| `{}` |", code.as_str())));
            let column = row.and_then(|row| row.split(" | ").nth(3)).unwrap_or_default();
            let parties: Vec<_> = code.parties().iter().map(|party| party.as_str()).collect();
            assert_eq!(column, parties.join(", "), "{code:?}");
        }
    }
}
