//! How a session went: `GET /v1/connect-sessions/{session_id}`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use shop_keyring::{
    connect_session::{self, ConnectFailure, ConnectSession, TokenRefusal, VisitOutcome},
    connection::{Connection, Purpose, Status},
    names::{AccountId, AppKeyPath, ConnectionKey},
    time::{Moment, Timestamp},
};
use utoipa::ToSchema;

use super::failure;
use crate::{
    openapi::{
        examples,
        parameters::SessionPath,
        problems::{OfSession, Refused},
    },
    problem::Problem,
    router::Keyring,
};

/// How a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(
    as = ConnectSessionStatus,
    description = "How a session stands. `open`: the seller has not been there yet, or is under way. \
        `awaiting_confirmation`: something is connected and waits for your confirmation. `finished`: something is \
        connected. `failed`: the last visit connected nothing, and no earlier one did. `expired`: its time is over, and \
        nothing came of it."
)]
enum SessionStatus {
    Open,
    AwaitingConfirmation,
    Finished,
    Failed,
    Expired,
}

/// How a connect session went.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectSession, examples(examples::session, examples::failed_session))]
pub(super) struct SessionView<'a> {
    /// Names the session. Not secret.
    #[schema(example = "V1XkQzJ7m3F0cW9yB5tHn2LpRuGdSe8aKoTiYxNvM4Q")]
    session_id: &'a str,
    status: SessionStatus,
    /// Your customer that the connections belong to.
    #[schema(value_type = AccountId)]
    account_id: &'a str,
    /// Your note.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ticket 4711")]
    reference: Option<&'a str>,
    /// The one connection that the session is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<ConnectionKey>)]
    reconnect: Option<&'a ConnectionKey>,
    /// When it was opened.
    created_at: Moment,
    /// When it ends.
    expires_at: Moment,
    /// What was connected and is still there.
    connections: Vec<Connected>,
    /// Why the last visit connected nothing, or not all that it could have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<ConnectFailure>)]
    failure: Option<&'static str>,
    /// The same in words, with what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "The seller chose not to authorize the app at the marketplace.")]
    failure_detail: Option<&'static str>,
    /// Temu tokens that the seller pasted and that were not accepted, the last one per app; a token disappears when a later
    /// one connects the same app.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(min_items = 1)]
    refused_tokens: Vec<RefusedToken<'a>>,
    /// After a confirmation: the connections that the result also stood for and that no longer exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<ConnectionKey>, min_items = 1, example = json!(["temu/us/634418212239481"]))]
    not_confirmed: Vec<String>,
}

/// One connection of a session.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Connected {
    /// The connection's name.
    #[schema(value_type = ConnectionKey)]
    connection: String,
    #[serde(flatten)]
    status: Status,
    /// When the seller authorized it, the last time in this session.
    authorized_at: Moment,
    /// Until when it has to be confirmed, while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    confirm_by: Option<Moment>,
    /// Labels of permissions that you need and the seller did not grant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(min_items = 1, example = json!(["Orders"]))]
    missing_permissions: Vec<String>,
}

/// A Temu token that was not accepted. The token itself is not kept.
#[derive(Serialize, ToSchema)]
struct RefusedToken<'a> {
    /// The app that it was pasted for, as in a connection's name.
    #[schema(value_type = String, example = "temu/us")]
    app: &'a AppKeyPath,
    /// What the token should have been for.
    purpose: Purpose,
    reason: TokenRefusal,
    /// The same in words, with what to do.
    #[schema(
        example = "Temu does not know this token. The seller has to copy all of it, and to choose your app at Temu."
    )]
    detail: &'static str,
}

impl<'a> From<&'a connect_session::RefusedToken> for RefusedToken<'a> {
    fn from(token: &'a connect_session::RefusedToken) -> Self {
        let connect_session::RefusedToken { app, purpose, reason } = token;
        Self { app, purpose: *purpose, reason: *reason, detail: failure::detail_of_token(*reason) }
    }
}

/// `GET /v1/connect-sessions/{session_id}`
#[utoipa::path(
    get,
    path = "/v1/connect-sessions/{session_id}",
    operation_id = "getConnectSession",
    tag = "Connect sessions",
    summary = "Ask how a connect session went",
    description = "Open, finished, failed, waiting for your confirmation, or expired.",
    params(SessionPath),
    responses((status = 200, description = "How it stands.", body = SessionView), Refused<OfSession>)
)]
pub(crate) async fn get(State(keyring): State<Arc<Keyring>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let session = keyring.sessions.session(&id).await?.ok_or(Problem::SessionNotFound)?;
    view(&keyring, &session, Vec::new()).await
}

