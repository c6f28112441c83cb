//! What a service of the vendor gets when it asks for a token. Only the sandbox has such a page, and the token is not on
//! it: tokens are for services.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    Site,
    connection::{Connection, Name},
    customer::Customer,
    pages::{render, shown},
    session::LoggedIn,
};

#[derive(Template)]
#[template(path = "token.html")]
struct Page<'a> {
    customer: &'a Customer,
    connection: Connection,
    was_served: bool,
    response: String,
}

/// `GET /connections/{connection}/token`
pub(super) async fn show(State(site): State<Arc<Site>>, LoggedIn(customer): LoggedIn, name: Name) -> Response {
    let connection = match Connection::of(&site, customer, &name).await {
        Ok(connection) => connection,
        Err(page) => return page,
    };
    // As it stands: opening a page must not be what refreshes it.
    let answer = site.vendor.token_for(&name.0, 0).await;
    render(&Page { customer, connection, was_served: answer.status == 200, response: shown(&answer) })
}
