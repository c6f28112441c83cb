//! What the router's answers mean: one table, pure.
//!
//! Errors come as HTTP 200 with an `errorCode`. A code that is not known to be permanent is transient: no connection is
//! given up on it. The platform's own texts are never passed on, for they may repeat what was sent.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    router::Family,
    token::{MallType, Token},
};
use crate::{
    connection::{Fault, Reason, end::AuthorizationEnd, settle::Refused},
    health::Host,
    marketplace::{
        ExchangeError, TransientCause,
        expiry::{Expiry, lenient_expiry},
        http::{NoAnswer, RawAnswer},
        lenient::{lenient, lenient_name, lenient_request_id, object, object_of},
    },
    names::SellerId,
    secret::Secret,
    time::Timestamp,
};

/// The `errorCode` of a success.
const SUCCESS: i64 = 1_000_000;

/// Why a token or a code is no good, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// No such token at this router, or none at all.
    Unknown,
    /// It was issued for another app.
    OtherApp,
    /// It has ended, or a newer one took its place.
    ExpiredOrReplaced,
    /// The seller does not authorize the app any more.
    NotAuthorized,
    /// The seller did not grant the call.
    CallNotGranted,
    /// The authorization code was used, has expired or is not this app's.
    CodeInvalid,
}

impl Rejection {
    /// What it means for a connection that had worked.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Unknown | Self::NotAuthorized => Reason::Deauthorized,
            Self::ExpiredOrReplaced => Reason::Replaced,
            Self::CallNotGranted => Reason::PermissionsMissing,
            Self::OtherApp | Self::CodeInvalid => Reason::Refused,
        }
    }
}

/// Why a call gave nothing, named by what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// What was sent is no good.
    #[error("rejected: {fault}")]
    Rejected {
        /// Why.
        rejection: Rejection,
        /// What it said.
        fault: Fault,
    },
    /// The vendor's own configuration is wrong; no seller is to blame.
    #[error("our configuration is wrong: {fault}")]
    Configuration {
        /// What it said.
        fault: Fault,
    },
    /// Try later; nothing happened.
    #[error("Temu cannot answer now: {fault}")]
    Transient {
        /// What it said.
        fault: Fault,
        /// Seconds that it asked to wait.
        retry_after: Option<i64>,
        /// Why it is expected to pass.
        cause: TransientCause,
    },
    /// Try later; what was asked for may have happened.
    #[error("the outcome is unknown: {fault}")]
    OutcomeUnknown {
        /// What is known.
        fault: Fault,
        /// Seconds that it asked to wait.
        retry_after: Option<i64>,
    },
    /// Try later: the router that was asked sent on to another one, which gave no answer.
    #[error("{host} gives no answer: {fault}")]
    NoAnswerFrom {
        /// The other router's host.
        host: Host,
        /// What is known.
        fault: Fault,
    },
}

impl CallError {
    /// What went wrong, for the log.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Rejected { fault, .. }
            | Self::Configuration { fault }
            | Self::Transient { fault, .. }
            | Self::NoAnswerFrom { fault, .. }
            | Self::OutcomeUnknown { fault, .. } => fault,
        }
    }

    /// No answer in the time that there was.
    pub(super) fn late() -> Self {
        Self::OutcomeUnknown { fault: fault("Temu did not answer in time", None, None), retry_after: None }
    }

    /// A router that is left alone at present.
    pub(super) fn not_called(host: Host) -> Self {
        Self::NoAnswerFrom { host, fault: fault("it did not respond lately and is not called now", None, None) }
    }

    /// An app that no router serves, which the configuration does not let pass.
    pub(super) fn no_router() -> Self {
        Self::Configuration { fault: fault("no router serves the app", None, None) }
    }

    /// A success that does not say whose the token is.
    pub(super) fn without_mall() -> Self {
        let fault = fault("Temu's answer names no mall", None, None);
        Self::Transient { fault, retry_after: None, cause: TransientCause::Other }
    }

    /// A success that holds no token.
    pub(super) fn without_token() -> Self {
        Self::OutcomeUnknown { fault: fault("Temu's answer holds no token", None, None), retry_after: None }
    }
}

impl From<CallError> for ExchangeError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rejected { rejection, fault } => {
                Self::Refused { refused: Refused { fault, reason: rejection.reason(), scopes: None } }
            }
            CallError::Configuration { fault } => Self::Configuration { fault },
            CallError::Transient { fault, retry_after, cause } => Self::Transient { fault, retry_after, cause },
            CallError::NoAnswerFrom { host, fault } => Self::NoAnswerFrom { host, fault },
            CallError::OutcomeUnknown { fault, retry_after } => Self::OutcomeUnknown { fault, retry_after },
        }
    }
}

