//! The buttons that send a seller to the keyring's pages: each opens a connect session for the customer who is logged in.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Value, json};

use super::{Site, connection::Name, customer::Customer, pages, session::LoggedIn};

/// `POST /connect`
pub(super) async fn connect(State(site): State<Arc<Site>>, LoggedIn(customer): LoggedIn) -> Response {
    send(&site, customer, request(&site, customer)).await
}

/// `POST /connections/{connection}/reconnect`: the same for one connection alone. The keyring checks that it is this
/// customer's.
pub(super) async fn reconnect(
    State(site): State<Arc<Site>>,
    LoggedIn(customer): LoggedIn,
    Name(connection): Name,
) -> Response {
    let mut body = request(&site, customer);
    body["reconnect"] = connection.into();
    send(&site, customer, body).await
}

fn request(site: &Site, customer: &Customer) -> Value {
    json!({ "account_id": customer.account_id, "account_label": customer.name, "return_url": site.return_url })
}

async fn send(site: &Site, customer: &Customer, body: Value) -> Response {
    let opened = site.vendor.open_session(&body).await;
    match opened.status {
        201 => Redirect::to(opened.json()["connect_url"].as_str().unwrap_or("/")).into_response(),
        _ => pages::refused(customer, &opened),
    }
}
