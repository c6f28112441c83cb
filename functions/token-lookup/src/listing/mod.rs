//! Which connections there are: `GET /v1/connections`, by account, marketplace, app, status, and whether they need
//! attention.
//!
//! [`filters`] says what is asked for and where to look, [`cursor`] how a walk goes on, [`walk`] goes. Nothing reads the
//! whole table: an account's connections and those that need attention have an index each; the rest is walked in the
//! index of all names, a part of a shard at a time.

mod cursor;
mod filters;
mod request;
mod walk;

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::request::PARAMETERS;
pub use self::{cursor::Position, filters::Filters, request::ListRequest};
use self::{cursor::cursor, walk::walk};
use crate::{
    openapi::{
        examples, parameters,
        problems::{OfAny, Refused},
    },
    problem::Problem,
    router::Keyring,
    views::ConnectionView,
};

/// A page of connections.
#[derive(Serialize, ToSchema)]
#[schema(examples(examples::list))]
struct ConnectionList<'a> {
    /// In an order that does not change. May be fewer than `limit`, even none, while `next_cursor` is there.
    connections: Vec<ConnectionView<'a>>,
    /// Where the next page begins; absent after the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "AWN1cnNvcg")]
    next_cursor: Option<String>,
}

/// A page of the connections that are asked for.
#[utoipa::path(
    get,
    path = "/v1/connections",
    operation_id = "listConnections",
    tag = "Connections",
    summary = "List connections",
    description = "Metadata and health, without tokens, in an order that does not change: a walk through all pages is \
        complete and without repeats while connections change. A page may have fewer than `limit`, even none, while \
        there is a `next_cursor`: one request looks at a bounded number only.",
    params(parameters::ListQuery),
    responses((status = 200, description = "A page.", body = ConnectionList), Refused<OfAny>)
)]
pub(crate) async fn list(State(keyring): State<Arc<Keyring>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let request = ListRequest::parse(query.as_deref().unwrap_or_default())?;
    let page = walk(&keyring.connections, &request).await?;
    Ok(Json(ConnectionList {
        connections: page.found.iter().map(ConnectionView::new).collect(),
        next_cursor: page.next.map(|position| cursor(&position, &request.filters)),
    })
    .into_response())
}