/// The session as it stands.
pub(super) async fn view(
    keyring: &Keyring,
    session: &ConnectSession,
    not_confirmed: Vec<String>,
) -> Result<Response, Problem> {
    let mut connections = Vec::new();
    for (key, brought) in connected(session) {
        // A connection that nobody confirmed is gone after its hour, or belongs to somebody else by now.
        let item = keyring.connections.get(key).await?;
        let now = keyring.connections.now();
        if let Some(item) = item.filter(|item| stands(item, session, brought.granted_at, now)) {
            connections.push(Connected {
                connection: key.to_string(),
                status: item.status,
                authorized_at: Moment(brought.authorized_at),
                confirm_by: item.confirm_by.map(Moment),
                missing_permissions: brought.missing_permissions.to_vec(),
            });
        }
    }
    let failure = last_failure(session);
    Ok(Json(SessionView {
        session_id: &session.id,
        status: status(&connections, failure.is_some(), session.expires_at <= Timestamp::local_now()),
        account_id: session.account_id.as_str(),
        reference: session.reference.as_deref(),
        reconnect: session.reconnect.as_ref().map(|reconnect| &reconnect.connection),
        created_at: Moment(session.created_at),
        expires_at: Moment(session.expires_at),
        connections,
        failure: failure.map(ConnectFailure::as_str),
        failure_detail: failure.map(failure::detail),
        refused_tokens: session.refused_tokens().into_iter().map(RefusedToken::from).collect(),
        not_confirmed,
    })
    .into_response())
}

/// Whether what a session brought is still there: its account's, and not waiting for a confirmation that is too late.
fn stands(item: &Connection, session: &ConnectSession, granted_at: Timestamp, now: Timestamp) -> bool {
    let too_late = item.status == Status::Pending && item.confirm_by.is_some_and(|by| by <= now);
    item.account_id.as_ref() == Some(&session.account_id) && item.granted_at >= granted_at && !too_late
}

/// Why the last visit failed, or further stores of it.
fn last_failure(session: &ConnectSession) -> Option<ConnectFailure> {
    match &session.visits.last()?.outcome {
        VisitOutcome::Failed { failure } => Some(*failure),
        VisitOutcome::Connected { failures, .. } => failures.first().copied(),
    }
}

/// What a session brought for one connection.
struct Brought<'a> {
    /// Its first grant.
    granted_at: Timestamp,
    /// Its last grant.
    authorized_at: Timestamp,
    /// Of its last grant.
    missing_permissions: &'a [String],
}

/// The connections of a session, each once.
fn connected(session: &ConnectSession) -> BTreeMap<&ConnectionKey, Brought<'_>> {
    let mut connections = BTreeMap::new();
    for visit in &session.visits {
        if let VisitOutcome::Connected { connections: brought, .. } = &visit.outcome {
            for it in brought {
                let entry = connections.entry(&it.connection);
                let (granted_at, authorized_at) = (it.granted_at, it.granted_at);
                let entry = entry.or_insert(Brought { granted_at, authorized_at, missing_permissions: &[] });
                // Two tabs may be written down crosswise.
                if authorized_at >= entry.authorized_at {
                    entry.authorized_at = authorized_at;
                    entry.missing_permissions = &it.missing_permissions;
                }
            }
        }
    }
    connections
}

fn status(connections: &[Connected], failed: bool, expired: bool) -> SessionStatus {
    if connections.iter().any(|connected| connected.status == Status::Pending) {
        SessionStatus::AwaitingConfirmation
    } else if !connections.is_empty() {
        SessionStatus::Finished
    } else if failed {
        SessionStatus::Failed
    } else if expired {
        SessionStatus::Expired
    } else {
        SessionStatus::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_tells_how_it_stands() {
        let with = |status| {
            [Connected {
                connection: "tiktok-shop/us/7".into(),
                status,
                authorized_at: Moment(Timestamp(9)),
                confirm_by: None,
                missing_permissions: Vec::new(),
            }]
        };
        assert_eq!(status(&[], false, false), SessionStatus::Open);
        assert_eq!(status(&[], false, true), SessionStatus::Expired);
        assert_eq!(status(&[], true, false), SessionStatus::Failed);
        assert_eq!(status(&with(Status::Pending), false, true), SessionStatus::AwaitingConfirmation);
        assert_eq!(status(&with(Status::Active), true, true), SessionStatus::Finished);
    }
}
