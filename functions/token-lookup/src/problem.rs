//! Errors as the caller sees them: `application/problem+json` (RFC 9457) with a stable [`Code`](crate::code::Code). The
//! one place where errors of `shop-keyring` become HTTP.

use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use shop_keyring::{connection::Reason, names::InvalidName, store::StoreError, vault::VaultError};

/// The media type of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// What a problem's `type` begins with, before its code. A name, not an address: there is nothing to be fetched.
const TYPE: &str = "urn:shop-keyring:problem:";

/// What went wrong, named by what the caller can do.
#[derive(Debug)]
pub enum Problem {
    /// The request is not in order; the text says what is wrong with it.
    BadRequest(String),
    /// The path is not in its one form.
    PathNotCanonical,
    /// No IAM identity came with the request.
    NoIdentity,
    /// No such route.
    RouteNotFound,
    /// The route does not take this method.
    MethodNotAllowed,
    /// No such connection.
    ConnectionNotFound,
    /// No such connect session.
    SessionNotFound,
    /// The session knows no such result.
    ResultNotFound,
    /// The result stands for a visit that connected nothing, or whose connection is gone.
    NothingToConfirm(String),
    /// The connection waits for the vendor's confirmation.
    Pending,
    /// Only the seller can help.
    ReauthorizationRequired(Reason),
    /// The vendor has ended the connection.
    Disconnected,
    /// The token could not be renewed, and none is left that works.
    RefreshFailed {
        /// Seconds until another try can help.
        retry_after: i64,
    },
    /// Our own storage does not answer.
    StorageUnavailable,
}

impl Problem {
    fn parts(&self) -> (StatusCode, &'static str, String) {
        let text = str::to_owned;
        match self {
            Self::BadRequest(what) => (StatusCode::BAD_REQUEST, "bad_request", what.clone()),
            Self::PathNotCanonical => (
                StatusCode::BAD_REQUEST,
                "path_not_canonical",
                text(
                    "Write the path in its one form: letters, digits, `-`, `_`, `.` between single slashes, nothing escaped.",
                ),
            ),
            Self::NoIdentity => (
                StatusCode::FORBIDDEN,
                "no_identity",
                text(
                    "The request carries no IAM identity. Sign it with SigV4, and check that the route has its IAM authorizer.",
                ),
            ),
            Self::RouteNotFound => (StatusCode::NOT_FOUND, "route_not_found", text("There is no such route.")),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text("The route does not take this method."))
            }
            Self::ConnectionNotFound => (
                StatusCode::NOT_FOUND,
                "connection_not_found",
                text("There is no such connection. The seller connects through a connect session."),
            ),
            Self::SessionNotFound => {
                (StatusCode::NOT_FOUND, "session_not_found", text("There is no such connect session."))
            }
            Self::ResultNotFound => (
                StatusCode::NOT_FOUND,
                "result_not_found",
                text("This result does not belong to this connect session."),
            ),
            Self::NothingToConfirm(what) => (StatusCode::CONFLICT, "nothing_to_confirm", what.clone()),
            Self::Pending => (
                StatusCode::CONFLICT,
                "pending",
                text("The connection waits for confirmation: hand the seller's `result` to the session's `confirm`."),
            ),
            Self::ReauthorizationRequired(reason) => (
                StatusCode::CONFLICT,
                "reauthorization_required",
                format!("The seller has to authorize again ({}): open a connect session.", reason.as_str()),
            ),
            Self::Disconnected => (
                StatusCode::GONE,
                "disconnected",
                text("The connection was ended. The seller can connect again through a connect session."),
            ),
            Self::RefreshFailed { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "refresh_failed",
                text("The token could not be renewed now. Try again after the time in Retry-After."),
            ),
            Self::StorageUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_unavailable",
                text("The keyring's own storage does not answer. Try again shortly."),
            ),
        }
    }
}

impl Problem {
    /// The body, as RFC 9457 has it.
    pub(crate) fn body(&self) -> Value {
        let (status, code, detail) = self.parts();
        let mut body = Map::new();
        body.insert("type".into(), json!(format!("{TYPE}{code}")));
        body.insert("title".into(), json!(self.code().title()));
        body.insert("status".into(), json!(status.as_u16()));
        body.insert("code".into(), json!(code));
        body.insert("detail".into(), json!(detail));
        if let Self::ReauthorizationRequired(reason) = self {
            body.insert("reason".into(), json!(reason.as_str()));
        }
        Value::Object(body)
    }

    /// The status code.
    pub(crate) fn status(&self) -> StatusCode {
        self.parts().0
    }

    /// Seconds until another try can help, where one can.
    pub(crate) fn retry_after(&self) -> Option<i64> {
        match self {
            Self::RefreshFailed { retry_after } => Some((*retry_after).max(1)),
            Self::StorageUnavailable => Some(2),
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the table failed");
        Self::StorageUnavailable
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        tracing::error!(%error, "the vault failed");
        Self::StorageUnavailable
    }
}

impl From<InvalidName> for Problem {
    fn from(error: InvalidName) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::BadRequest(rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::BadRequest(rejection.body_text())
    }
}