/// The result of `bg.open.accesstoken.create`.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    #[serde(rename = "accessToken", default, deserialize_with = "lenient")]
    pub(super) access_token: Option<Secret>,
    /// What it may tell of that token.
    #[serde(flatten)]
    pub(super) info: Info,
    /// A token for each mall, where the seller has several.
    #[serde(rename = "associatedMallTokenList", default, deserialize_with = "each_readable")]
    pub(super) associated: Vec<Associated>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Associated {
    #[serde(rename = "mallId", default)]
    mall_id: Option<Value>,
    #[serde(rename = "accessToken")]
    pub(super) access_token: Secret,
}

impl Associated {
    /// The mall that the token is for, as the answer says.
    pub(super) fn mall(&self) -> Option<SellerId> {
        self.mall_id.as_ref().and_then(mall)
    }
}

/// A mall's id, as a number or as a string. A number that JSON readers round would be another mall's.
fn mall(id: &Value) -> Option<SellerId> {
    match id {
        Value::Number(id) => id.as_u64()?.to_string().parse().ok(),
        Value::String(id) => id.parse().ok(),
        _ => None,
    }
}

/// The result of `bg.open.accesstoken.info.get`, read leniently: gateways differ.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    #[serde(default)]
    mall_id: Option<Value>,
    /// What some gateways call the mall's id.
    #[serde(default)]
    unique_id: Option<Value>,
    /// Only some gateways give it.
    #[serde(default, deserialize_with = "lenient_name")]
    mall_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    mall_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    region_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient_expiry")]
    expired_time: Option<Expiry>,
    #[serde(default, deserialize_with = "lenient")]
    api_scope_list: Option<Vec<String>>,
    /// What some gateways call the list of calls.
    #[serde(default, deserialize_with = "lenient")]
    api_list: Option<Vec<String>>,
}

