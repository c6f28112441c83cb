use axum::body::Body;
use axum::http::{HeaderName, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::mint;

/// The codes that the platform puts into the `code` field of an answer.
pub mod code {
    /// The call did what it says.
    pub const SUCCESS: i64 = 0;
    /// The authorization code is unknown, used or too old.
    pub const INVALID_AUTH_CODE: i64 = 36_004_004;
    /// No live authorization belongs to this refresh token.
    pub const NO_AUTHORIZATION: i64 = 36_004_005;
    /// One public client reports this code for a refresh token that reached its expiry.
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
    /// The token is of the wrong kind of user.
    pub const WRONG_USER_TYPE: i64 = 101_000;
    /// The access token has expired.
    pub const ACCESS_TOKEN_EXPIRED: i64 = 105_002;
    /// The seller did not grant the scope that this call needs.
    pub const SCOPE_MISSING: i64 = 105_005;
    /// The signature does not match.
    pub const BAD_SIGN: i64 = 106_001;
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

/// What goes back over the wire, still separable into parts that a fault can spoil.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// `None` where the body is not one of the platform's JSON envelopes.
    pub(super) code: Option<i64>,
    pub(super) retry_after: Option<u32>,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn from_outcome<T: Serialize>(outcome: Result<T, ApiError>, now: u64) -> Self {
        let (status, code, body) = match outcome {
            Ok(data) => (
                200,
                code::SUCCESS,
                json!({
                    "code": code::SUCCESS,
                    "message": "success",
                    "data": data,
                    "request_id": mint::request_id(now),
                }),
            ),
            Err(error) => (
                error.status,
                error.code,
                json!({
                    "code": error.code,
                    "message": error.message,
                    "request_id": mint::request_id(now),
                }),
            ),
        };
        Self { status, code: Some(code), retry_after: None, content_type: "application/json", body: body.to_string() }
    }

    pub(super) fn error(error: ApiError, now: u64) -> Self {
        Self::from_outcome::<()>(Err(error), now)
    }

    pub(super) fn plain(status: u16, body: &str) -> Self {
        Self { status, code: None, retry_after: None, content_type: "text/plain; charset=utf-8", body: body.to_owned() }
    }

    /// What the platform's hosts answer to a wrong method or path.
    pub(super) fn not_found() -> Self {
        Self::plain(404, "404 page not found")
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let body = Body::from(self.body.clone());
        self.with_body(body, &[])
    }

    pub(super) fn with_body(&self, body: Body, extra: &[(HeaderName, String)]) -> Response<Body> {
        let mut response = Response::builder()
            .status(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            .header(header::CONTENT_TYPE, self.content_type);
        if let Some(seconds) = self.retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        for (name, value) in extra {
            response = response.header(name, value);
        }
        response.body(body).unwrap_or_default()
    }
}
