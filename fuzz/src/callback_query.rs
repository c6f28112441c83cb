//! The query that a marketplace sends a browser back with.

use std::collections::HashSet;

use oauth_callback::{Answer, Problem};
use shop_keyring::{connect_session::ConnectFailure, names::MarketplaceName, secret::Secret};
use url::form_urlencoded::{Serializer, parse};

const OURS: [&str; 5] = ["code", "state", "app_key", "error", "callback_host"];

/// A parameter counts once, a code only without an error, and nothing secret is printed.
pub fn callback_query(input: &[u8]) {
    let Ok(query) = str::from_utf8(input) else { return };
    let mut seen = HashSet::new();
    let repeated = parse(query.as_bytes()).any(|(name, _)| OURS.contains(&&*name) && !seen.insert(name.into_owned()));
    let answer = match Answer::read(query) {
        Ok(answer) => answer,
        Err(problem) => return assert!(repeated && problem == Problem::BadCallback, "{problem:?}"),
    };
    assert!(!repeated, "a parameter that is there twice");
    for marketplace in [MarketplaceName::TikTokShop, MarketplaceName::Temu] {
        match answer.code(marketplace) {
            Ok(code) => {
                assert!(!code.is_empty() && code.expose() != "null");
                assert!(answer.error.is_none(), "a code beside an error");
            }
            Err(failure) => {
                assert!(matches!(failure, ConnectFailure::Denied | ConnectFailure::BadCallback));
                let says_nothing = marketplace == MarketplaceName::Temu && answer.error.is_none();
                assert!(failure != ConnectFailure::Denied || answer.error.is_some() || says_nothing, "nobody said no");
            }
        }
    }
    assert!(answer.state.as_ref().is_none_or(|state| !state.is_empty()));

    let again = Answer::read(&written(&answer)).expect("what was read can be read");
    assert_eq!(written(&again), written(&answer));
    let other = Answer::read(&with_other_secrets(query)).expect("it differs in its secrets only");
    assert_eq!(format!("{answer:?}"), format!("{other:?}"), "a secret is printed");
}

fn with_other_secrets(query: &str) -> String {
    let mut others = Serializer::new(String::new());
    for (name, value) in parse(query.as_bytes()) {
        // These two stand for nothing, so they are no secrets.
        let secret = matches!(&*name, "code" | "state") && !matches!(&*value, "" | "null");
        others.append_pair(&name, if secret { "other" } else { &value });
    }
    others.finish()
}

/// An answer as a query.
fn written(answer: &Answer) -> String {
    let mut query = Serializer::new(String::new());
    // Beside an error a code cannot be seen, and it makes no difference.
    let code = answer.code(MarketplaceName::Temu).ok().map(Secret::expose);
    let state = answer.state.as_ref().map(Secret::expose);
    let values = [code, state, answer.app_key.as_deref(), answer.error.as_deref(), answer.callback_host.as_deref()];
    for (name, value) in OURS.into_iter().zip(values) {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}
