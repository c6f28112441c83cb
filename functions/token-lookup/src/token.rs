//! Tokens: by connection, by shop, and after a forced refresh.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, RawQuery, State, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use shop_keyring::{
    audit,
    connection::{Connection, Status},
    names::ShopId,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    apps,
    caller::Caller,
    connections::{ConnectionPath, app, key, segment},
    openapi::{
        examples, parameters,
        problems::{OfRefresh, OfToken, Refused},
    },
    parameters::Parameters,
    problem::Problem,
    router::Keyring,
    serve::{Decision, can_refresh, decide, decide_after_check, decide_after_refresh, refresh_failed},
    views::{RefreshOutcome, TokenView},
    whole_number::whole,
};

/// The routes that serve tokens.
pub(crate) const ROUTES: [&str; 3] = [BY_CONNECTION, BY_SHOP, REFRESH];
pub(crate) const BY_CONNECTION: &str = "/v1/connections/{marketplace}/{app}/{seller_id}/token";
pub(crate) const BY_SHOP: &str = "/v1/shops/{marketplace}/{app}/{shop_id}/token";
pub(crate) const REFRESH: &str = "/v1/connections/{marketplace}/{app}/{seller_id}/refresh";

/// What a token can be asked for with.
pub(crate) const PARAMETERS: &[&str] = &["min_ttl"];

/// Seconds that a token lasts at least, unless the caller says otherwise.
const MIN_TTL: i64 = 60;
const LONGEST_MIN_TTL: i64 = 86_400;

/// How long a token has to last.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes, is never made")]
struct TokenQuery {
    /// Seconds that the token has to last at least. One that does not is refreshed first, if a refresh can help.
    #[param(nullable = false, minimum = 0, maximum = 86_400, default = 60, example = 300)]
    min_ttl: Option<i64>,
}

/// Reads the query of a token.
fn min_ttl(query: Option<&str>) -> Result<i64, Problem> {
    let min_ttl = Parameters::parse(query.unwrap_or_default(), PARAMETERS)?.read("min_ttl", |text| {
        let seconds = text.parse().ok().filter(|seconds| (0..=LONGEST_MIN_TTL).contains(seconds));
        seconds.ok_or_else(|| format!("0 to {LONGEST_MIN_TTL} seconds"))
    })?;
    Ok(min_ttl.unwrap_or(MIN_TTL))
}

/// `GET /v1/connections/{marketplace}/{app}/{seller_id}/token`
#[utoipa::path(
    get,
    path = "/v1/connections/{marketplace}/{app}/{seller_id}/token",
    operation_id = "getToken",
    tag = "Tokens",
    summary = "Get a token that works",
    description = "If the current one does not last for `min_ttl`, it is refreshed first; if that fails and the current \
        one still works, it is served all the same. Temu knows no refresh: its token is served with `refresh` \
        `not_refreshable` and a `notice`.",
    params(parameters::ConnectionPath, TokenQuery),
    responses((status = 200, description = "The token.", body = TokenView), Refused<OfToken>)
)]
pub(crate) async fn by_connection(
    State(keyring): State<Arc<Keyring>>,
    Extension(caller): Extension<Caller>,
    path: ConnectionPath,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (key, min_ttl) = (key(path)?, min_ttl(query.as_deref())?);
    let item = apps::connection(&keyring, &key).await?;
    serve(&keyring, &caller, item, min_ttl).await
}

/// `GET /v1/shops/{marketplace}/{app}/{shop_id}/token`
#[utoipa::path(
    get,
    path = "/v1/shops/{marketplace}/{app}/{shop_id}/token",
    operation_id = "getTokenByShop",
    tag = "Tokens",
    summary = "Get a token that works, by shop",
    description = "As `getToken`, for who knows the shop and not the seller. A shop is found once its connection is active. \
        If several have the shop, the one that was authorized last is served.",
    params(parameters::ShopPath, TokenQuery),
    responses((status = 200, description = "The token.", body = TokenView), Refused<OfToken>)
)]
pub(crate) async fn by_shop(
    State(keyring): State<Arc<Keyring>>,
    Extension(caller): Extension<Caller>,
    Path((marketplace, app_name, shop)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (app, shop, min_ttl) =
        (app(&marketplace, &app_name)?, segment::<ShopId>("shop_id", &shop)?, min_ttl(query.as_deref())?);
    let Some(key) = keyring.connections.connection_of_shop(&app, &shop).await? else {
        return Err(apps::no_connection(&keyring.registry, &app).await);
    };
    let item = apps::connection(&keyring, &key).await?;
    // A pointer may have outlived its shop: the item decides.
    if item.shops.iter().all(|known| known.id != shop) {
        return Err(Problem::ConnectionNotFound);
    }
    serve(&keyring, &caller, item, min_ttl).await
}

/// Which token the marketplace has rejected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RejectedToken, examples(examples::rejected))]
pub(crate) struct Rejected {
    /// The `version` of that token, as it was served. Not higher than the current one.
    #[serde(deserialize_with = "whole")]
    #[schema(example = 7)]
    rejected_version: u64,
}

/// `POST /v1/connections/{marketplace}/{app}/{seller_id}/refresh`: refreshes unless the rejected version is not the
/// current one any more, so that many callers with one dead token cost one exchange. Where the marketplace knows no
/// refresh it is asked whether the token works.
#[utoipa::path(
    post,
    path = "/v1/connections/{marketplace}/{app}/{seller_id}/refresh",
    operation_id = "refreshToken",
    tag = "Tokens",
    summary = "Have a rejected token replaced",
    description = "For a token that the marketplace has rejected before its time. Any number of callers with the same dead \
        token cost one exchange; `refresh` says what came of it. At Temu the token is checked instead.",
    params(parameters::ConnectionPath),
    request_body = Rejected,
    responses((status = 200, description = "A token that works.", body = TokenView), Refused<OfRefresh>)
)]
pub(crate) async fn refresh(
    State(keyring): State<Arc<Keyring>>,
    Extension(caller): Extension<Caller>,
    path: ConnectionPath,
    body: Result<Json<Rejected>, JsonRejection>,
) -> Result<Response, Problem> {
    let (key, Json(Rejected { rejected_version })) = (key(path)?, body?);
    let item = apps::connection(&keyring, &key).await?;
    if rejected_version > item.token_version {
        return Err(Problem::BadRequest("`rejected_version` is higher than the current version: send the `version` of the token answer that was rejected.".into()));
    }
    let now = keyring.connections.now();
    let works = item.access_left(now).is_some_and(|left| left > 0);
    match item.status {
        Status::Pending => return Err(Problem::Pending),
        Status::Disconnected => return Err(Problem::Disconnected),
        Status::Active | Status::ReauthorizationRequired { .. } if item.token_version != rejected_version && works => {
            return answer(&keyring, &caller, &item, Some(RefreshOutcome::Superseded)).await;
        }
        Status::ReauthorizationRequired { reason } => return Err(Problem::ReauthorizationRequired(reason)),
        Status::Active => {}
    }
    if item.has_refresh() { renew(&keyring, &caller, item).await } else { check(&keyring, &caller, item).await }
}

