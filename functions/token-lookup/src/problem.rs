//! Errors as the caller sees them: `application/problem+json` (RFC 9457) with a stable [`Code`](crate::code::Code). The
//! one place where errors of `shop-keyring` become HTTP.

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use shop_keyring::{
    connection::{Reason, edit::EditRefused},
    names::AppKeyPath,
    store::StoreError,
    vault::VaultError,
};

use crate::intake::{LONGEST_BODY, LONGEST_HEADERS};

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
    /// The registry has no such app; the text says which ones it has.
    AppNotFound(String),
    /// No such connection.
    ConnectionNotFound,
    /// No such connection, where a session is to be for it alone.
    NothingToReconnect,
    /// No such connect session.
    SessionNotFound,
    /// The session knows no such result.
    ResultNotFound,
    /// The result stands for a visit that connected nothing, or whose connection is gone.
    NothingToConfirm(String),
    /// The connection is not the account's that the session is for.
    AccountConflict,
    /// The session is not the account's that confirms it.
    AccountMismatch,
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
    /// The marketplace did not say that a token works which only the seller can renew.
    CheckFailed {
        /// Seconds until another try can help.
        retry_after: i64,
    },
    /// Our own storage does not answer.
    StorageUnavailable,
    /// The change does not say which state of the connection it is meant for.
    PreconditionRequired,
    /// The connection has changed since the caller read it.
    PreconditionFailed,
    /// The body is longer than any that means something.
    BodyTooLong,
    /// The body is not of a type that the route takes: these; and an example of a body.
    UnsupportedMediaType(&'static [&'static str], &'static str),
    /// There is no body; an example of one.
    BodyMissing(&'static str),
    /// The headers are too long.
    HeadersTooLong,
}

impl Problem {
    /// The registry has no such app, but those that are `known`.
    pub(crate) fn app_not_found(path: &AppKeyPath, known: &[String]) -> Self {
        let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
        Self::AppNotFound(format!(
            "There is no app `{path}`. The registry has: {known}. An operator adds one with `make app`."
        ))
    }

    #[expect(clippy::too_many_lines, reason = "a table with a row for each problem")]
    fn parts(&self) -> (StatusCode, String) {
        let text = str::to_owned;
        match self {
            Self::BadRequest(what) => (StatusCode::BAD_REQUEST, what.clone()),
            Self::PathNotCanonical => (
                StatusCode::BAD_REQUEST,
                text(
                    "Write the path in its one form: letters, digits, `-`, `_`, `.` between single slashes, nothing escaped.",
                ),
            ),
            Self::NoIdentity => (
                StatusCode::FORBIDDEN,
                text(
                    "The request carries no IAM identity. Sign it with SigV4, and check that the route has its IAM authorizer.",
                ),
            ),
            Self::RouteNotFound => {
                (StatusCode::NOT_FOUND, text("There is no such route: `GET /v1/openapi.json` lists them all."))
            }
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                text("The route does not take this method; the header `Allow` names those that it takes."),
            ),
            Self::AppNotFound(what) => (StatusCode::NOT_FOUND, what.clone()),
            Self::ConnectionNotFound => (
                StatusCode::NOT_FOUND,
                text("There is no such connection. The seller connects through a connect session."),
            ),
            Self::NothingToReconnect => (
                StatusCode::NOT_FOUND,
                text(
                    "There is no such connection to reconnect. To connect a new shop, leave `reconnect` out; `GET /v1/connections?account_id=…` lists those of an account.",
                ),
            ),
            Self::SessionNotFound => (
                StatusCode::NOT_FOUND,
                text(
                    "There is no such connect session: it was never opened, or ended more than a day ago. Open a new one.",
                ),
            ),
            Self::ResultNotFound => (
                StatusCode::NOT_FOUND,
                text(
                    "This result does not belong to this connect session. Send the `result` of the address that the seller came back to, with the `session_id` beside it.",
                ),
            ),
            Self::NothingToConfirm(what) => (StatusCode::CONFLICT, what.clone()),
            Self::AccountConflict => (
                StatusCode::CONFLICT,
                text(
                    "The connection that `reconnect` names belongs to another account, or to none yet. Open the session for the account that `GET /v1/connections/…` shows, or give the connection to this account first.",
                ),
            ),
            Self::AccountMismatch => (
                StatusCode::CONFLICT,
                text(
                    "The session was opened for another account than `account_id`: the seller has used another customer's link. Nothing was confirmed. Send the seller through a session of their own account.",
                ),
            ),
            Self::Pending => (
                StatusCode::CONFLICT,
                text("The connection waits for confirmation: hand the seller's `result` to the session's `confirm`."),
            ),
            Self::ReauthorizationRequired(reason) => (
                StatusCode::CONFLICT,
                format!("The seller has to authorize again ({}): open a connect session.", reason.as_str()),
            ),
            Self::Disconnected => (
                StatusCode::GONE,
                text("The connection was ended. The seller can connect again through a connect session."),
            ),
            Self::RefreshFailed { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                text("The token could not be renewed now. Try again after the time in Retry-After."),
            ),
            Self::CheckFailed { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                text(
                    "The marketplace refused the token, or did not say whether it works. Try again after the time in Retry-After: it is asked again automatically until that is certain.",
                ),
            ),
            Self::StorageUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, text("The keyring's own storage does not answer. Try again shortly."))
            }
            Self::PreconditionRequired => (
                StatusCode::PRECONDITION_REQUIRED,
                text(
                    "Read the connection and send its `ETag` as `If-Match`, so that nobody's change is overwritten; `*` \
                     overwrites.",
                ),
            ),
            Self::PreconditionFailed => (
                StatusCode::PRECONDITION_FAILED,
                text("The connection has changed since. Read it again, and repeat the change with its new `ETag`."),
            ),
            Self::BodyTooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The body is longer than {LONGEST_BODY} bytes; nothing that this API takes is."),
            ),
            Self::UnsupportedMediaType(types, example) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("Send a body such as `{example}` with the `Content-Type` `{}`.", types.join("` or `")),
            ),
            Self::BodyMissing(example) => {
                (StatusCode::BAD_REQUEST, format!("The body is missing: send one such as `{example}`."))
            }
            Self::HeadersTooLong => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                format!("The headers are longer than {LONGEST_HEADERS} bytes in all: leave out what is not needed."),
            ),
        }
    }
}

