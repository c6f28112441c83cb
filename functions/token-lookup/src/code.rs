//! Every `code` that an error of this API can have, in one place: docs/errors.md, the contract and the end-to-end tests
//! are held against [`Code::ALL`].

use serde::Serialize;
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
    /// The keyring's own storage does not answer.
    StorageUnavailable,
}

impl Code {
    /// Every code. That none is missing is checked against the derived schema.
    pub const ALL: [Self; 14] = [
        Self::BadRequest,
        Self::PathNotCanonical,
        Self::NoIdentity,
        Self::RouteNotFound,
        Self::MethodNotAllowed,
        Self::ConnectionNotFound,
        Self::SessionNotFound,
        Self::ResultNotFound,
        Self::NothingToConfirm,
        Self::Pending,
        Self::ReauthorizationRequired,
        Self::Disconnected,
        Self::RefreshFailed,
        Self::StorageUnavailable,
    ];

    /// The `title` that belongs to it (RFC 9457): the same for every occurrence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is not in order",
            Self::PathNotCanonical => "The path is not in its one form",
            Self::NoIdentity => "No IAM identity",
            Self::RouteNotFound => "No such route",
            Self::MethodNotAllowed => "The route does not take this method",
            Self::ConnectionNotFound => "No such connection",
            Self::SessionNotFound => "No such connect session",
            Self::ResultNotFound => "No such result in this connect session",
            Self::NothingToConfirm => "Nothing to confirm",
            Self::Pending => "The connection waits for confirmation",
            Self::ReauthorizationRequired => "The seller has to authorize again",
            Self::Disconnected => "The connection was ended",
            Self::RefreshFailed => "The token could not be renewed",
            Self::StorageUnavailable => "The keyring's storage does not answer",
        }
    }

    /// A problem with this code, as an example.
    pub fn example(self) -> Problem {
        match self {
            Self::BadRequest => Problem::BadRequest("`min_ttl` must be 0 to 86400 seconds.".into()),
            Self::PathNotCanonical => Problem::PathNotCanonical,
            Self::NoIdentity => Problem::NoIdentity,
            Self::RouteNotFound => Problem::RouteNotFound,
            Self::MethodNotAllowed => Problem::MethodNotAllowed,
            Self::ConnectionNotFound => Problem::ConnectionNotFound,
            Self::SessionNotFound => Problem::SessionNotFound,
            Self::ResultNotFound => Problem::ResultNotFound,
            Self::NothingToConfirm => Problem::NothingToConfirm(grant::NothingToConfirm.to_string()),
            Self::Pending => Problem::Pending,
            Self::ReauthorizationRequired => Problem::ReauthorizationRequired(Reason::AuthorizationExpired),
            Self::Disconnected => Problem::Disconnected,
            Self::RefreshFailed => Problem::RefreshFailed { retry_after: 90 },
            Self::StorageUnavailable => Problem::StorageUnavailable,
        }
    }
}

impl Problem {
    /// Which code it has.
    pub const fn code(&self) -> Code {
        match self {
            Self::BadRequest(_) => Code::BadRequest,
            Self::PathNotCanonical => Code::PathNotCanonical,
            Self::NoIdentity => Code::NoIdentity,
            Self::RouteNotFound => Code::RouteNotFound,
            Self::MethodNotAllowed => Code::MethodNotAllowed,
            Self::ConnectionNotFound => Code::ConnectionNotFound,
            Self::SessionNotFound => Code::SessionNotFound,
            Self::ResultNotFound => Code::ResultNotFound,
            Self::NothingToConfirm(_) => Code::NothingToConfirm,
            Self::Pending => Code::Pending,
            Self::ReauthorizationRequired(_) => Code::ReauthorizationRequired,
            Self::Disconnected => Code::Disconnected,
            Self::RefreshFailed { .. } => Code::RefreshFailed,
            Self::StorageUnavailable => Code::StorageUnavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
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
            assert_eq!(body["code"], json!(code));
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
