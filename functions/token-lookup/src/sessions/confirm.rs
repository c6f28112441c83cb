//! What a seller connected is confirmed: `POST /v1/connect-sessions/{session_id}/confirm`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    response::Response,
};
use serde::{Deserialize, Deserializer};
use shop_keyring::{
    connect_session::VisitOutcome,
    connection::grant,
    names::{AccountId, ConnectionKey},
    secret::{Secret, digest},
    store::ApplyError,
    time::Timestamp,
};
use utoipa::ToSchema;

use super::{
    failure,
    view::{SessionView, view},
};
use crate::{
    openapi::{
        examples,
        parameters::SessionPath,
        problems::{OfConfirmation, Refused},
    },
    problem::Problem,
    router::Keyring,
};

/// What the seller carried back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(examples::confirmation))]
pub(crate) struct Confirmation {
    /// The `result` that the seller came back to `return_url` with. A secret: never log it.
    #[schema(value_type = String, format = Password, example = "mN4vBxK8oTiYa2LpRuGdSe9QzJ7V1XkcW0yF3B5tHnM")]
    result: Secret,
    /// The account of the person who is logged in at your side. If the session was opened for another one, nothing is confirmed:
    /// a link of one customer's that another one's seller has opened ends there. Pass it always.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    account_id: Option<AccountId>,
}

/// For a field that may be left out: `null` is a mistake of the caller, and must not turn the check off.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AccountId>, D::Error> {
    AccountId::deserialize(deserializer).map(Some)
}

/// `POST /v1/connect-sessions/{session_id}/confirm`: the seller who came back is the vendor's own. Confirming twice changes
/// nothing more.
#[utoipa::path(
    post,
    path = "/v1/connect-sessions/{session_id}/confirm",
    operation_id = "confirmConnectSession",
    tag = "Connect sessions",
    summary = "Confirm what a seller connected",
    description = "The seller came back to `return_url` with a `result`. Pass the account of the person who is \
        logged in as `account_id`: this makes sure that the session is theirs, and makes the connections of that visit active. Confirming twice changes nothing more.",
    params(SessionPath),
    request_body = Confirmation,
    responses((status = 200, description = "Confirmed; how it stands.", body = SessionView), Refused<OfConfirmation>)
)]
pub(crate) async fn confirm(
    State(keyring): State<Arc<Keyring>>,
    Path(id): Path<String>,
    body: Result<Json<Confirmation>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Confirmation { result, account_id }) = body?;
    let session = keyring.sessions.session(&id).await?.ok_or(Problem::SessionNotFound)?;
    if account_id.is_some_and(|account| account != session.account_id) {
        return Err(Problem::AccountMismatch);
    }
    let result = Secret::new(digest(result.expose()));
    let visits = session.visits.iter().filter(|visit| Secret::new(visit.result.clone()).same_as(&result));
    let outcomes: Vec<_> = visits.map(|visit| &visit.outcome).collect();
    let Some(last) = outcomes.last() else { return Err(Problem::ResultNotFound) };
    let grants = latest_grants(&outcomes);
    // Tokens pasted in one browser share their result: a later one that failed takes nothing from the ones before.
    if let VisitOutcome::Failed { failure } = last
        && grants.is_empty()
    {
        let what = format!("The visit connected nothing ({}). {}", failure.as_str(), failure::detail(*failure));
        return Err(Problem::NothingToConfirm(what));
    }
    let brought = grants.len();
    let mut not_confirmed = Vec::new();
    for (key, granted_at) in grants {
        let confirming = keyring.connections.apply(key, |item| {
            let item = item.ok_or(grant::NothingToConfirm)?;
            grant::confirm(item, &session.account_id, granted_at, keyring.connections.now())
        });
        match confirming.await {
            Ok(item) => {
                tracing::info!(connection = %item.connection, session = session.id, "confirmed");
            }
            Err(ApplyError::Decided(grant::NothingToConfirm)) => not_confirmed.push(key.to_string()),
            Err(ApplyError::Store(error)) => return Err(error.into()),
        }
    }
    if not_confirmed.len() == brought {
        Err(Problem::NothingToConfirm(grant::NothingToConfirm.to_string()))
    } else {
        view(&keyring, &session, not_confirmed).await
    }
}

/// The connections that visits with one result brought, each with the last grant: a token pasted later replaces the
/// one before.
fn latest_grants<'a>(outcomes: &[&'a VisitOutcome]) -> BTreeMap<&'a ConnectionKey, Timestamp> {
    let mut grants = BTreeMap::new();
    for outcome in outcomes {
        if let VisitOutcome::Connected { connections, .. } = outcome {
            for connected in connections {
                let latest = grants.entry(&connected.connection).or_insert(connected.granted_at);
                *latest = connected.granted_at.max(*latest);
            }
        }
    }
    grants
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_records_with_one_result_the_later_grant_counts() {
        let record = |granted_at, missing: &[&str]| VisitOutcome::Connected {
            connections: vec![shop_keyring::connect_session::Connected {
                connection: "temu/us/7".parse().unwrap(),
                granted_at: Timestamp(granted_at),
                seller_name: None,
                awaits_confirmation: true,
                missing_permissions: missing.iter().map(|label| (*label).to_owned()).collect(),
            }],
            failures: Vec::new(),
        };
        let (later, earlier) = (record(9, &["Orders"]), record(5, &[]));
        let grants = latest_grants(&[&later, &earlier]);
        assert_eq!(grants.into_values().collect::<Vec<_>>(), [Timestamp(9)], "two tabs may be written down crosswise");
    }
}