impl Problem {
    /// The body, as RFC 9457 has it.
    pub(crate) fn body(&self) -> Map<String, Value> {
        let (status, detail) = self.parts();
        let code = self.code();
        let mut body = Map::new();
        body.insert("type".into(), json!(format!("{TYPE}{}", code.as_str())));
        body.insert("title".into(), json!(code.title()));
        body.insert("status".into(), json!(status.as_u16()));
        body.insert("code".into(), json!(code.as_str()));
        body.insert("detail".into(), json!(detail));
        if let Self::ReauthorizationRequired(reason) = self {
            body.insert("reason".into(), json!(reason.as_str()));
        }
        body
    }

    /// The status code.
    pub(crate) fn status(&self) -> StatusCode {
        self.parts().0
    }

    /// Seconds until another try can help, where one can.
    pub(crate) fn retry_after(&self) -> Option<i64> {
        match self {
            Self::RefreshFailed { retry_after } | Self::CheckFailed { retry_after } => Some((*retry_after).max(1)),
            Self::StorageUnavailable => Some(2),
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Details(self.body()).response(self.status());
        response.extensions_mut().insert(self.code());
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The body of a problem. It stays with the response until the id of the request, which only the outermost layer knows,
/// is in it.
#[derive(Debug, Clone)]
pub(crate) struct Details(Map<String, Value>);

impl Details {
    fn response(self, status: StatusCode) -> Response {
        let mut response = (status, Json(&self.0)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response.extensions_mut().insert(self);
        response
    }

    /// Writes the id of the request into the body, if the response is a problem.
    pub(crate) fn sign(response: &mut Response, request_id: &str, method: &Method) {
        let Some(Self(mut body)) = response.extensions_mut().remove() else { return };
        body.insert("request_id".into(), json!(request_id));
        // HEAD has the headers only.
        let text = if method == Method::HEAD { String::new() } else { Value::Object(body).to_string() };
        *response.body_mut() = text.into();
        response.headers_mut().remove(header::CONTENT_LENGTH);
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

impl From<EditRefused> for Problem {
    fn from(why: EditRefused) -> Self {
        match why {
            EditRefused::Pending => Self::Pending,
            EditRefused::Disconnected => Self::Disconnected,
            EditRefused::Changed => Self::PreconditionFailed,
        }
    }
}

/// What serde says of a text in a wrong place, without the text: it may be a token.
fn without_values(what: &str) -> String {
    let value = what.find("string \"").zip(what.rfind("\", expected"));
    value.map_or_else(|| what.to_owned(), |(begin, end)| format!("{}string{}", &what[..begin], &what[end + 1..]))
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let text = rejection.body_text();
        // Without the name of the library's step.
        let what = text.strip_prefix("Failed to deserialize the JSON body into the target type: ");
        let what = what.or_else(|| text.strip_prefix("Failed to parse the request body as JSON: ")).unwrap_or(&text);
        Self::BadRequest(format!("The body is not valid: {}.", without_values(what)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_not_repeated() {
        for (said, left) in [
            (
                "rejected_version: invalid type: string \"TTP_x\", expected u64 at line 1 column 9",
                "rejected_version: invalid type: string, expected u64 at line 1 column 9",
            ),
            (
                "confirm: invalid type: string \"a\", expected \"b\", expected a boolean",
                "confirm: invalid type: string, expected a boolean",
            ),
            ("missing field `account_id` at line 1 column 2", "missing field `account_id` at line 1 column 2"),
        ] {
            assert_eq!(without_values(said), left);
        }
    }
}
