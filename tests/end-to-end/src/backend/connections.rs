//! The connections of the customer who is logged in, as the keyring lists them.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    Site,
    connection::Connection,
    customer::Customer,
    live::News,
    pages::{refused, render},
    session::LoggedIn,
    words,
};
use crate::answer::Answer;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    customer: &'a Customer,
    connections: Connections,
    news: News,
}

/// All connections of an account.
#[derive(Debug)]
pub(super) struct Connections {
    /// Those that were confirmed, whatever became of them.
    pub(super) confirmed: Vec<Connection>,
    /// How many wait for their confirmation. No more than that is shown of them: if a link of this customer was forwarded,
    /// they are somebody else's.
    pub(super) pending: usize,
}

#[derive(Deserialize)]
struct Listed {
    connections: Vec<Connection>,
    next_cursor: Option<String>,
}

/// `GET /`
pub(super) async fn home(State(site): State<Arc<Site>>, LoggedIn(customer): LoggedIn) -> Response {
    match list(&site, customer).await {
        Ok(connections) => render(&Home { customer, connections, news: News::of(&site, customer) }),
        Err(answer) => refused(customer, &answer),
    }
}

/// From page to page, until there is no `next_cursor`.
pub(super) async fn list(site: &Site, customer: &Customer) -> Result<Connections, Answer> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let answer = site.vendor.connections(&query(customer, cursor.as_deref())).await;
        let Ok(listed) = serde_json::from_str::<Listed>(&answer.body) else { return Err(answer) };
        all.extend(listed.connections);
        cursor = listed.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let (pending, mut confirmed): (Vec<_>, Vec<_>) = all.into_iter().partition(|listed| listed.status == "pending");
    confirmed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Connections { confirmed, pending: pending.len() })
}

fn query(customer: &Customer, cursor: Option<&str>) -> String {
    let pairs = [("account_id", Some(customer.account_id)), ("cursor", cursor)];
    let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
}

impl Connections {
    /// Changes when a connection comes, goes or needs other buttons: then the page has to be loaded again.
    pub(super) fn shape(&self) -> String {
        let each = self.confirmed.iter().map(|listed| format!("{} {}", listed.name, listed.status));
        each.chain([self.pending.to_string()]).collect::<Vec<_>>().join(", ")
    }
}
