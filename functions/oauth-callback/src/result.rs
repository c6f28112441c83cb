//! The result page: `GET /result/{visit}`. It calls nobody, can be reloaded, and opens only in the visit's browser.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use shop_keyring::{
    connect_session::{ConnectSession, Visit, VisitOutcome},
    secret::Secret,
    time::Timestamp,
};

use crate::{browser, connect::back_with_result, pages, problem::Problem, router::Keyring};

/// What the callback hands on when there is something to read before the seller goes back.
#[derive(Deserialize)]
pub(crate) struct ResultQuery {
    result: Option<Secret>,
}

/// How the visit ended.
pub(crate) async fn page(
    State(keyring): State<Arc<Keyring>>,
    Path(id): Path<String>,
    query: Result<Query<ResultQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let result = query.ok().and_then(|Query(query)| query.result);
    outcome(&keyring, &id, result, &headers).await.unwrap_or_else(|problem| problem.page(&keyring))
}

async fn outcome(
    keyring: &Keyring,
    id: &str,
    result: Option<Secret>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let visit = keyring.sessions.visit(id).await?.ok_or(Problem::UnknownState)?;
    if visit.expires_at <= Timestamp::local_now() {
        return Err(Problem::StateExpired);
    }
    if !visit.is_of(browser::known(headers, &keyring.config.public_base_url).as_ref()) {
        return Err(Problem::OtherBrowser);
    }
    let session = match &visit.session_id {
        Some(id) => keyring.sessions.session(id).await?,
        None => None,
    };
    let outcome = visit.ended.as_ref().ok_or(Problem::UnderWay)?;
    Ok(page_of(keyring, &visit, outcome, session.as_ref(), result))
}

/// The page of a visit that has ended.
pub(crate) fn page_of(
    keyring: &Keyring,
    visit: &Visit,
    outcome: &VisitOutcome,
    session: Option<&ConnectSession>,
    result: Option<Secret>,
) -> Response {
    match outcome {
        VisitOutcome::Connected { connections, failures } => {
            let back = session
                .zip(result)
                .and_then(|(session, result)| back_with_result(session.return_url.as_deref()?, &session.id, &result));
            pages::connected(&keyring.config, connections, failures, back).into_response()
        }
        VisitOutcome::Failed { failure } => {
            pages::failed(&keyring.config, visit.app.marketplace, *failure, session).into_response()
        }
    }
}
