//! Invoking functions through the Lambda API.

use std::{io, time::Duration};

use axum::{
    http::{StatusCode, header},
    response::Response,
};
use serde_json::Value;

use super::answer::refusal;

#[derive(Clone, Debug)]
pub(super) struct Functions {
    endpoint: String,
    client: reqwest::Client,
}

/// Why there is no output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The function failed, or cannot be invoked at all.
    Failed,
    /// It took too long, or too many are running.
    Unavailable,
}

impl Failure {
    pub(super) fn refusal(&self) -> Response {
        match self {
            Self::Failed => refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::Unavailable => refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

impl Functions {
    /// # Errors
    /// When there can be no HTTP client.
    pub(super) fn new(endpoint: String, timeout: Duration) -> io::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(timeout).build();
        Ok(Self { endpoint, client: client.map_err(io::Error::other)? })
    }

    pub(super) fn move_to(&mut self, endpoint: &str) {
        endpoint.clone_into(&mut self.endpoint);
    }

    /// # Errors
    /// When the function gave no output.
    pub(super) async fn invoke(&self, function: &str, event: &Value) -> Result<Vec<u8>, Failure> {
        let endpoint = self.endpoint.trim_end_matches('/');
        let answer = self
            .client
            .post(format!("{endpoint}/2015-03-31/functions/{function}/invocations"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(event.to_string())
            .send()
            .await
            .map_err(|error| Failure::of(&error))?;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Unavailable);
        }
        // The header is Lambda's way of saying that the function failed, a 500 cargo-lambda's.
        if !answer.status().is_success() || answer.headers().contains_key("x-amz-function-error") {
            return Err(Failure::Failed);
        }
        answer.bytes().await.map(Vec::from).map_err(|error| Failure::of(&error))
    }
}

impl Failure {
    fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() { Self::Unavailable } else { Self::Failed }
    }
}
