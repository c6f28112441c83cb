//! Connect sessions: opening one, how it went, and the confirmation by the vendor's logged-in backend.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use shop_keyring::{
    connect_session::{ConnectFailure, ConnectSession, VisitOutcome},
    connection::{Connection, Status, grant},
    names::{AccountId, ConnectionKey},
    secret::{Secret, digest, random_value},
    store::ApplyError,
    time::Timestamp,
};
use utoipa::ToSchema;

use crate::{
    failure,
    openapi::{
        examples,
        parameters::SessionPath,
        problems::{OfConfirmation, OfSession, Opening, Refused},
    },
    problem::Problem,
    reconnect::reconnect,
    return_url,
    router::Keyring,
    views::Time,
    whole_number::whole_or_none,
};

/// Seconds that a session lives unless the caller says otherwise.
const EXPIRES_IN: i64 = 3_600;
const SHORTEST: i64 = 60;
const LONGEST: i64 = 7 * 86_400;

/// Longest label or reference, in characters.
const LONGEST_TEXT: usize = 256;

/// What is to be connected, for whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConnectSessionRequest, examples(examples::open_request, examples::mailed_request))]
pub(crate) struct OpenRequest {
    /// Your customer that the connections will belong to.
    account_id: AccountId,
    /// What the seller reads on the page; needed when `confirm` is false.
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
        example = "Ann's Attic"
    )]
    account_label: Option<String>,
    /// Where the seller comes back to: an address under one of the installation's `RETURN_URLS`, by exact origin and whole
    /// path segments. Needed unless `confirm` is false.
    #[schema(format = "uri", example = "https://vendor.example/shops/connected")]
    return_url: Option<String>,
    /// A note of yours, handed back.
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
        example = "ticket 4711"
    )]
    reference: Option<String>,
    /// The one connection that the session is for, of this account: the seller is led to its app only, and another
    /// seller's authorization is refused for it.
    reconnect: Option<ConnectionKey>,
    /// Whether a connection new to the account is `pending` until you confirm it. If false, the seller agrees to the
    /// `account_label` by a button instead.
    #[schema(default = true, example = true)]
    confirm: Option<bool>,
    /// Seconds until the session ends.
    #[serde(default, deserialize_with = "whole_or_none")]
    #[schema(minimum = 60, maximum = 604_800, default = 3_600, example = 3_600)]
    expires_in: Option<i64>,
}

/// A connect session just opened.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenedConnectSession, examples(examples::opened))]
struct Opened {
    /// Names the session from now on. Not secret.
    #[schema(example = "V1XkQzJ7m3F0cW9yB5tHn2LpRuGdSe8aKoTiYxNvM4Q")]
    session_id: String,
    /// Send the seller there. Whoever has it can connect a shop to this account: never log it.
    #[schema(format = Password, read_only, example = "https://connect.vendor.example/connect/Zk3v9QeXw1Yt7RbN5mHc2LpJuGdSf8aKoTiVxMyB4Ws")]
    connect_url: String,
    /// When the session ends.
    expires_at: Time,
}

/// `POST /v1/connect-sessions`
#[utoipa::path(
    post,
    path = "/v1/connect-sessions",
    operation_id = "openConnectSession",
    tag = "Connect sessions",
    summary = "Open a connect session",
    description = "One visit of a seller, who connects stores for one account. Send the seller to `connect_url`.",
    request_body = OpenRequest,
    responses((status = 201, description = "Opened.", body = Opened), Refused<Opening>)
)]
pub(crate) async fn open(
    State(keyring): State<Arc<Keyring>>,
    body: Result<Json<OpenRequest>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(request) = body?;
    let token = random_value();
    let wanted = request.reconnect.clone();
    let mut session = session(request, &keyring.config.return_urls, &token, Timestamp::local_now())?;
    if let Some(wanted) = wanted {
        session.reconnect = Some(reconnect(&keyring, &wanted, &session.account_id).await?);
    }
    keyring.sessions.open(&session).await?;
    let base = keyring.config.public_base_url.as_str().trim_end_matches('/');
    let connect_url = format!("{base}/connect/{}", token.expose());
    let opened = Opened { session_id: session.id, connect_url, expires_at: Time(session.expires_at) };
    Ok((StatusCode::CREATED, Json(opened)).into_response())
}

