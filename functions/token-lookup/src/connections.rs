//! One connection: its metadata, and its end by the vendor, `GET` and `DELETE
//! /v1/connections/{marketplace}/{app}/{seller_id}`. Holds no token.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use shop_keyring::{
    connection::{Connection, disconnect::disconnect},
    names::{AppKeyPath, ConnectionKey},
    store::ApplyError,
};

use crate::{
    openapi::{
        parameters,
        problems::{OfConnection, Refused},
    },
    problem::Problem,
    router::Keyring,
    views::ConnectionView,
};

/// A connection's path segments.
pub(crate) type ConnectionPath = Path<(String, String, String)>;

/// Parses the app from a path.
pub(crate) fn app(marketplace: &str, app: &str) -> Result<AppKeyPath, Problem> {
    Ok(AppKeyPath { marketplace: marketplace.parse()?, app: app.parse()? })
}

/// Parses the key from a path.
pub(crate) fn key(Path((marketplace, app_name, seller_id)): ConnectionPath) -> Result<ConnectionKey, Problem> {
    Ok(ConnectionKey { app: app(&marketplace, &app_name)?, seller_id: seller_id.parse()? })
}

/// The connection's metadata and health.
#[utoipa::path(
    get,
    path = "/v1/connections/{marketplace}/{app}/{seller_id}",
    operation_id = "getConnection",
    tag = "Connections",
    summary = "Look at a connection",
    description = "Its metadata and health, without its token.",
    params(parameters::ConnectionPath),
    responses((status = 200, description = "The connection.", body = ConnectionView), Refused<OfConnection>)
)]
pub(crate) async fn get(State(keyring): State<Arc<Keyring>>, path: ConnectionPath) -> Result<Response, Problem> {
    let item = keyring.connections.get(&key(path)?).await?.ok_or(Problem::ConnectionNotFound)?;
    Ok(answer(&item))
}

/// Ends the connection: from now on its token is served to nobody, and the schedule deletes its secret. Ending it again
/// changes nothing.
#[utoipa::path(
    delete,
    path = "/v1/connections/{marketplace}/{app}/{seller_id}",
    operation_id = "disconnect",
    tag = "Connections",
    summary = "End a connection",
    description = "Its token is served to nobody from now on (410), and the next sweep deletes its secret, which \
        Secrets Manager can restore for seven days. Ending it again changes nothing. The seller's authorization at the \
        marketplace is not touched; the seller may come back through a connect session.",
    params(parameters::ConnectionPath),
    responses((status = 200, description = "The connection, now `disconnected`.", body = ConnectionView), Refused<OfConnection>)
)]
pub(crate) async fn delete(State(keyring): State<Arc<Keyring>>, path: ConnectionPath) -> Result<Response, Problem> {
    let key = key(path)?;
    let end = |item: Option<&Connection>| {
        let item = item.ok_or(Problem::ConnectionNotFound)?;
        Ok(disconnect(item, keyring.connections.now()))
    };
    match keyring.connections.apply(&key, end).await {
        Ok(item) => {
            tracing::info!(connection = %key, "disconnected");
            Ok(answer(&item))
        }
        Err(ApplyError::Decided(problem)) => Err(problem),
        Err(ApplyError::Store(error)) => Err(error.into()),
    }
}

fn answer(item: &Connection) -> Response {
    Json(ConnectionView::new(item)).into_response()
}
