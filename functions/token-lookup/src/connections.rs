//! One connection: its metadata, whose it is, and its end by the vendor: `GET`, `PATCH` and `DELETE
//! /v1/connections/{marketplace}/{app}/{seller_id}`. Holds no token.

use std::{str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use shop_keyring::{
    audit,
    connection::{
        Connection,
        disconnect::disconnect,
        edit::{Edit, Expected, Patched, edit},
    },
    names::{AccountId, AppKeyPath, ConnectionKey, InvalidName, Label},
    store::ApplyError,
};
use utoipa::ToSchema;

use crate::{
    apps,
    openapi::{
        examples, parameters,
        problems::{OfAssignment, OfConnection, OfEnd, Refused},
    },
    problem::Problem,
    revision::{etag, if_match},
    router::Keyring,
    views::ConnectionView,
};

/// A connection's path segments.
pub(crate) type ConnectionPath = Path<(String, String, String)>;

/// Parses one segment of a path.
pub(crate) fn segment<T: FromStr<Err = InvalidName>>(name: &str, text: &str) -> Result<T, Problem> {
    let named = |error: InvalidName| format!("The path's `{name}` is not valid: {}.", error.rule);
    text.parse().map_err(|error| Problem::BadRequest(named(error)))
}

/// Parses the app from a path.
pub(crate) fn app(marketplace: &str, app: &str) -> Result<AppKeyPath, Problem> {
    Ok(AppKeyPath { marketplace: segment("marketplace", marketplace)?, app: segment("app", app)? })
}

/// Parses the key from a path.
pub(crate) fn key(Path((marketplace, app_name, seller_id)): ConnectionPath) -> Result<ConnectionKey, Problem> {
    Ok(ConnectionKey { app: app(&marketplace, &app_name)?, seller_id: segment("seller_id", &seller_id)? })
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
    Ok(answer(&apps::connection(&keyring, &key(path)?).await?))
}

/// A JSON merge patch (RFC 7396) of what the vendor may change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConnectionPatch, examples(examples::assignment, examples::clearing, examples::labelling))]
pub(crate) struct Patch {
    /// The account that gets the connection; `null`: none has it.
    #[serde(default)]
    #[schema(value_type = Option<AccountId>)]
    account_id: Patched<AccountId>,
    /// Your own name for the connection, shown beside `seller_name`, and on the seller's pages where the marketplace gives
    /// no name; `null`: none. Blanks around it are dropped.
    #[serde(default)]
    #[schema(value_type = Option<Label>)]
    label: Patched<Label>,
}

/// Gives the connection to an account, takes it from one, or sets its label. Only as it was seen, so that two editors do
/// not overwrite each other.
#[utoipa::path(
    patch,
    path = "/v1/connections/{marketplace}/{app}/{seller_id}",
    operation_id = "assignConnection",
    tag = "Connections",
    summary = "Give a connection to an account, or label it",
    description = "Sets or clears the account, and so claims a connection that nobody asked for; sets or clears the \
        label. A JSON merge patch (RFC 7396): a field that is absent stays as it is. `If-Match` keeps two editors from \
        overwriting each other.",
    params(parameters::ConnectionPath, parameters::IfMatch),
    request_body(content((Patch = "application/json"), (Patch = "application/merge-patch+json"))),
    responses((status = 200, description = "The connection, changed.", body = ConnectionView), Refused<OfAssignment>)
)]
pub(crate) async fn patch(
    State(keyring): State<Arc<Keyring>>,
    path: ConnectionPath,
    headers: HeaderMap,
    body: Result<Json<Patch>, JsonRejection>,
) -> Result<Response, Problem> {
    let (key, Json(Patch { account_id, label })) = (key(path)?, body?);
    let wanted = Edit { account_id, label };
    if wanted == Edit::default() {
        return Err(Problem::BadRequest("The body changes nothing: give `account_id`, `label` or both.".into()));
    }
    let expected = if_match(&headers)?.ok_or(Problem::PreconditionRequired)?;
    let mut before = None;
    let item = keyring.connections.apply(&key, |item| {
        let item = item.ok_or(Problem::ConnectionNotFound)?;
        before = Some((item.account_id.clone(), item.label.clone()));
        Ok(edit(item, &wanted, &expected, keyring.connections.now())?)
    });
    let item = written(&keyring, &key, item.await).await?;
    if let Some((account_id, label)) = before {
        if account_id != item.account_id {
            audit::assigned(&item, account_id.as_ref());
        }
        if label != item.label {
            audit::labelled(&item);
        }
    }
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
    params(parameters::ConnectionPath, parameters::IfMatchAtAll),
    responses((status = 200, description = "The connection, now `disconnected`.", body = ConnectionView), Refused<OfEnd>)
)]
pub(crate) async fn delete(
    State(keyring): State<Arc<Keyring>>,
    path: ConnectionPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = key(path)?;
    let expected = if_match(&headers)?.unwrap_or(Expected::Any);
    let end = |item: Option<&Connection>| {
        let item = item.ok_or(Problem::ConnectionNotFound)?;
        if !expected.holds(item) {
            return Err(Problem::PreconditionFailed);
        }
        Ok(disconnect(item, keyring.connections.now()))
    };
    let item = written(&keyring, &key, keyring.connections.apply(&key, end).await).await?;
    Ok(answer(&item))
}

async fn written(
    keyring: &Keyring,
    key: &ConnectionKey,
    applied: Result<Connection, ApplyError<Problem>>,
) -> Result<Connection, Problem> {
    match applied {
        Ok(item) => Ok(item),
        Err(ApplyError::Decided(Problem::ConnectionNotFound)) => {
            Err(apps::no_connection(&keyring.registry, &key.app).await)
        }
        Err(ApplyError::Decided(problem)) => Err(problem),
        Err(ApplyError::Store(error)) => Err(error.into()),
    }
}

fn answer(item: &Connection) -> Response {
    ([(header::ETAG, etag(item))], Json(ConnectionView::new(item))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_which_segment_is_wrong() {
        let wrong = |path: [&str; 3]| match key(Path(path.map(str::to_owned).into())) {
            Err(Problem::BadRequest(what)) => what,
            other => panic!("{other:?}"),
        };
        assert!(wrong(["amazon", "us", "1"]).contains("`marketplace`"));
        assert!(wrong(["temu", "US", "1"]).contains("`app`"));
        assert!(wrong(["temu", "us", &"1".repeat(257)]).contains("`seller_id`"));
    }

    #[test]
    fn a_field_that_is_absent_from_a_patch_is_not_cleared() {
        let read = |text: &str| serde_json::from_str(text).map(|Patch { account_id, label }| (account_id, label));
        let account = Patched::Set("a".parse().unwrap());
        assert_eq!(read(r#"{"account_id":null}"#).unwrap(), (Patched::Clear, Patched::Keep));
        assert_eq!(read(r#"{"account_id":"a","label":null}"#).unwrap(), (account, Patched::Clear));
        assert_eq!(read(r#"{"label":" b "}"#).unwrap(), (Patched::Keep, Patched::Set("b".parse().unwrap())));
        for text in [
            r#"{"account_id":""}"#,
            r#"{"account_id":7}"#,
            r#"{"account_id":"a","status":"active"}"#,
            r#"{"label":7}"#,
            r#"{"label":"a","label":"b"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