/// Checks a request and makes the session of it.
fn session(
    request: OpenRequest,
    allowed: &[url::Url],
    token: &Secret,
    now: Timestamp,
) -> Result<ConnectSession, Problem> {
    let bad = |what: String| Err(Problem::BadRequest(what));
    let confirm = request.confirm.unwrap_or(true);
    let expires_in = request.expires_in.unwrap_or(EXPIRES_IN);
    if !(SHORTEST..=LONGEST).contains(&expires_in) {
        return bad(format!("`expires_in` must be {SHORTEST} to {LONGEST} seconds."));
    }
    for (name, text) in [("account_label", &request.account_label), ("reference", &request.reference)] {
        let valid = |text: &String| {
            !text.trim().is_empty() && text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control)
        };
        if !text.as_ref().is_none_or(valid) {
            return bad(format!("`{name}` must be 1 to {LONGEST_TEXT} characters without control characters."));
        }
    }
    let return_url = request.return_url.as_deref().map(|url| return_url::check(url, allowed)).transpose()?;
    if confirm && return_url.is_none() {
        return bad(
            "`return_url` is needed: the seller carries the `result` to it that you confirm. Without one, set \
                    `confirm` to false and give an `account_label` for the seller to agree to."
                .into(),
        );
    }
    if !confirm && request.account_label.is_none() {
        return bad("`account_label` is needed when `confirm` is false: the seller agrees to it by a button.".into());
    }
    Ok(ConnectSession {
        id: digest(token.expose()),
        account_id: request.account_id,
        account_label: request.account_label,
        return_url: return_url.map(String::from),
        reference: request.reference,
        reconnect: None,
        confirm,
        created_at: now,
        expires_at: now.plus(expires_in),
        visits: Vec::new(),
        pasted: 0,
    })
}

/// How a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(
    as = ConnectSessionStatus,
    description = "How a session stands. `open`: the seller has not been there yet, or is under way. \
        `awaiting_confirmation`: something is connected and waits for your confirmation. `finished`: something is \
        connected. `failed`: the last visit connected nothing. `expired`: its time is over, and nobody came."
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
struct SessionView<'a> {
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
    created_at: Time,
    /// When it ends.
    expires_at: Time,
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
    /// After a confirmation: the connections that the result had stood for, too, and that are not there any more.
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
    authorized_at: Time,
    /// Until when it has to be confirmed, while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_by: Option<Time>,
    /// Labels of permissions that you need and the seller did not grant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(min_items = 1, example = json!(["Orders"]))]
    missing_permissions: Vec<String>,
}

/// `GET /v1/connect-sessions/{id}`
#[utoipa::path(
    get,
    path = "/v1/connect-sessions/{id}",
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