async fn renew(keyring: &Keyring, caller: &Caller, item: Connection) -> Result<Response, Problem> {
    let now = keyring.connections.now();
    if !can_refresh(&item, now) {
        // Only a success leaves no error behind.
        let works = item.access_left(now).is_some_and(|left| left > 0);
        return if works && item.last_error.is_none() {
            answer(keyring, caller, &item, Some(RefreshOutcome::RefreshedRecently)).await
        } else {
            Err(refresh_failed(&item, now))
        };
    }
    let before = item.token_version;
    let item = keyring
        .refresher
        .refresh(&keyring.connections, &keyring.registry, item)
        .await?
        .ok_or(Problem::ConnectionNotFound)?;
    let now = keyring.connections.now();
    match (item.status, decide_after_refresh(&item, now)) {
        (_, Decision::Refuse(problem)) => Err(problem),
        (Status::ReauthorizationRequired { reason }, _) => Err(Problem::ReauthorizationRequired(reason)),
        _ if item.token_version != before => answer(keyring, caller, &item, Some(RefreshOutcome::Refreshed)).await,
        _ => Err(refresh_failed(&item, now)),
    }
}

/// Has the marketplace asked whether the token works, unless that was done just before.
async fn check(keyring: &Keyring, caller: &Caller, item: Connection) -> Result<Response, Problem> {
    let verified_at = item.verified_at;
    let rests = !can_refresh(&item, keyring.connections.now());
    let item = if rests {
        item
    } else {
        keyring
            .refresher
            .refresh(&keyring.connections, &keyring.registry, item)
            .await?
            .ok_or(Problem::ConnectionNotFound)?
    };
    if let Status::ReauthorizationRequired { reason } = item.status {
        return Err(Problem::ReauthorizationRequired(reason));
    }
    let fresh = rests || item.verified_at != verified_at;
    match decide_after_check(&item, fresh, keyring.connections.now()) {
        Decision::Refuse(problem) => Err(problem),
        _ => answer(keyring, caller, &item, Some(RefreshOutcome::NotRefreshable)).await,
    }
}

async fn serve(keyring: &Keyring, caller: &Caller, item: Connection, min_ttl: i64) -> Result<Response, Problem> {
    let item = match decide(&item, min_ttl, keyring.connections.now()) {
        Decision::Serve => item,
        Decision::ServeUnrefreshable => {
            return answer(keyring, caller, &item, Some(RefreshOutcome::NotRefreshable)).await;
        }
        Decision::Refuse(problem) => return Err(problem),
        Decision::Refresh => {
            let item = keyring.refresher.refresh(&keyring.connections, &keyring.registry, item).await?;
            let item = item.ok_or(Problem::ConnectionNotFound)?;
            match decide_after_refresh(&item, keyring.connections.now()) {
                Decision::Refuse(problem) => return Err(problem),
                _ => item,
            }
        }
    };
    answer(keyring, caller, &item, None).await
}

/// The token answer, and the audit's line of it.
async fn answer(
    keyring: &Keyring,
    caller: &Caller,
    item: &Connection,
    refresh: Option<RefreshOutcome>,
) -> Result<Response, Problem> {
    let version = item.secret_version.as_ref().ok_or(Problem::Pending)?;
    let (set, source) = keyring.vault.get(&item.connection, version).await?;
    audit::token_read(item, &caller.arn, &caller.source_ip, source);
    Ok(Json(TokenView::new(item, &set, refresh)).into_response())
}
