//! The routes, and what holds for every page: no script, nothing from elsewhere, no caching, no referrer, one log line.

use std::{fmt::Display, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderValue, header, header::InvalidHeaderValue},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use lambda_http::{Error, request::RequestContext};
use shop_keyring::{
    apps::{App, AppError, Apps},
    audit,
    connect_session::ConnectSession,
    marketplace::{Marketplaces, http},
    metrics,
    names::AppKeyPath,
    protocol::{Protocol, evidence::SharedEvidence, health::SharedHealth, webhooks::RemovalBreaker},
    registry::{Registry, RegistryError},
    store::{Connections, Sessions},
    vault::SecretsManagerVault,
};

use tracing::Instrument;

use crate::{callback, config::Config, connect, pages::STYLE_HASH, problem::Problem, result, temu, webhook};

/// Everything that is built once per execution environment.
pub(crate) struct Keyring {
    pub(crate) config: Config,
    pub(crate) sessions: Sessions,
    pub(crate) protocol: Protocol<Marketplaces, SecretsManagerVault>,
}

impl Keyring {
    pub(crate) async fn new(config: Config) -> Result<Self, Error> {
        let aws = shop_keyring::aws::load().await;
        let secrets = aws_sdk_secretsmanager::Client::new(&aws);
        Ok(Self {
            sessions: Sessions::new(&aws, &config.sessions_table),
            protocol: Protocol {
                marketplace: Marketplaces::new(http::client()?),
                vault: SecretsManagerVault::new(secrets.clone(), &config.secret_prefix)
                    .encrypting_with(config.secrets_kms_key.clone()),
                connections: Connections::new(&aws, &config.connections_table)
                    .recording_events(config.event_bus.is_some()),
                apps: Apps::new(secrets, &config.secret_prefix),
                public_base_url: config.public_base_url.clone(),
                removals: RemovalBreaker::default(),
                evidence: SharedEvidence::default(),
                health: SharedHealth::default(),
            },
            config,
        })
    }
}

/// Why an app cannot be used. The reason is in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NoApp {
    /// Secrets Manager does not respond, or the registry was never read: later.
    NotNow,
    /// The vendor's configuration is wrong.
    Misconfigured,
}

impl From<RegistryError> for NoApp {
    fn from(_: RegistryError) -> Self {
        Self::NotNow
    }
}

impl Keyring {
    /// The registry of apps, with every app that this session names, if it exists at all.
    pub(crate) async fn registry_for(&self, session: &ConnectSession) -> Result<Arc<Registry>, NoApp> {
        let registry = self.protocol.apps.registry();
        for path in session.named_apps() {
            registry.find(path).await?;
        }
        Ok(registry.current().await?)
    }

    /// Whether the registry has this app.
    pub(crate) async fn knows(&self, path: &AppKeyPath) -> Result<bool, NoApp> {
        Ok(self.protocol.apps.registry().find(path).await?.is_some())
    }

    /// The app with its credentials.
    pub(crate) async fn app(&self, path: &AppKeyPath) -> Result<Arc<App>, NoApp> {
        self.protocol.apps.get(path).await.map_err(|error| match error {
            AppError::Registry(error) => NoApp::from(error),
            AppError::Unavailable { .. } => {
                tracing::warn!(app = %path, %error, "the app's credentials are unavailable now");
                NoApp::NotNow
            }
            AppError::NotSetUp(_) | AppError::Unreadable { .. } | AppError::Malformed { .. } => {
                tracing::error!(alarm = "configuration_fault", app = %path, %error, "the app cannot be used");
                NoApp::Misconfigured
            }
        })
    }

    /// Records that the marketplace does not accept the app.
    pub(crate) fn note_rejected(&self, path: &AppKeyPath, fault: &impl Display) {
        self.protocol.apps.forget(path);
        tracing::error!(alarm = "configuration_fault", app = %path, %fault, "the marketplace rejects the app");
    }
}

/// Marks a response whose form leads to a marketplace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormLeadsAway;

/// One style sheet, known by its hash. Browsers check every redirect after a form against `form-action`, also those that
/// the marketplace makes to its login or to its app, and the URL schemes of apps are not published. So where a form leads
/// there, the directive is left out: `docs/adr/0022-forms-that-lead-to-a-marketplace.md`.
fn content_policy(form_leads_away: bool) -> Result<HeaderValue, InvalidHeaderValue> {
    let forms = if form_leads_away { "" } else { "form-action 'self'; " };
    HeaderValue::from_str(&format!(
        "default-src 'none'; style-src '{}'; {forms}base-uri 'none'; frame-ancestors 'none'",
        *STYLE_HASH
    ))
}

/// All routes.
pub(crate) fn router(keyring: Arc<Keyring>) -> Router {
    Router::new()
        .route("/connect/{session}", get(connect::page))
        .route("/connect/{session}/temu", get(temu::page).post(temu::paste))
        .route("/connect/{session}/{marketplace}/{app}", get(connect::leave).post(connect::agree_and_leave))
        .route("/callback/{marketplace}/{app}", get(callback::come_back))
        .route("/result/{visit}", get(result::page))
        .method_not_allowed_fallback(async |State(keyring): State<Arc<Keyring>>| Problem::NotFound.page(&keyring))
        .fallback(async |State(keyring): State<Arc<Keyring>>| Problem::NotFound.page(&keyring))
        .layer(DefaultBodyLimit::max(temu::LONGEST_FORM))
        .route(
            "/webhooks/tiktok-shop/{app}",
            post(webhook::receive)
                .layer(DefaultBodyLimit::max(webhook::LONGEST_BODY))
                .fallback(async || webhook::NotTaken::OtherMethod),
        )
        .layer(middleware::from_fn(answer))
        .with_state(keyring)
}

/// Around every request: the headers of all answers, and the log line, which has the route's template and never its
/// path.
async fn answer(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", |path| path.as_str()).to_owned();
    let request_id = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone().unwrap_or_default(),
        _ => String::new(),
    };
    let span = tracing::info_span!(target: audit::TARGET, "request", request_id);
    let mut response = next.run(request).instrument(span).await;
    let form_leads_away = response.extensions().get::<FormLeadsAway>().is_some();
    let headers = response.headers_mut();
    match content_policy(form_leads_away) {
        Ok(policy) => drop(headers.insert(header::CONTENT_SECURITY_POLICY, policy)),
        Err(error) => tracing::error!(%error, "a page has no content security policy"),
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", id);
    }
    let (status, milliseconds) = (response.status().as_u16(), started.elapsed().as_millis());
    tracing::info!(%method, route, status, milliseconds, request_id, "request");
    metrics::flush();
    response
}
