//! The seller is back. Here the vendor checks whose link it was: it passes the account of the customer who is logged in,
//! and the keyring confirms nothing that was connected by another customer's link.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;

use super::{
    Site,
    connection::is_segment,
    customer::Customer,
    pages::{Message, shown},
    session::LoggedIn,
    words,
};

/// The address that the seller came back to. Its `status` is not read: anyone can write an address, so the page tells what
/// the keyring says about the session.
#[derive(Deserialize)]
pub(super) struct Brought {
    session_id: Option<String>,
    result: Option<String>,
}

/// What the keyring says about a connect session.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Session {
    account_id: String,
    status: String,
    connections: Vec<Connected>,
    failure: Option<String>,
    failure_detail: String,
    not_confirmed: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Connected {
    connection: String,
    status: String,
    #[serde(default)]
    missing_permissions: Vec<String>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

/// What the page says.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    title: &'static str,
    sentences: Vec<String>,
}

/// `GET /connected`. Loading it again confirms again, which changes nothing more, and shows the same page.
pub(super) async fn connected(
    State(site): State<Arc<Site>>,
    LoggedIn(customer): LoggedIn,
    Query(brought): Query<Brought>,
) -> Response {
    let Some(session_id) = brought.session_id.filter(|id| is_segment(id)) else {
        let told = told("This address is incomplete", ["Press \"Connect a shop\" to begin again."]);
        return Message { customer, title: told.title, sentences: &told.sentences, response: None }.page();
    };
    let answer = match &brought.result {
        Some(result) => site.vendor.confirm_for(&session_id, result, customer.account_id).await,
        None => site.vendor.session(&session_id).await,
    };
    let told = outcome(customer, answer.status, &answer.body);
    Message { customer, title: told.title, sentences: &told.sentences, response: Some(shown(&answer)) }.page()
}

/// What the page says for this response of the keyring.
fn outcome(customer: &Customer, status: u16, body: &str) -> Told {
    let code = serde_json::from_str::<Problem>(body).map(|problem| problem.code).unwrap_or_default();
    match (status, code.as_str()) {
        // The keyring compares the accounts when it confirms. Where nothing is confirmed, this application does.
        (200, _) => match serde_json::from_str::<Session>(body) {
            Ok(session) if session.account_id == customer.account_id => how_it_went(&session),
            Ok(_) => other_customer(customer),
            Err(_) => again_later(),
        },
        (409, "account_mismatch") => other_customer(customer),
        (409, "nothing_to_confirm") => told(
            "Nothing was connected",
            [
                "The connection was not confirmed within its hour, or a later authorization has replaced it. Look at your \
              shops; if the shop is missing there, press \"Connect a shop\".",
            ],
        ),
        (404, "result_not_found") => told(
            "Nothing was connected",
            ["What you came back with does not belong to this link. Press \"Connect a shop\" to begin again."],
        ),
        (404, _) => told(
            "This link has ended",
            [
                "It was opened more than a day ago. Your shops show what is connected; press \"Connect a shop\" for a new link.",
            ],
        ),
        _ => again_later(),
    }
}

fn how_it_went(session: &Session) -> Told {
    let mut sentences: Vec<String> = session.connections.iter().flat_map(in_sentences).collect();
    sentences.extend(session.not_confirmed.iter().map(|name| {
        format!("{name} is not connected: it was not confirmed within its hour. Press \"Connect a shop\" for it again.")
    }));
    sentences.extend(session.failure.iter().map(|failure| words::failure(failure, &session.failure_detail).to_owned()));
    let partly = !session.not_confirmed.is_empty() || session.failure.is_some();
    let title = match (session.status.as_str(), partly) {
        ("finished", false) => "Connected",
        ("finished", true) => "Not everything is connected",
        ("awaiting_confirmation", _) => {
            sentences.push(
                "Return to the tab in which you authorized, and follow its link back to us. What is not confirmed within \
                 an hour is deleted."
                    .to_owned(),
            );
            "A connection waits for its confirmation"
        }
        ("open", _) => {
            sentences.push("Press \"Connect a shop\" to continue.".to_owned());
            "Nothing is connected yet"
        }
        ("expired", _) => {
            sentences.push("The link is too old. Press \"Connect a shop\" for a new one.".to_owned());
            "Nothing was connected"
        }
        _ => "Nothing was connected",
    };
    Told { title, sentences }
}

