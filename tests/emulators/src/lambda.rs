//! The API by which functions invoke functions: whatever runs them, such as cargo-lambda, behind a [`Front`].
//!
//! A function may have a reserved concurrency, which is a limit as in AWS: an invocation beyond it gets 429 at once, and
//! nothing of it begins.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

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
    concurrency: Concurrency,
}

#[derive(Clone, Debug)]
struct Behind {
    url: String,
    client: reqwest::Client,
    concurrency: Concurrency,
}

/// The invocations under way and their limits, by the function's name.
#[derive(Clone, Debug, Default)]
struct Concurrency(Arc<Mutex<BTreeMap<String, Slots>>>);

#[derive(Debug, Default)]
struct Slots {
    taken: usize,
    most_taken: usize,
    limit: Option<usize>,
}

/// One invocation under way.
struct Slot {
    of: Concurrency,
    function: String,
}

impl Concurrency {
    fn take(&self, function: &str) -> Option<Slot> {
        let mut functions = self.lock();
        let slots = functions.entry(function.to_owned()).or_default();
        if slots.limit.is_some_and(|limit| slots.taken >= limit) {
            return None;
        }
        slots.taken += 1;
        slots.most_taken = slots.most_taken.max(slots.taken);
        Some(Slot { of: self.clone(), function: function.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Slots>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = self.of.lock().get_mut(&self.function) {
            slots.taken -= 1;
        }
    }
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
        let concurrency = Concurrency::default();
        let behind = Behind { url, client, concurrency: concurrency.clone() };
        let router = front.before(Router::new().fallback(pass_on).with_state(behind));
        Ok(Self { server: Server::start(address, router).await?, front, concurrency })
    }

    /// Reserves concurrency for a function: from now on no more of its invocations run at a time. `None` reserves none.
    pub fn reserve_concurrency(&self, function: &str, limit: Option<usize>) {
        self.concurrency.lock().entry(function.to_owned()).or_default().limit = limit;
    }

    /// How many invocations of a function have run at a time at most.
    pub fn most_at_a_time(&self, function: &str) -> usize {
        self.concurrency.lock().get(function).map_or(0, |slots| slots.most_taken)
    }

    /// How many invocations of a function are running, also those whose caller has gone.
    pub fn running(&self, function: &str) -> usize {
        self.concurrency.lock().get(function).map_or(0, |slots| slots.taken)
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
    let name = function(path);
    let operation = if operation == "Invoke" { "InvokeFunction" } else { operation };
    Asked::new("lambda", operation, &format!("function:{name}"))
}

fn function(path: &str) -> &str {
    path.split('/').nth(3).unwrap_or_default()
}

/// As Lambda answers at a function's reserved concurrency.
fn throttled() -> Response {
    let body = json!({
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "Type": "User", "message": "Rate Exceeded.",
    });
    let headers =
        [(header::CONTENT_TYPE.as_str(), "application/json"), ("x-amzn-errortype", "TooManyRequestsException")];
    (StatusCode::TOO_MANY_REQUESTS, headers, body.to_string()).into_response()
}

async fn pass_on(State(behind): State<Behind>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_PAYLOAD).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Some(_slot) = behind.concurrency.take(function(parts.uri.path())) else { return throttled() };
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
