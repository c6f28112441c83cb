//! What changes on the home page while somebody reads it. `live.js` fetches it and replaces only these parts.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{extract::State, response::Response};
use emulators::event_bus::PublishedEvent;

use super::{
    Site,
    connections::{self, Connections},
    customer::Customer,
    pages::{refused, render},
    session::LoggedIn,
    words,
};
use crate::schedule::{Run, Runs, clock};

/// Events on the page, and sweeps.
const SHOWN: usize = 8;

#[derive(Template)]
#[template(path = "live.html")]
struct Live {
    connections: Connections,
    news: News,
}

/// The last events and sweeps, newest first.
#[derive(Debug)]
pub(super) struct News {
    pub(super) events: Vec<Event>,
    pub(super) sweeps: Vec<(String, String)>,
}

/// An event for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: String,
    pub(super) name: String,
    pub(super) connection: String,
    pub(super) version: u64,
}

/// `GET /live`
pub(super) async fn live(State(site): State<Arc<Site>>, LoggedIn(customer): LoggedIn) -> Response {
    match connections::list(&site, customer).await {
        Ok(connections) => render(&Live { connections, news: News::of(&site, customer) }),
        Err(answer) => refused(customer, &answer),
    }
}

impl News {
    pub(super) fn of(site: &Site, customer: &Customer) -> Self {
        Self { events: events(&site.event_bus.events_after(0), customer), sweeps: sweeps(&site.runs) }
    }
}

/// Only this customer's. An event may be published twice, so one with a known id is dropped.
fn events(published: &[PublishedEvent], customer: &Customer) -> Vec<Event> {
    let text = |event: &PublishedEvent, name: &str| event.detail[name].as_str().unwrap_or_default().to_owned();
    let mut known = BTreeSet::new();
    let of_customer = published.iter().filter(|event| event.detail["account_id"] == customer.account_id);
    let mut events: Vec<_> = of_customer.filter(|event| known.insert(text(event, "id"))).collect();
    events.reverse();
    let shown = events.into_iter().take(SHOWN);
    shown
        .map(|event| Event {
            at: text(event, "at"),
            name: event.detail_type.clone(),
            connection: text(event, "connection"),
            version: event.detail["version"].as_u64().unwrap_or_default(),
        })
        .collect()
}

/// Those that did something; if none did, the last one.
fn sweeps(runs: &Runs) -> Vec<(String, String)> {
    let runs = runs.after(0);
    let words = |run: &Run| (clock(run.at), run.in_words());
    let mut sweeps: Vec<_> = runs.iter().rev().filter(|run| run.did_something()).take(SHOWN).map(words).collect();
    if sweeps.is_empty() {
        sweeps.extend(runs.last().map(words));
    }
    sweeps
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::backend::customer::{ANN, BEN};

    #[test]
    fn a_customer_sees_each_of_their_own_events_once() {
        let event = |number, id: &str, account_id: &str| PublishedEvent {
            number,
            bus: "bus".into(),
            source: "shop-keyring".into(),
            detail_type: "Connection Refreshed".into(),
            time: None,
            detail: json!({ "id": id, "account_id": account_id, "connection": id, "version": number, "at": "now" }),
        };
        let (ann, ben) = (ANN.account_id, BEN.account_id);
        let published = [event(1, "a", ann), event(2, "b", ben), event(3, "a", ann), event(4, "c", ann)];
        let of_ann: Vec<_> =
            events(&published, &ANN).into_iter().map(|event| (event.connection, event.version)).collect();
        assert_eq!(of_ann, [("c".to_owned(), 4), ("a".to_owned(), 1)]);
    }
}
