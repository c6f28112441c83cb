use serde::Serialize;
use serde_json::json;

use super::calls::Route;
use super::mint;
use super::world::World;
use crate::faults::Complaint;
use crate::platform::Platform;
use crate::reply::Reply;

/// The codes that the platform puts into the `code` field of an answer.
pub mod code {
    /// The call did what it says.
    pub const SUCCESS: i64 = 0;
    /// The authorization code is unknown, used or too old.
    pub const INVALID_AUTH_CODE: i64 = 36_004_004;
    /// No live authorization belongs to this refresh token.
    pub const NO_AUTHORIZATION: i64 = 36_004_005;
    /// The refresh token has reached its end.
    pub const REFRESH_TOKEN_EXPIRED: i64 = 36_004_001;
    /// Too many calls.
    pub const RATE_LIMITED: i64 = 36_009_002;
    /// Internal error.
    pub const INTERNAL: i64 = 36_009_003;
    /// Invalid input of several kinds; only the message tells which.
    pub const INVALID_INPUT: i64 = 36_009_004;
    /// Internal time-out.
    pub const TIMED_OUT: i64 = 36_009_007;
    /// The caller's IP address is not on the app's list.
    pub const IP_NOT_ALLOWED: i64 = 36_009_033;
    /// The token is of the wrong kind of user, or does not open the shop in the call.
    pub const WRONG_USER_TYPE: i64 = 101_000;
    /// A sandbox shop has used up its calls of this hour.
    pub const SANDBOX_SHOP_LIMITED: i64 = 36_009_037;
    /// The shop is inactive.
    pub const SHOP_INACTIVE: i64 = 36_009_043;
    /// The seller is inactive.
    pub const SELLER_INACTIVE: i64 = 36_009_044;
    /// The access token is invalid.
    pub const ACCESS_TOKEN_INVALID: i64 = 105_001;
    /// The access token has expired.
    pub const ACCESS_TOKEN_EXPIRED: i64 = 105_002;
    /// The seller did not grant the scope that this call needs.
    pub const SCOPE_MISSING: i64 = 105_005;
    /// The signature does not match.
    pub const BAD_SIGN: i64 = 106_001;
    /// The call needs a `shop_cipher` and has none.
    pub const SHOP_CIPHER_MISSING: i64 = 106_013;
}

/// An answer other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: i64,
    pub(super) message: String,
}

impl ApiError {
    /// The token host reports its errors with HTTP 200.
    pub(super) fn at_token_host(code: i64, message: &str) -> Self {
        Self::with_status(200, code, message)
    }

    pub(super) fn with_status(status: u16, code: i64, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }
}

pub(super) fn reply<T: Serialize>(outcome: Result<T, ApiError>, now: u64) -> Reply {
    match outcome {
        Ok(data) => {
            let envelope = json!({
                "code": code::SUCCESS,
                "message": "success",
                "data": data,
                "request_id": mint::request_id(now),
            });
            Reply::json(200, code::SUCCESS, &envelope)
        }
        Err(error) => World::error(error.status, error.code, &error.message, now),
    }
}

impl Platform for World {
    type Route = Route;

    const SUCCESS: i64 = code::SUCCESS;

    fn error(status: u16, code: i64, message: &str, now: u64) -> Reply {
        let envelope = json!({ "code": code, "message": message, "request_id": mint::request_id(now) });
        Reply::json(status, code, &envelope)
    }

    fn word(complaint: Complaint) -> (u16, i64, &'static str) {
        match complaint {
            Complaint::Internal => (200, code::INTERNAL, "Internal error, please try again later"),
            Complaint::TimedOut => (200, code::TIMED_OUT, "The request timed out, please try again later"),
            Complaint::RateLimited => (429, code::RATE_LIMITED, "Too many requests"),
            Complaint::IpNotAllowed => (200, code::IP_NOT_ALLOWED, "The IP address is not in the app's allow list"),
        }
    }
}
