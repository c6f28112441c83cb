//! Every `code` that an error of this API can have, in one place: docs/errors.md, the contract and the end-to-end tests
//! are held against [`Code::ALL`].

use serde::Serialize;
use serde_json::{Value, json};
use shop_keyring::connection::{Reason, grant};
use utoipa::ToSchema;

use crate::problem::Problem;

/// What went wrong, as a word that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is not in order.
    BadRequest,
    /// The path is not in its one form.
    PathNotCanonical,
    /// No IAM identity came with the request.
    NoIdentity,
    /// No such route.
    RouteNotFound,
    /// The route does not take this method.
    MethodNotAllowed,
    /// The registry has no such app.
    AppNotFound,
    /// No such connection.
    ConnectionNotFound,
    /// No such connect session.
    SessionNotFound,
    /// The session knows no such result.
    ResultNotFound,
    /// The result stands for nothing that could be confirmed.
    NothingToConfirm,
    /// The connection waits for confirmation.
    Pending,
    /// Only the seller can help.
    ReauthorizationRequired,
    /// The vendor has ended the connection.
    Disconnected,
    /// The token could not be renewed.
    RefreshFailed,
    /// The marketplace was asked whether the token works, and did not say so.
    CheckFailed,
    /// The connection is not the account's that the session is for.
    AccountConflict,
    /// The session is not the account's that confirms it.
    AccountMismatch,
    /// The change does not say which state of the connection it is meant for.
    PreconditionRequired,
    /// The connection has changed since the caller read it.
    PreconditionFailed,
    /// The body is longer than any that means something.
    BodyTooLong,
    /// The body is not of a type that the route takes.
    UnsupportedMediaType,
    /// The headers are too long.
    HeadersTooLong,
    /// The keyring's own storage does not answer.
    StorageUnavailable,
}

impl Code {
    /// Every code. That none is missing is checked against the derived schema.
    pub const ALL: [Self; 23] = [
        Self::BadRequest,
        Self::PathNotCanonical,
        Self::NoIdentity,
        Self::RouteNotFound,
        Self::MethodNotAllowed,
        Self::AppNotFound,
        Self::ConnectionNotFound,
        Self::SessionNotFound,
        Self::ResultNotFound,
        Self::NothingToConfirm,
        Self::Pending,
        Self::ReauthorizationRequired,
        Self::Disconnected,
        Self::RefreshFailed,
        Self::CheckFailed,
        Self::AccountConflict,
        Self::AccountMismatch,
        Self::PreconditionRequired,
        Self::PreconditionFailed,
        Self::BodyTooLong,
        Self::UnsupportedMediaType,
        Self::HeadersTooLong,
        Self::StorageUnavailable,
    ];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::PathNotCanonical => "path_not_canonical",
            Self::NoIdentity => "no_identity",
            Self::RouteNotFound => "route_not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::AppNotFound => "app_not_found",
            Self::ConnectionNotFound => "connection_not_found",
            Self::SessionNotFound => "session_not_found",
            Self::ResultNotFound => "result_not_found",
            Self::NothingToConfirm => "nothing_to_confirm",
            Self::Pending => "pending",
            Self::ReauthorizationRequired => "reauthorization_required",
            Self::Disconnected => "disconnected",
            Self::RefreshFailed => "refresh_failed",
            Self::CheckFailed => "check_failed",
            Self::AccountConflict => "account_conflict",
            Self::AccountMismatch => "account_mismatch",
            Self::PreconditionRequired => "precondition_required",
            Self::PreconditionFailed => "precondition_failed",
            Self::BodyTooLong => "body_too_long",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::HeadersTooLong => "headers_too_long",
            Self::StorageUnavailable => "storage_unavailable",
        }
    }

    /// The `title` that belongs to it (RFC 9457): the same for every occurrence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is not in order",
            Self::PathNotCanonical => "The path is not in its one form",
            Self::NoIdentity => "No IAM identity",
            Self::RouteNotFound => "No such route",
            Self::MethodNotAllowed => "The route does not take this method",
            Self::AppNotFound => "No such app",
            Self::ConnectionNotFound => "No such connection",
            Self::SessionNotFound => "No such connect session",
            Self::ResultNotFound => "No such result in this connect session",
            Self::NothingToConfirm => "Nothing to confirm",
            Self::Pending => "The connection waits for confirmation",
            Self::ReauthorizationRequired => "The seller has to authorize again",
            Self::Disconnected => "The connection was ended",
            Self::RefreshFailed => "The token could not be renewed",
            Self::CheckFailed => "The token could not be checked",
            Self::AccountConflict => "The connection is another account's",
            Self::AccountMismatch => "The session is another account's",
            Self::PreconditionRequired => "No `If-Match`",
            Self::PreconditionFailed => "The connection has changed",
            Self::BodyTooLong => "The body is too long",
            Self::UnsupportedMediaType => "The body is of another type",
            Self::HeadersTooLong => "The headers are too long",
            Self::StorageUnavailable => "The keyring's storage does not answer",
        }
    }

    /// A problem with this code, as an example.
    pub fn example(self) -> Problem {
        match self {
            Self::BadRequest => {
                Problem::BadRequest("The query parameter `min_ttl` is not valid: 0 to 86400 seconds.".into())
            }
            Self::PathNotCanonical => Problem::PathNotCanonical,
            Self::NoIdentity => Problem::NoIdentity,
            Self::RouteNotFound => Problem::RouteNotFound,
            Self::MethodNotAllowed => Problem::MethodNotAllowed,
            Self::AppNotFound => Problem::AppNotFound(
                "There is no app `tiktok-shop/uk`. The registry has: `temu/us`, `tiktok-shop/us`. An operator adds one with `make app`."
                    .into(),
            ),
            Self::ConnectionNotFound => Problem::ConnectionNotFound,
            Self::SessionNotFound => Problem::SessionNotFound,
            Self::ResultNotFound => Problem::ResultNotFound,
            Self::NothingToConfirm => Problem::NothingToConfirm(grant::NothingToConfirm.to_string()),
            Self::Pending => Problem::Pending,
            Self::ReauthorizationRequired => Problem::ReauthorizationRequired(Reason::AuthorizationExpired),
            Self::Disconnected => Problem::Disconnected,
            Self::RefreshFailed => Problem::RefreshFailed { retry_after: 90 },
            Self::CheckFailed => Problem::CheckFailed { retry_after: 90 },
            Self::AccountConflict => Problem::AccountConflict,
            Self::AccountMismatch => Problem::AccountMismatch,
            Self::PreconditionRequired => Problem::PreconditionRequired,
            Self::PreconditionFailed => Problem::PreconditionFailed,
            Self::BodyTooLong => Problem::BodyTooLong,
            Self::UnsupportedMediaType => {
                Problem::UnsupportedMediaType(&["application/json"], r#"{"rejected_version":7}"#)
            }
            Self::HeadersTooLong => Problem::HeadersTooLong,
            Self::StorageUnavailable => Problem::StorageUnavailable,
        }
    }
}

