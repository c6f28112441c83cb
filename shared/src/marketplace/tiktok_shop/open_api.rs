//! Calls to the open API: how one is signed and sent, and what the response's code means, whatever was asked.

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    TOKEN_HEADER,
    answer::IP_NOT_LISTED,
    sign::sign,
    texts::{names_the_access_token, names_the_ip_list},
};
use crate::{
    apps::App,
    connection::Fault,
    marketplace::{
        WebhookError,
        http::{self, NoAnswer, RawAnswer},
        lenient::{lenient, lenient_request_id, object},
    },
    names::MarketplaceName,
    secret::Secret,
    time::Timestamp,
};

/// Why a call gave nothing, named by what it says of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// Nothing: the host did not respond, or cannot work.
    Unreachable(Fault),
    /// Nothing: the app has made too many calls.
    RateLimited {
        /// What was said.
        fault: Fault,
        /// Seconds that the marketplace asked to wait.
        retry_after: Option<i64>,
    },
    /// Nothing: the marketplace did not respond as it should.
    Failed(Fault),
    /// Nothing: the calls that a sandbox shop has in an hour are used up.
    ShopRateLimited(Fault),
    /// Nothing: the shop or the seller is inactive.
    Inactive(Fault),
    /// The token does not work.
    TokenRefused(Fault),
    /// The vendor's configuration is wrong.
    Configuration(Fault),
}

impl CallError {
    /// Whom it concerns, where it kept webhooks from being registered.
    pub(super) fn of_webhooks(self) -> WebhookError {
        match self {
            Self::Unreachable(fault)
            | Self::RateLimited { fault, .. }
            | Self::Failed(fault)
            | Self::Configuration(fault) => WebhookError::App(fault),
            Self::ShopRateLimited(fault) | Self::Inactive(fault) | Self::TokenRefused(fault) => {
                WebhookError::Seller(fault)
            }
        }
    }

    /// What the marketplace said, for the log.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Unreachable(fault)
            | Self::RateLimited { fault, .. }
            | Self::Failed(fault)
            | Self::ShopRateLimited(fault)
            | Self::Inactive(fault)
            | Self::TokenRefused(fault)
            | Self::Configuration(fault) => fault,
        }
    }
}

/// A request without the parts that every call has.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) method: http::Method,
    pub(super) path: &'static str,
    /// The query, decoded.
    pub(super) parameters: &'a [(&'a str, &'a str)],
    /// JSON; empty for none.
    pub(super) body: &'a str,
}

/// Signs and sends a call, and reads the whole response.
///
/// # Errors
/// [`CallError::Unreachable`] if there is no response.
pub(super) async fn send(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    call: Call<'_>,
    now: Timestamp,
) -> Result<RawAnswer, CallError> {
    let timestamp = now.0.to_string();
    let mut parameters = vec![("app_key", app.app_key.as_str()), ("timestamp", timestamp.as_str())];
    parameters.extend_from_slice(call.parameters);
    let sign = sign(&app.app_secret, call.path, &parameters, call.body.as_bytes());
    parameters.push(("sign", &sign));
    let mut url = app.config.api.base_url.clone();
    url.set_path(call.path);
    let request = http.request(call.method, url).query(&parameters).header(TOKEN_HEADER, access_token.expose());
    let request = if call.body.is_empty() {
        request
    } else {
        request.header("content-type", "application/json").body(call.body.to_owned())
    };
    match http::send(MarketplaceName::TikTokShop, call.path, request).await {
        Ok(answer) => Ok(answer),
        Err(NoAnswer::NotSent(fault) | NoAnswer::MaybeSent(fault)) => Err(CallError::Unreachable(fault)),
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    code: i64,
    #[serde(default, deserialize_with = "lenient")]
    message: Option<String>,
    #[serde(default, deserialize_with = "lenient_request_id")]
    request_id: Option<String>,
    data: Option<T>,
}

/// What the response means: its `data`, if it has any.
///
/// # Errors
/// [`CallError`].
pub(super) fn read<T: DeserializeOwned>(answer: &RawAnswer) -> Result<Response<T>, CallError> {
    let by_status = |message: &str| {
        let code = Some(format!("http_{}", answer.status));
        Fault { message: message.to_owned(), code, request_id: None }
    };
    let Some(envelope) = object::<Envelope<T>>(&answer.body) else {
        return Err(match str::from_utf8(&answer.body) {
            Ok(text) if names_the_ip_list(text) => CallError::Configuration(by_status(IP_NOT_LISTED)),
            _ if is_in_trouble(answer.status) => in_trouble(answer, by_status(IN_TROUBLE)),
            _ => CallError::Failed(by_status("the open API's response is not in a known form")),
        });
    };
    let Envelope { code, message, request_id, data } = envelope;
    let message = message.unwrap_or_default();
    let fault =
        |words: &str| Fault { message: words.to_owned(), code: Some(code.to_string()), request_id: request_id.clone() };
    match (code, answer.status) {
        (0, _) => {}
        _ if names_the_ip_list(&message) => return Err(CallError::Configuration(fault(IP_NOT_LISTED))),
        (36_009_037, 429) => {
            return Err(CallError::ShopRateLimited(fault("the sandbox shop's calls of this hour are used up")));
        }
        _ => {}
    }
    if is_in_trouble(answer.status) {
        // Whatever else its body says: a gateway in trouble is no reason to doubt a token.
        return Err(in_trouble(answer, by_status(IN_TROUBLE)));
    }
    let failed = |words| Err(CallError::Failed(fault(words)));
    match code {
        0 => Ok(Response { data, request_id }),
        105_001 => Err(CallError::TokenRefused(fault("the access token is invalid"))),
        105_002 => Err(CallError::TokenRefused(fault("the access token has expired"))),
        105_005 => failed("the scope seller.authorization.info is missing: add it to the app"),
        101_000 => failed("wrong user type, or token and shop do not match"),
        106_001 => Err(CallError::Configuration(fault("bad sign: check the app secret"))),
        106_013 => failed("the shop's cipher is missing"),
        36_009_033 => Err(CallError::Configuration(fault(IP_NOT_LISTED))),
        36_009_043 => Err(CallError::Inactive(fault("the shop is inactive at the marketplace"))),
        36_009_044 => Err(CallError::Inactive(fault("the seller is inactive at the marketplace"))),
        36_009_004 if names_the_access_token(&message) => {
            Err(CallError::TokenRefused(fault("the marketplace does not know the access token")))
        }
        36_009_004 => Err(CallError::Configuration(fault("the open API rejects the request's parameters"))),
        _ => failed("the open API refused the request"),
    }
}

/// A response whose code says that the call succeeded.
#[derive(Debug)]
pub(super) struct Response<T> {
    pub(super) data: Option<T>,
    pub(super) request_id: Option<String>,
}

const IN_TROUBLE: &str = "the open API cannot answer now";

fn in_trouble(answer: &RawAnswer, fault: Fault) -> CallError {
    if answer.status == 429 {
        CallError::RateLimited { fault, retry_after: answer.retry_after }
    } else {
        CallError::Unreachable(fault)
    }
}

const fn is_in_trouble(status: u16) -> bool {
    status == 429 || status >= 500
}
