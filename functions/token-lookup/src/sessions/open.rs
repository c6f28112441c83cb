//! A session is opened: `POST /v1/connect-sessions`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use shop_keyring::{
    audit,
    connect_session::ConnectSession,
    names::{AccountId, AppKeyPath, ConnectionKey, Label},
    secret::{Secret, digest, random_value},
    time::{Moment, Timestamp},
};
use utoipa::ToSchema;

use super::{reconnect::reconnect, return_url};
use crate::{
    apps,
    openapi::{
        examples,
        problems::{Opening, Refused},
    },
    problem::Problem,
    router::Keyring,
    whole_number::whole_or_none,
};

/// Seconds that a session lives unless the caller says otherwise.
const EXPIRES_IN: i64 = 3_600;
const SHORTEST: i64 = 60;
const LONGEST: i64 = 7 * 86_400;

/// Apps that a session can name.
const MOST_APPS: usize = 100;

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
    /// The apps that the seller can choose from, `{marketplace}/{app}`. If absent, all that are `listed` in the registry of
    /// apps. Not together with `reconnect`, which names its app.
    #[schema(min_items = 1, max_items = 100)]
    apps: Option<Vec<AppKeyPath>>,
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
    expires_at: Moment,
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
    for app in session.apps.iter().flatten() {
        apps::app(&keyring.registry, app).await?;
    }
    if let Some(wanted) = wanted {
        session.reconnect = Some(reconnect(&keyring, &wanted, &session.account_id).await?);
    }
    keyring.sessions.open(&session).await?;
    audit::session_opened(&session);
    let base = keyring.config.public_base_url.as_str().trim_end_matches('/');
    let connect_url = format!("{base}/connect/{}", token.expose());
    let opened = Opened { session_id: session.id, connect_url, expires_at: Moment(session.expires_at) };
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
        if let Some(Err(error)) = text.as_deref().map(str::parse::<Label>) {
            return bad(format!("`{name}` must be {}.", error.rule));
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
    if let Some(apps) = &request.apps {
        if !(1..=MOST_APPS).contains(&apps.len()) {
            return bad(format!("`apps` must name 1 to {MOST_APPS} apps; leave it out to offer all that are listed."));
        }
        if request.reconnect.is_some() {
            return bad("`apps` and `reconnect` exclude each other: `reconnect` names its app.".into());
        }
    }
    Ok(ConnectSession {
        id: digest(token.expose()),
        account_id: request.account_id,
        account_label: request.account_label,
        return_url: return_url.map(String::from),
        reference: request.reference,
        apps: request.apps,
        reconnect: None,
        confirm,
        created_at: now,
        expires_at: now.plus(expires_in),
        visits: Vec::new(),
        pasted: 0,
    })
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
            (serde_json::json!({"account_id":"a","return_url":back,"apps":[]}), "apps"),
            (serde_json::json!({"account_id":"a","return_url":back,"apps":vec!["temu/us"; 101]}), "apps"),
            (
                serde_json::json!({"account_id":"a","return_url":back,"apps":["temu/us"],"reconnect":"temu/us/7"}),
                "reconnect",
            ),
        ] {
            let Err(Problem::BadRequest(detail)) = request(&body) else { panic!("{body}") };
            assert!(detail.contains(what), "{detail}");
        }
        assert!(request(&serde_json::json!({"account_id":"a","confirm":false,"account_label":"Acme"})).is_ok());
    }
}