impl Info {
    /// The token that a response of `now` tells of; `listed` is its mall where another part of the response names one. `None`
    /// if nothing names a mall.
    pub(super) fn token(self, listed: Option<SellerId>, now: Timestamp) -> Option<Token> {
        let mall = [self.mall_id, self.unique_id].iter().flatten().find_map(mall).or(listed)?;
        Some(Token {
            mall,
            mall_name: self.mall_name,
            mall_type: match self.mall_type {
                Some(1) => MallType::CrossBorder,
                Some(100) => MallType::Local,
                _ => MallType::Unknown,
            },
            region_id: self.region_id,
            end: self.expired_time.map_or(AuthorizationEnd::Missing, |end| end.of_authorization(now)),
            scopes: self.api_scope_list.or(self.api_list),
            is_partial: false,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    #[serde(default, deserialize_with = "lenient")]
    success: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    error_code: Option<i64>,
    #[serde(default, deserialize_with = "lenient_request_id")]
    request_id: Option<String>,
    #[serde(default)]
    result: Option<Value>,
}

/// The result of a call to a router of this family.
///
/// # Errors
/// By what to do next: [`CallError`].
pub(super) fn meaning<T: DeserializeOwned>(
    family: Family,
    answer: Result<RawAnswer, NoAnswer>,
) -> Result<T, CallError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(NoAnswer::NotSent(fault)) => {
            return Err(CallError::Transient { fault, retry_after: None, cause: TransientCause::Outage });
        }
        Err(NoAnswer::MaybeSent(fault)) => return Err(CallError::OutcomeUnknown { fault, retry_after: None }),
    };
    let RawAnswer { status, retry_after, body } = answer;
    let http_code = Some(format!("http_{status}"));
    if status == 429 {
        let fault = fault("Temu's rate limit is reached", http_code, None);
        return Err(CallError::Transient { fault, retry_after, cause: TransientCause::RateLimited });
    }
    if status >= 500 {
        let fault = fault("internal error at Temu", http_code, None);
        return Err(CallError::OutcomeUnknown { fault, retry_after });
    }
    let Some(Envelope { success, error_code, request_id, result }) = object(&body) else {
        let fault = fault("Temu's answer cannot be read", http_code, None);
        return Err(CallError::OutcomeUnknown { fault, retry_after });
    };
    match (success, error_code) {
        (Some(true), None | Some(SUCCESS)) | (None, Some(SUCCESS)) => {
            result.and_then(object_of).ok_or_else(CallError::without_token)
        }
        (_, Some(code)) => Err(match family {
            Family::Regional => regional_error(code, request_id, retry_after),
            Family::CrossBorder => cross_border_error(code, request_id, retry_after),
        }),
        _ => {
            let fault = fault("Temu's answer cannot be read", http_code, request_id);
            Err(CallError::OutcomeUnknown { fault, retry_after })
        }
    }
}

/// The codes of US, EU and GLOBAL.
fn regional_error(code: i64, request_id: Option<String>, retry_after: Option<i64>) -> CallError {
    let say = |words: &str| fault(words, Some(code.to_string()), request_id);
    match code {
        3_000_030 | 3_000_031 => rejected(Rejection::Unknown, say(UNKNOWN_TOKEN)),
        3_000_032 => rejected(Rejection::CallNotGranted, say(NOT_GRANTED)),
        3_000_033 => rejected(Rejection::OtherApp, say(OTHER_APP)),
        3_000_034 => rejected(Rejection::ExpiredOrReplaced, say("the token has ended or was replaced by a newer one")),
        5_000_000 => rejected(Rejection::NotAuthorized, say("the seller does not authorize the app any more")),
        110_020_002 | 110_020_003 => {
            rejected(Rejection::CodeInvalid, say("the authorization code is invalid, used or expired"))
        }
        3_000_001 | 3_000_040 => configuration(say(BAD_SIGN)),
        3_000_003 => configuration(say(UNKNOWN_CALL)),
        3_000_004 => configuration(say("Temu has withdrawn the call: a newer release is needed")),
        3_000_010..=3_000_012 => configuration(say(BAD_CLOCK)),
        3_000_013 | 3_000_014 => configuration(say(BAD_DATA_TYPE)),
        3_000_019 | 3_000_020 | 3_000_025 | 3_000_026 => configuration(say(
            "this router does not know the app key: check the app's secret in Secrets Manager and `routers`",
        )),
        3_000_021 | 3_000_027 => configuration(say("the app may not use this call: ask for it at Temu")),
        3_000_022 | 3_000_028 => configuration(say("Temu has suspended the app")),
        5_000_003 => configuration(say("our IP address is not on the app's list at Temu")),
        4_000_004 => CallError::Transient {
            fault: say("Temu's rate limit is reached"),
            retry_after,
            cause: TransientCause::RateLimited,
        },
        110_020_001 => CallError::Transient {
            fault: say("Temu could not make a token of the code"),
            retry_after,
            cause: TransientCause::Other,
        },
        4_000_000 => CallError::OutcomeUnknown { fault: say(INTERNAL), retry_after },
        _ => CallError::Transient { fault: say(UNKNOWN_CODE), retry_after, cause: TransientCause::Other },
    }
}

/// The codes of CN and PA.
fn cross_border_error(code: i64, request_id: Option<String>, retry_after: Option<i64>) -> CallError {
    let say = |words: &str| fault(words, Some(code.to_string()), request_id);
    match code {
        7_000_018 | 7_000_020 => rejected(Rejection::Unknown, say(UNKNOWN_TOKEN)),
        7_000_019 | 7_000_022 => rejected(Rejection::CallNotGranted, say(NOT_GRANTED)),
        7_000_006 => rejected(Rejection::OtherApp, say(OTHER_APP)),
        7_000_007 => rejected(Rejection::ExpiredOrReplaced, say("the token has ended")),
        7_000_000 | 7_000_002 | 7_000_003 | 7_000_008 | 7_000_014 => {
            configuration(say("a parameter that every call needs was missing: a proxy may have taken it away"))
        }
        7_000_005 => configuration(say(
            "the app may not use this call, or belongs to another partition: it must be one for cross-border products",
        )),
        7_000_010 | 7_000_011 => configuration(say(BAD_CLOCK)),
        7_000_013 => configuration(say(BAD_DATA_TYPE)),
        7_000_015 => configuration(say(BAD_SIGN)),
        7_000_016 => configuration(say(UNKNOWN_CALL)),
        1_000_005 => CallError::OutcomeUnknown { fault: say(INTERNAL), retry_after },
        _ => CallError::Transient { fault: say(UNKNOWN_CODE), retry_after, cause: TransientCause::Other },
    }
}

const UNKNOWN_TOKEN: &str = "Temu does not know the token";
const NOT_GRANTED: &str = "the seller did not grant this call";
const OTHER_APP: &str = "the token belongs to another app";
const BAD_SIGN: &str = "bad sign: check the app's secret in Secrets Manager";
const UNKNOWN_CALL: &str = "this router does not know the call: check `routers`";
const BAD_CLOCK: &str = "Temu rejects our clock";
const BAD_DATA_TYPE: &str = "Temu rejects the request's `data_type`";
const INTERNAL: &str = "internal error at Temu";
const UNKNOWN_CODE: &str = "Temu answered with an unknown code";

const fn rejected(rejection: Rejection, fault: Fault) -> CallError {
    CallError::Rejected { rejection, fault }
}

const fn configuration(fault: Fault) -> CallError {
    CallError::Configuration { fault }
}

fn fault(message: &str, code: Option<String>, request_id: Option<String>) -> Fault {
    Fault { message: message.to_owned(), code, request_id }
}

/// A list of which what cannot be read counts as absent.
fn each_readable<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: DeserializeOwned,
{
    let values: Option<Vec<Value>> = lenient(deserializer)?;
    Ok(values.unwrap_or_default().into_iter().filter_map(object_of).collect())
}

#[cfg(test)]
mod tests;
