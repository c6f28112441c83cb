//! One HTTP client for all marketplaces, and answers without the URLs that they came from: TikTok Shop's token calls
//! carry app secret and refresh token in the query.

use std::time::{Duration, Instant};

pub use reqwest::Method;

use crate::{connection::Fault, metrics, names::MarketplaceName};

/// Longest time for one call, all in all. With the wait for a put permit it ends far inside a claim's three quarters.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest time to a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// More than any token answer has; a vault keeps 64 KiB at most.
const LONGEST_BODY: usize = 256 * 1024;

/// The client: no redirects, no retries (an ambiguous failure may have spent a refresh token), and no idle
/// connections, which a frozen Lambda container would find dead.
///
/// # Errors
/// If TLS cannot be set up.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .timeout(CALL_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .https_only(false)
        .user_agent(concat!("shop-keyring/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// An answer as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct RawAnswer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<i64>,
    /// The body. May hold tokens.
    pub body: Vec<u8>,
}

/// A call that brought no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// It never left: no connection.
    NotSent(Fault),
    /// It may have had its effect.
    MaybeSent(Fault),
}

/// Sends a request and reads the whole answer. `call` is what the metrics call it.
///
/// # Errors
/// [`NoAnswer`], by whether the request may have had an effect.
pub async fn send(
    marketplace: MarketplaceName,
    call: &'static str,
    request: reqwest::RequestBuilder,
) -> Result<RawAnswer, NoAnswer> {
    let started = Instant::now();
    let answer = send_and_read(request).await;
    metrics::marketplace_call(marketplace, call, started.elapsed());
    answer
}

async fn send_and_read(request: reqwest::RequestBuilder) -> Result<RawAnswer, NoAnswer> {
    let mut response = request.send().await.map_err(|error| no_answer(&error))?;
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .filter(|seconds| *seconds >= 0);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(&error))? {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Err(NoAnswer::MaybeSent(transport_fault("the answer is too long")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(RawAnswer { status, retry_after, body })
}

/// Of the error only its kind is told: its text carries the URL.
fn no_answer(error: &reqwest::Error) -> NoAnswer {
    if error.is_builder() || error.is_connect() {
        NoAnswer::NotSent(transport_fault("no connection to the marketplace"))
    } else if error.is_timeout() {
        NoAnswer::MaybeSent(transport_fault("the marketplace did not answer in time"))
    } else {
        NoAnswer::MaybeSent(transport_fault("the connection to the marketplace broke"))
    }
}

fn transport_fault(message: &str) -> Fault {
    Fault { message: message.to_owned(), code: None, request_id: None }
}
