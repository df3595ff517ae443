//! The statuses that denials have, in HTTP and in gRPC.

/// The statuses a denial can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 400: the request can be read in more than one way, or not at all.
    BadRequest,
    /// 401: nobody was proved.
    Unauthorized,
    /// 403: somebody was, or nobody could be, and the answer is no.
    Forbidden,
    /// 503: the request cannot be decided about now.
    Unavailable,
}

impl Status {
    /// The HTTP status code (RFC 9110 section 15).
    #[must_use]
    pub const fn http(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::Unavailable => 503,
        }
    }

    /// The gRPC status: INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE.
    #[must_use]
    pub const fn grpc(self) -> i32 {
        match self {
            Self::BadRequest => 3,
            Self::Unauthorized => 16,
            Self::Forbidden => 7,
            Self::Unavailable => 14,
        }
    }
}
