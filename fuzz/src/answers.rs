//! A marketplace's answer as an input: the HTTP status on the first line, then the body.

use serde_json::Value;
use shop_keyring::{
    connection::Fault,
    marketplace::{NewTokens, http::RawAnswer},
    secret::Secret,
};

use crate::{MARK, first_line};

/// The answer that an input stands for; without a status it is 200.
pub(crate) fn answer(input: &[u8]) -> RawAnswer {
    let (line, rest) = first_line(input);
    let status = str::from_utf8(line).ok().and_then(|line| line.trim().parse().ok());
    let (status, body) = status.map_or((200, input), |status| (status, rest));
    RawAnswer { status, retry_after: None, body: body.to_vec() }
}

/// What the body says. None for what is no JSON to everybody: in fields that nobody reads a parser lets more pass.
pub(crate) fn said(answer: &RawAnswer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}

/// Whether the marketplace had taken the request on at all.
pub(crate) const fn is_answered(answer: &RawAnswer) -> bool {
    answer.status != 429 && answer.status < 500
}

/// The same answer with a mark in each text that is not passed on by intention.
pub(crate) fn marked(answer: &RawAnswer) -> RawAnswer {
    let mut said = said(answer).unwrap_or_default();
    mark(&mut said);
    RawAnswer { body: said.to_string().into_bytes(), ..answer.clone() }
}

fn mark(value: &mut Value) {
    match value {
        Value::String(text) => text.push_str(MARK),
        Value::Array(values) => values.iter_mut().for_each(mark),
        Value::Object(fields) => {
            for (name, value) in fields {
                if matches!(name.as_str(), "request_id" | "requestId") {
                    *value = "r".into();
                } else {
                    mark(value);
                }
            }
        }
        _ => {}
    }
}

/// A fault stands in logs, in items and in answers to the vendor: short, one line, of the marketplace's own texts only
/// an id.
pub(crate) fn check_fault(fault: &Fault) {
    assert!(fault.message.len() <= 200 && !fault.message.contains(char::is_control), "{fault}");
    for id in [&fault.code, &fault.request_id].into_iter().flatten() {
        assert!(id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?} in a fault");
    }
}

/// What an exchange gave can be stored, and is never printed.
pub(crate) fn check_tokens(tokens: &NewTokens) {
    assert!(!tokens.access_token.is_empty(), "an empty token");
    assert!(!tokens.refresh_token.as_ref().is_some_and(Secret::is_empty), "an empty token");
    for time in [tokens.access_expires_at, tokens.authorization_end.stated()].into_iter().flatten() {
        assert!(time.0 > 0, "{time:?}");
    }
    let others = NewTokens {
        access_token: Secret::new("other"),
        refresh_token: tokens.refresh_token.as_ref().map(|_| Secret::new("other")),
        ..tokens.clone()
    };
    assert_eq!(format!("{tokens:?}"), format!("{others:?}"), "a secret is printed");
}