async fn view(keyring: &Keyring, session: &ConnectSession, not_confirmed: Vec<String>) -> Result<Response, Problem> {
    let mut connections = Vec::new();
    for (key, brought) in connected(session) {
        // A connection that nobody confirmed is gone after its hour, or belongs to somebody else by now.
        let item = keyring.connections.get(key).await?;
        let now = keyring.connections.now();
        if let Some(item) = item.filter(|item| stands(item, session, brought.granted_at, now)) {
            connections.push(Connected {
                connection: key.to_string(),
                status: item.status,
                authorized_at: Time(brought.authorized_at),
                confirm_by: item.confirm_by.map(Time),
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
        created_at: Time(session.created_at),
        expires_at: Time(session.expires_at),
        connections,
        failure: failure.map(ConnectFailure::as_str),
        failure_detail: failure.map(failure::detail),
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
                entry.authorized_at = authorized_at.max(entry.authorized_at);
                entry.missing_permissions = &it.missing_permissions;
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

/// What the seller carried back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(examples::confirmation))]
pub(crate) struct Confirmation {
    /// The `result` that the seller came back to `return_url` with. A secret: never log it.
    #[schema(value_type = String, format = Password, example = "mN4vBxK8oTiYa2LpRuGdSe9QzJ7V1XkcW0yF3B5tHnM")]
    result: Secret,
}

/// `POST /v1/connect-sessions/{id}/confirm`: the seller who came back is the vendor's own. Confirming twice changes
/// nothing more.
#[utoipa::path(
    post,
    path = "/v1/connect-sessions/{id}/confirm",
    operation_id = "confirmConnectSession",
    tag = "Connect sessions",
    summary = "Confirm what a seller connected",
    description = "The seller came back to `return_url` with a `result`. Check that the session belongs to whoever is \
        logged in; then this makes the connections of that visit active. Confirming twice changes nothing more.",
    params(SessionPath),
    request_body = Confirmation,
    responses((status = 200, description = "Confirmed; how it stands.", body = SessionView), Refused<OfConfirmation>)
)]
pub(crate) async fn confirm(
    State(keyring): State<Arc<Keyring>>,
    Path(id): Path<String>,
    body: Result<Json<Confirmation>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Confirmation { result }) = body?;
    let session = keyring.sessions.session(&id).await?.ok_or(Problem::SessionNotFound)?;
    let result = Secret::new(digest(result.expose()));
    let visits = session.visits.iter().filter(|visit| Secret::new(visit.result.clone()).same_as(&result));
    let outcomes: Vec<_> = visits.map(|visit| &visit.outcome).collect();
    let Some(last) = outcomes.last() else { return Err(Problem::ResultNotFound) };
    let grants = latest_grants(&outcomes);
    // Tokens pasted in one browser share their result: a later one that failed takes nothing from the ones before.
    if let VisitOutcome::Failed { failure } = last
        && grants.is_empty()
    {
        let what = format!("The visit connected nothing ({}).", failure.as_str());
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

    fn request(json: &serde_json::Value) -> Result<ConnectSession, Problem> {
        let allowed = ["https://app.example/shops".parse().unwrap()];
        let request = serde_json::from_value(json.clone()).unwrap();
        session(request, &allowed, &Secret::new("token"), Timestamp(1_000))
    }

    #[test]
    fn a_session_needs_a_way_to_be_confirmed() {
        let back = "https://app.example/shops/done";
        let opened = request(&serde_json::json!({"account_id":"a","return_url":back})).unwrap();
        assert!(opened.confirm);
        assert_eq!((opened.id.as_str(), opened.expires_at), (digest("token").as_str(), Timestamp(4_600)));
        for (body, what) in [
            (serde_json::json!({"account_id":"a"}), "return_url"),
            (serde_json::json!({"account_id":"a","confirm":false}), "account_label"),
            (serde_json::json!({"account_id":"a","return_url":back,"expires_in":59}), "expires_in"),
            (serde_json::json!({"account_id":"a","return_url":back,"expires_in":604_801}), "expires_in"),
            (serde_json::json!({"account_id":"a","return_url":back,"reference":"\u{7}"}), "reference"),
            (serde_json::json!({"account_id":"a","return_url":"https://evil.example"}), "return_url"),
        ] {
            let Err(Problem::BadRequest(detail)) = request(&body) else { panic!("{body}") };
            assert!(detail.contains(what), "{detail}");
        }
        assert!(request(&serde_json::json!({"account_id":"a","confirm":false,"account_label":"Acme"})).is_ok());
    }

    #[test]
    fn a_session_tells_how_it_stands() {
        let with = |status| {
            [Connected {
                connection: "tiktok-shop/us/7".into(),
                status,
                authorized_at: Time(Timestamp(9)),
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
