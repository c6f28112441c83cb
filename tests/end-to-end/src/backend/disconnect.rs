//! The end of a connection, after a question.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    Site,
    connection::{Connection, Name},
    customer::Customer,
    pages::{refused, render},
    session::LoggedIn,
    words,
};

#[derive(Template)]
#[template(path = "disconnect.html")]
struct Question<'a> {
    customer: &'a Customer,
    connection: Connection,
}

/// `GET /connections/{connection}/disconnect`
pub(super) async fn ask(State(site): State<Arc<Site>>, LoggedIn(customer): LoggedIn, name: Name) -> Response {
    match Connection::of(&site, customer, &name).await {
        Ok(connection) => render(&Question { customer, connection }),
        Err(page) => page,
    }
}

/// `POST /connections/{connection}/disconnect`
pub(super) async fn disconnect(State(site): State<Arc<Site>>, LoggedIn(customer): LoggedIn, name: Name) -> Response {
    if let Err(page) = Connection::of(&site, customer, &name).await {
        return page;
    }
    let answer = site.vendor.disconnect(&name.0).await;
    match answer.status {
        200 => Redirect::to("/").into_response(),
        _ => refused(customer, &answer),
    }
}