fn in_sentences(connected: &Connected) -> Vec<String> {
    let Connected { connection, status, missing_permissions } = connected;
    let mut sentences = vec![match status.as_str() {
        "active" => format!("{connection} is connected."),
        "pending" => format!("{connection} waits for its confirmation."),
        other => format!("{connection}: {}.", words::status(other)),
    }];
    if !missing_permissions.is_empty() {
        let missing = missing_permissions.join(", ");
        sentences
            .push(format!("It lacks permissions that we need: {missing}. Press \"Reconnect\" and grant them, too."));
    }
    sentences
}

fn other_customer(customer: &Customer) -> Told {
    Told {
        title: "This link was made for another customer",
        sentences: vec![
            format!(
                "You are logged in as {}, and the link was made for another customer of Acme Listing. Nothing was \
                 connected to your account, and nobody gets a token for your shop by it: what is not confirmed is \
                 deleted within an hour.",
                customer.name
            ),
            "If somebody sent you the link, do not use it again, and tell our support. At the marketplace you can take \
             the permission back."
                .to_owned(),
            "To connect your own shop, press \"Connect a shop\" here. If you have several accounts with us, log in to the \
             one in which you began."
                .to_owned(),
        ],
    }
}

fn again_later() -> Told {
    told(
        "We could not finish this yet",
        ["Load this page again in a minute: nothing is lost within an hour. If it still fails, write to our support."],
    )
}

fn told<const N: usize>(title: &'static str, sentences: [&str; N]) -> Told {
    Told { title, sentences: sentences.map(str::to_owned).into() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::backend::customer::{ANN, BEN};

    fn title(status: u16, body: &Value) -> &'static str {
        outcome(&ANN, status, &body.to_string()).title
    }

    fn session(account_id: &str, further: &Value) -> Value {
        let mut session = json!({ "account_id": account_id, "session_id": "s", "connections": [] });
        for (name, value) in further.as_object().into_iter().flatten() {
            session[name] = value.clone();
        }
        session
    }

    #[test]
    fn a_session_of_another_customer_is_refused_whoever_compares() {
        let finished = json!({ "status": "finished" });
        assert_eq!(title(200, &session(ANN.account_id, &finished)), "Connected");
        let refused = "This link was made for another customer";
        assert_eq!(title(200, &session(BEN.account_id, &finished)), refused);
        assert_eq!(title(200, &json!({ "status": "finished" })), refused, "of nobody");
        assert_eq!(title(409, &json!({ "code": "account_mismatch" })), refused);
    }

    #[test]
    fn each_way_a_visit_ends_has_a_page() {
        let told = |further| outcome(&ANN, 200, &session(ANN.account_id, &further).to_string());
        let declined =
            told(json!({ "status": "failed", "failure": "denied", "failure_detail": "In the keyring's words." }));
        assert_eq!(declined.title, "Nothing was connected");
        assert_eq!(declined.sentences, ["You declined at the marketplace. If that was a mistake, connect again."]);
        let new = told(json!({ "status": "failed", "failure": "new", "failure_detail": "In the keyring's words." }));
        assert_eq!(new.sentences, ["In the keyring's words."]);
        let partly = told(json!({
            "status": "finished",
            "connections": [{ "connection": "temu/us/7", "status": "active", "missing_permissions": ["Orders"] }],
            "not_confirmed": ["temu/us/8"],
        }));
        assert_eq!(partly.title, "Not everything is connected");
        assert_eq!(partly.sentences.len(), 3, "{partly:?}");
        for status in ["open", "expired", "awaiting_confirmation"] {
            assert!(!told(json!({ "status": status })).sentences.is_empty(), "{status}");
        }
        assert_eq!(title(503, &json!({ "code": "storage_unavailable" })), "We could not finish this yet");
        assert_eq!(title(404, &json!({ "code": "session_not_found" })), "This link has ended");
    }
}
