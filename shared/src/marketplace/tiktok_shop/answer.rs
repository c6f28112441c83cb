//! What the token host's responses mean: one table, pure.
//!
//! Errors come as HTTP 200 with a code. A code that is not known to be permanent is transient: no connection is
//! given up on it. The platform's own texts are read but never passed on, for they may repeat what was sent.

use serde::Deserialize;

use super::texts::{names_the_ip_list, plain};
use crate::{
    connection::{Fault, Purpose, end::AuthorizationEnd},
    marketplace::{
        Authorizer, ExchangeError, Granted, NewTokens, Seller, TransientCause,
        expiry::{Expiry, YEAR, lenient_expiry},
        http::{NoAnswer, RawAnswer},
        lenient::{lenient, lenient_name, lenient_request_id, object, object_of},
    },
    secret::Secret,
    time::Timestamp,
};

/// Which call was answered: a code that is permanent for one says nothing of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `token/get`
    ExchangeCode,
    /// `token/refresh`
    Refresh,
}

/// The `data` of a success. Only the access token is insisted on: whatever else a success lacks, it was obtained
/// once, and is kept before anything is judged.
#[derive(Debug, Deserialize)]
pub struct Data {
    access_token: Secret,
    #[serde(default, deserialize_with = "lenient")]
    refresh_token: Option<Secret>,
    /// Absolute Unix seconds, in spite of its name.
    #[serde(default, deserialize_with = "lenient_expiry")]
    access_token_expire_in: Option<Expiry>,
    /// Absolute Unix seconds, in spite of its name; years from 2122 on have been seen.
    #[serde(default, deserialize_with = "lenient_expiry")]
    refresh_token_expire_in: Option<Expiry>,
    #[serde(default, deserialize_with = "lenient")]
    open_id: Option<String>,
    #[serde(default, deserialize_with = "lenient_name")]
    seller_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    seller_base_region: Option<String>,
    /// 0 seller, 1 creator, 3 partner, 4 and 5 sellers of Global Selling; as a number or as text.
    #[serde(default)]
    user_type: Option<serde_json::Value>,
    #[serde(default, deserialize_with = "lenient")]
    granted_scopes: Option<Vec<String>>,
    /// What one version of the platform's documentation calls the scopes.
    #[serde(default, deserialize_with = "lenient")]
    granted_permissions: Option<Vec<String>>,
}

impl Data {
    /// The tokens of a response that arrived at `now`.
    pub fn tokens(self, now: Timestamp) -> NewTokens {
        let end = |expiry: Expiry| expiry.of_authorization(now);
        NewTokens {
            access_token: self.access_token,
            refresh_token: self.refresh_token.filter(|token| !token.is_empty()),
            access_expires_at: self.access_token_expire_in.and_then(|expiry| expiry.of_access_token(now, YEAR)),
            authorization_end: self.refresh_token_expire_in.map_or(AuthorizationEnd::Missing, end),
            scopes: self.granted_scopes.or(self.granted_permissions),
        }
    }

    /// The tokens of a response that arrived at `now`, and who they belong to.
    ///
    /// # Errors
    /// If the answer names no seller in a form that can be stored: an unknown outcome, for the code is spent.
    pub fn granted(mut self, now: Timestamp) -> Result<Granted, ExchangeError> {
        if !self.user_type.as_ref().is_none_or(is_seller) {
            return Ok(Granted { tokens: self.tokens(now), seller: Authorizer::Other });
        }
        let unnamed = || ExchangeError::OutcomeUnknown {
            fault: fault("the answer names no seller", None, None),
            retry_after: None,
        };
        let seller = Authorizer::Seller(Seller {
            id: self.open_id.take().and_then(|id| id.parse().ok()).ok_or_else(unnamed)?,
            name: self.seller_name.take(),
            base_region: self.seller_base_region.take(),
            purpose: Purpose::All,
            shops: None,
        });
        Ok(Granted { tokens: self.tokens(now), seller })
    }
}

/// Whether this `user_type` is a seller's.
fn is_seller(user_type: &serde_json::Value) -> bool {
    let number = user_type.as_i64().or_else(|| user_type.as_str()?.trim().parse().ok());
    user_type.is_null() || matches!(number, Some(0 | 4 | 5))
}

#[derive(Deserialize)]
struct Envelope {
    code: i64,
    #[serde(default, deserialize_with = "lenient")]
    message: Option<String>,
    #[serde(default, deserialize_with = "lenient_request_id")]
    request_id: Option<String>,
    #[serde(default)]
    data: Option<serde_json::Value>,
}

