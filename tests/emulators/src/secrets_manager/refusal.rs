//! The errors of the API.

use axum::http::StatusCode;

/// A call that the service refuses. The message never quotes a secret value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    InvalidParameter,
    InvalidRequest,
    LimitExceeded,
    ResourceExists,
    ResourceNotFound,
    Serialization,
    UnknownOperation,
    /// Raised before the service proper, by the check of the input against the API's model.
    Validation,
}

impl Kind {
    pub(super) fn error_type(self) -> &'static str {
        match self {
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidRequest => "InvalidRequestException",
            Self::LimitExceeded => "LimitExceededException",
            Self::ResourceExists => "ResourceExistsException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Serialization => "SerializationException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::Validation => "ValidationException",
        }
    }

    pub(super) const fn status() -> StatusCode {
        // Also where something is not found: the JSON protocol knows no 404.
        StatusCode::BAD_REQUEST
    }
}

impl Refusal {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidParameter, message)
    }

    pub(super) fn no_secret() -> Self {
        Self::new(Kind::ResourceNotFound, "Secrets Manager can't find the specified secret.")
    }

    pub(super) fn no_value(what: &str) -> Self {
        let message = format!("Secrets Manager can't find the specified secret value for {what}");
        Self::new(Kind::ResourceNotFound, message)
    }

    pub(super) fn deleted() -> Self {
        Self::new(
            Kind::InvalidRequest,
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    }
}
