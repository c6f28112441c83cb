//! The API by which functions invoke functions: whatever runs them, such as cargo-lambda, behind a [`Front`].

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    front::{Front, Service, Subject},
    roles::Asked,
    server::Server,
};

/// Lambda takes 6 MiB.
const LARGEST_PAYLOAD: usize = 6 * 1024 * 1024;

/// A running API. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Lambda {
    server: Server,
    front: Front,
}

#[derive(Clone, Debug)]
struct Behind {
    url: String,
    client: reqwest::Client,
}

impl Lambda {
    /// Starts in front of the API at this URL.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(address: SocketAddr, url: String) -> io::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)?;
        let front = Front::new(Service {
            name: "lambda",
            content_type: "application/json",
            internal_error: "ServiceException",
            throttled: "TooManyRequestsException",
            subject: Arc::new(|_, payload| subject(payload)),
            asked: Arc::new(|path, operation, _| vec![asked(path, operation)]),
        });
        let router = front.before(Router::new().fallback(pass_on).with_state(Behind { url, client }));
        Ok(Self { server: Server::start(address, router).await?, front })
    }

    /// What stands before it: log, faults, pause points.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Where it listens, as the SDK's `endpoint_url` wants it.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

/// The connection that a refresh on demand is for.
fn subject(payload: &Value) -> Subject {
    Subject { resource: None, keys: payload["connection"].as_str().map(str::to_owned).into_iter().collect() }
}

/// As in `/2015-03-31/functions/NAME/invocations`. The action of an invocation is `InvokeFunction`.
fn asked(path: &str, operation: &str) -> Asked {
    let name = path.split('/').nth(3).unwrap_or_default();
    let operation = if operation == "Invoke" { "InvokeFunction" } else { operation };
    Asked::new("lambda", operation, &format!("function:{name}"))
}

async fn pass_on(State(behind): State<Behind>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_PAYLOAD).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let answer = behind.client.request(parts.method, format!("{}{}", behind.url, parts.uri)).body(body).send().await;
    let Ok(answer) = answer else { return StatusCode::BAD_GATEWAY.into_response() };
    let (mut status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
    // A function that fails is no failure of Lambda's: cargo-lambda does not tell the two apart.
    if status.is_server_error() && is_error_of_function(&body) {
        status = StatusCode::OK;
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    (status, headers, Body::from(body)).into_response()
}

fn is_error_of_function(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("errorType").is_some())
}
