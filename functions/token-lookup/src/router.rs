//! The routes, and what holds for all of them: identity, limits, canonical paths, only what a route
//! takes, no caching, a time limit, one log line.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use lambda_http::request::RequestContext;
use shop_keyring::{
    audit, metrics,
    names::MarketplaceName,
    registry::AppRegistry,
    store::{Connections, Sessions},
    vault::{CachedVault, SecretsManagerVault},
};

use tracing::Instrument;

use crate::{
    caller,
    code::Code,
    config::Config,
    connections, intake, listing, openapi, paths,
    problem::{Details, Problem},
    refresher::Refresher,
    sessions, token,
};

/// Every answer comes within this; API Gateway cuts at 30 seconds.
const TIME_LIMIT: Duration = Duration::from_secs(19);

/// Everything that is built once per execution environment.
pub(crate) struct Keyring {
    pub(crate) config: Config,
    pub(crate) connections: Connections,
    pub(crate) sessions: Sessions,
    pub(crate) vault: CachedVault<SecretsManagerVault>,
    pub(crate) refresher: Refresher,
    pub(crate) registry: AppRegistry,
}

impl Keyring {
    pub(crate) async fn new(config: Config) -> Self {
        let aws = shop_keyring::aws::load().await;
        let secrets = aws_sdk_secretsmanager::Client::new(&aws);
        Self {
            connections: Connections::new(&aws, &config.connections_table).recording_events(config.event_bus.is_some()),
            sessions: Sessions::new(&aws, &config.sessions_table),
            registry: AppRegistry::new(secrets.clone(), &config.secret_prefix),
            vault: CachedVault::new(SecretsManagerVault::new(secrets, &config.secret_prefix)),
            refresher: Refresher::new(&aws, &config.refresh_function),
            config,
        }
    }
}

/// All routes. What is none of them, or not of their methods, is answered by [`intake`].
pub(crate) fn router(keyring: Arc<Keyring>) -> Router {
    Router::new()
        .route("/v1/connections", get(listing::list))
        .route(
            "/v1/connections/{marketplace}/{app}/{seller_id}",
            get(connections::get).patch(connections::patch).delete(connections::delete),
        )
        .route(token::BY_CONNECTION, get(token::by_connection))
        .route(token::REFRESH, post(token::refresh))
        .route(token::BY_SHOP, get(token::by_shop))
        .route("/v1/connect-sessions", post(sessions::open::open))
        .route("/v1/connect-sessions/{session_id}", get(sessions::view::get))
        .route("/v1/connect-sessions/{session_id}/confirm", post(sessions::confirm::confirm))
        .route("/v1/openapi.json", get(openapi::get))
        .layer(middleware::from_fn(intake::check))
        .layer(middleware::from_fn(paths::require_canonical))
        .layer(middleware::from_fn(intake::limit_headers))
        .layer(middleware::from_fn(caller::require))
        .layer(middleware::from_fn(answer))
        .with_state(keyring)
}

/// Around every request: the time limit, the headers that all answers have, and the log line, which has the route's
/// template and never its path.
async fn answer(request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", |path| path.as_str()).to_owned();
    let marketplace = marketplace_in(request.uri().path());
    let request_id = request_id(&request);
    let caller = caller::identity(request.extensions().get()).map_or_else(String::new, |caller| caller.arn);
    let span = tracing::info_span!(target: audit::TARGET, "request", request_id, caller);
    let answered = tokio::time::timeout(TIME_LIMIT, next.run(request).instrument(span)).await;
    let mut response = answered.unwrap_or_else(|_| {
        tracing::error!(alarm = "time_limit", route, request_id, "no answer in time");
        if token::ROUTES.contains(&route.as_str()) {
            match marketplace {
                Some(marketplace) if !marketplace.has_refresh() => Problem::CheckFailed { retry_after: 5 },
                _ => Problem::RefreshFailed { retry_after: 5 },
            }
            .into_response()
        } else {
            Problem::StorageUnavailable.into_response()
        }
    });
    Details::sign(&mut response, &request_id, &method);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", id);
    }
    let (status, milliseconds) = (response.status().as_u16(), started.elapsed().as_millis());
    let code = response.extensions().get::<Code>().map(|code| code.as_str());
    tracing::info!(%method, route, status, code, milliseconds, request_id, caller, "request");
    if token::ROUTES.contains(&route.as_str()) {
        metrics::lookup(marketplace, code.unwrap_or("served"));
    }
    metrics::flush();
    response
}

/// The marketplace that a path under `/v1/connections` or `/v1/shops` names.
fn marketplace_in(path: &str) -> Option<MarketplaceName> {
    path.split('/').nth(3)?.parse().ok()
}

fn request_id(request: &Request) -> String {
    match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone().unwrap_or_default(),
        _ => String::new(),
    }
}