/// What came of a call.
///
/// # Errors
/// By what to do next: [`ExchangeError`].
pub fn meaning(call: Call, answer: Result<RawAnswer, NoAnswer>) -> Result<Data, ExchangeError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(NoAnswer::NotSent(fault)) => {
            return Err(ExchangeError::Transient { fault, retry_after: None, cause: TransientCause::Outage });
        }
        Err(NoAnswer::MaybeSent(fault)) => return Err(ExchangeError::OutcomeUnknown { fault, retry_after: None }),
    };
    let RawAnswer { status, retry_after, body } = answer;
    let http_code = Some(format!("http_{status}"));
    let envelope = object::<Envelope>(&body);
    if refuses_our_address(envelope.as_ref(), &body) {
        let code = envelope.as_ref().map(|envelope| envelope.code.to_string()).or(http_code);
        return Err(ExchangeError::Configuration {
            fault: fault(IP_NOT_LISTED, code, envelope.and_then(|envelope| envelope.request_id)),
        });
    }
    if status == 429 {
        let fault = fault("the marketplace's rate limit is reached", http_code, None);
        return Err(ExchangeError::Transient { fault, retry_after, cause: TransientCause::RateLimited });
    }
    if status >= 500 {
        let fault = fault("internal error at the marketplace", http_code, None);
        return Err(ExchangeError::OutcomeUnknown { fault, retry_after });
    }
    let Some(Envelope { code, message, request_id, data }) = envelope else {
        // Half an answer to a successful exchange looks like this too.
        let fault = fault("the marketplace's answer cannot be read", http_code, None);
        return Err(ExchangeError::OutcomeUnknown { fault, retry_after });
    };
    if code == 0 {
        let data: Option<Data> = data.and_then(object_of);
        let data = data.filter(|data| !data.access_token.is_empty());
        return data.ok_or_else(|| ExchangeError::OutcomeUnknown {
            fault: fault("the marketplace's answer holds no token", Some("0".into()), request_id),
            retry_after: None,
        });
    }
    Err(error(call, code, &message.unwrap_or_default(), request_id.as_ref(), retry_after))
}

/// What an operator reads whose function's address is not on the app's list.
pub(super) const IP_NOT_LISTED: &str = "our IP address is not on the app's list at the marketplace";

/// Whether a response refuses our IP address: it says so in words, under any code and any HTTP status, and not always in
/// JSON.
fn refuses_our_address(envelope: Option<&Envelope>, body: &[u8]) -> bool {
    match envelope {
        Some(Envelope { code: 0, .. }) => false,
        Some(Envelope { message, .. }) => message.as_deref().is_some_and(names_the_ip_list),
        None => str::from_utf8(body).is_ok_and(names_the_ip_list),
    }
}

/// The table of codes.
fn error(call: Call, code: i64, message: &str, request_id: Option<&String>, retry_after: Option<i64>) -> ExchangeError {
    let say = |words: &str| fault(words, Some(code.to_string()), request_id.cloned());
    match (code, call) {
        (36_004_004, Call::ExchangeCode) => {
            ExchangeError::Refused { refused: say("the authorization code is invalid, used or expired").into() }
        }
        (36_004_005, _) => {
            ExchangeError::Refused { refused: say("no such authorization: the seller must authorize again").into() }
        }
        // At the exchange of a code its meaning is in doubt.
        (36_004_001, Call::Refresh) => ExchangeError::Refused {
            refused: say("the refresh token has expired: the seller must authorize again").into(),
        },
        (36_009_002, _) => ExchangeError::Transient {
            fault: say("the marketplace's rate limit is reached"),
            retry_after,
            cause: TransientCause::RateLimited,
        },
        (36_009_003 | 36_009_007, _) => {
            ExchangeError::OutcomeUnknown { fault: say("internal error at the marketplace"), retry_after }
        }
        (36_009_033, _) => ExchangeError::Configuration { fault: say(IP_NOT_LISTED) },
        (36_009_004, _) if names_what_was_sent(call, message) => ExchangeError::Refused {
            refused: say("the marketplace does not know what was sent as a token of this app").into(),
        },
        (36_009_004, _) => ExchangeError::Configuration { fault: say(configuration_words(message)) },
        _ => ExchangeError::Transient {
            fault: say("the marketplace answered with an unknown code"),
            retry_after,
            cause: TransientCause::Other,
        },
    }
}

/// 36009004 means many things; only a text that names the refresh token or the code speaks of the seller's.
fn names_what_was_sent(call: Call, message: &str) -> bool {
    let message = plain(message);
    match call {
        Call::ExchangeCode => message.contains("auth code"),
        Call::Refresh => message.contains("refresh token"),
    }
}

fn configuration_words(message: &str) -> &'static str {
    let message = plain(message);
    if message.contains("app key") {
        "the marketplace does not know the app key: check the app's secret in Secrets Manager"
    } else if message.contains("app secret") {
        "the app secret is wrong: check the app's secret in Secrets Manager"
    } else if message.contains("timestamp") {
        "the marketplace rejects our clock"
    } else {
        "the marketplace rejects the request's parameters: check the app's secret in Secrets Manager"
    }
}

fn fault(message: &str, code: Option<String>, request_id: Option<String>) -> Fault {
    Fault { message: message.to_owned(), code, request_id }
}

#[cfg(test)]
mod tests;
