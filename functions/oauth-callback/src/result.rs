//! The result page: `GET /result/{visit}`. It calls nobody, can be reloaded, and opens only in the visit's browser.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use shop_keyring::{connect_session::VisitOutcome, time::Timestamp};

use crate::{browser, pages, problem::Problem, router::Keyring};

/// How the visit ended.
pub(crate) async fn page(State(keyring): State<Arc<Keyring>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    outcome(&keyring, &id, &headers).await.unwrap_or_else(|problem| problem.page(&keyring))
}

async fn outcome(keyring: &Keyring, id: &str, headers: &HeaderMap) -> Result<Response, Problem> {
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
    match visit.ended.ok_or(Problem::UnderWay)? {
        VisitOutcome::Connected { connections, failures } => {
            Ok(pages::connected(&keyring.config, &connections, &failures).into_response())
        }
        VisitOutcome::Failed { failure } => {
            let back = session.as_ref().and_then(|session| Some((session.return_url.as_deref()?, session.id.as_str())));
            Ok(pages::failed(&keyring.config, visit.app.marketplace, failure, back).into_response())
        }
    }
}
