//! What differs between the services behind a front.

use std::{fmt, sync::Arc};

use axum::{
    body::Body,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::roles::Asked;

/// What a call is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) resource: Option<String>,
    pub(crate) keys: Vec<String>,
}

type ReadAsked = Arc<dyn Fn(&str, &str, &Value) -> Vec<Asked> + Send + Sync>;
type ReadSubject = Arc<dyn Fn(&str, &Value) -> Subject + Send + Sync>;

pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    /// The error types this service uses for what is its own fault and for too many calls.
    pub(crate) internal_error: &'static str,
    pub(crate) throttled: &'static str,
    /// Reads the subject out of an operation's input.
    pub(crate) subject: ReadSubject,
    /// Reads out of a path, an operation and its input what the caller must be allowed.
    pub(crate) asked: ReadAsked,
}

impl Service {
    pub(super) fn internal_error(&self) -> Response {
        self.error(StatusCode::INTERNAL_SERVER_ERROR, self.internal_error, "Internal failure (injected)")
    }

    pub(super) fn throttled(&self) -> Response {
        self.error(StatusCode::BAD_REQUEST, self.throttled, "Rate exceeded")
    }

    pub(super) fn refused(&self, error_type: &str) -> Response {
        self.error(StatusCode::BAD_REQUEST, error_type, "Refused (injected)")
    }

    /// With the status of `DynamoDB` and Secrets Manager; Lambda's would be 403.
    pub(super) fn denied(&self, message: &str) -> Response {
        self.error(StatusCode::BAD_REQUEST, "AccessDeniedException", message)
    }

    pub(super) fn garbage(&self) -> Response {
        ([(CONTENT_TYPE, self.content_type)], Body::from("<html>{\"this is\": not JSON")).into_response()
    }

    pub(super) fn error(&self, status: StatusCode, error_type: &str, message: &str) -> Response {
        let body = json!({ "__type": error_type, "message": message }).to_string();
        (status, [(CONTENT_TYPE, self.content_type)], Body::from(body)).into_response()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("name", &self.name).finish_non_exhaustive()
    }
}