impl Code {
    /// The body of [`Self::example`], as it leaves.
    pub(crate) fn example_body(self) -> Value {
        let mut body = self.example().body();
        body.insert("request_id".into(), json!("VKJz2iLwIAMEZ0w="));
        Value::Object(body)
    }
}

impl Problem {
    /// Which code it has.
    pub const fn code(&self) -> Code {
        match self {
            Self::BadRequest(_) | Self::BodyMissing(_) => Code::BadRequest,
            Self::PathNotCanonical => Code::PathNotCanonical,
            Self::NoIdentity => Code::NoIdentity,
            Self::RouteNotFound => Code::RouteNotFound,
            Self::MethodNotAllowed => Code::MethodNotAllowed,
            Self::AppNotFound(_) => Code::AppNotFound,
            Self::ConnectionNotFound | Self::NothingToReconnect => Code::ConnectionNotFound,
            Self::SessionNotFound => Code::SessionNotFound,
            Self::ResultNotFound => Code::ResultNotFound,
            Self::NothingToConfirm(_) => Code::NothingToConfirm,
            Self::Pending => Code::Pending,
            Self::ReauthorizationRequired(_) => Code::ReauthorizationRequired,
            Self::Disconnected => Code::Disconnected,
            Self::RefreshFailed { .. } => Code::RefreshFailed,
            Self::CheckFailed { .. } => Code::CheckFailed,
            Self::AccountConflict => Code::AccountConflict,
            Self::AccountMismatch => Code::AccountMismatch,
            Self::PreconditionRequired => Code::PreconditionRequired,
            Self::PreconditionFailed => Code::PreconditionFailed,
            Self::BodyTooLong => Code::BodyTooLong,
            Self::UnsupportedMediaType(..) => Code::UnsupportedMediaType,
            Self::HeadersTooLong => Code::HeadersTooLong,
            Self::StorageUnavailable => Code::StorageUnavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn none_is_missing() {
        let derived = json!(Code::schema())["enum"].clone();
        assert_eq!(derived, json!(Code::ALL), "Code::ALL lists the codes in the order of the enum");
    }

    #[test]
    fn a_problem_says_its_code() {
        for code in Code::ALL {
            let problem = code.example();
            assert_eq!(problem.code(), code);
            let body = problem.body();
            assert_eq!((&body["code"], json!(code)), (&json!(code.as_str()), json!(code.as_str())));
            assert_eq!(body["title"], code.title());
            assert_eq!(body["type"], format!("urn:shop-keyring:problem:{}", body["code"].as_str().unwrap()));
        }
    }

    #[test]
    fn titles_are_told_apart() {
        let titles: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.title()).collect();
        assert_eq!(titles.len(), Code::ALL.len());
    }
}
