//! All that a seller reads: what happened, and what to do next, in plain words. No script, nothing from elsewhere.

mod words;

use std::sync::LazyLock;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use shop_keyring::{
    connect_session::{ConnectFailure, ConnectSession, Connected, Reconnect},
    connection::Purpose,
    names::{AppKeyPath, MarketplaceName},
    registry::{AppConfig, Market, Registration, Registry},
};
use url::Url;

use crate::{config::Config, problem::Problem, temu};

const STYLE: &str = include_str!("../../templates/style.css");

/// The style sheet's hash, as a content security policy names it.
pub(crate) static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE))));

/// What every page has.
pub(crate) struct Frame<'a> {
    pub(crate) title: String,
    pub(crate) vendor: &'a str,
    pub(crate) support_url: Option<&'a str>,
    pub(crate) style: &'static str,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(config: &'a Config, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            vendor: &config.vendor_name,
            support_url: config.support_url.as_deref(),
            style: STYLE,
        }
    }
}

/// A rendered page.
pub(crate) struct Page(pub(crate) askama::Result<String>);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        match self.0 {
            Ok(page) => Html(page).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page cannot be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

#[derive(Template)]
#[template(path = "connect.html")]
struct ConnectPage<'a> {
    frame: Frame<'a>,
    account_label: Option<&'a str>,
    wanted: Option<String>,
    sites: Vec<SiteLink>,
}

struct SiteLink {
    href: String,
    label: String,
    note: String,
}

/// What a connect link opens.
pub(crate) fn connect(config: &Config, registry: &Registry, session: &ConnectSession, token: &str) -> Page {
    let (temu, mut apps): (Vec<_>, Vec<_>) =
        registry.offered(session).partition(|(path, _)| path.marketplace == MarketplaceName::Temu);
    // "Any other country" makes sense only after the others.
    apps.sort_by_key(|(_, app)| is_for_any_other_country(app));
    let mut sites: Vec<_> = apps
        .into_iter()
        .map(|(path, app)| SiteLink {
            href: departure(path, token),
            label: site_label(app),
            note: format!("asks for the app “{}”", app.name),
        })
        .collect();
    if !temu.is_empty() {
        let href = format!("/connect/{token}/{}", MarketplaceName::Temu);
        let note = "local and cross-border stores; you will see each step".to_owned();
        sites.push(SiteLink { href, label: MarketplaceName::Temu.title().to_owned(), note });
    }
    let frame = Frame::new(config, format!("Connect your shop to {}", config.vendor_name));
    let wanted = session.reconnect.as_ref().map(|reconnect| wanted(reconnect, registry));
    Page(ConnectPage { frame, account_label: session.account_label.as_deref(), wanted, sites }.render())
}

/// The one connection that a session is for: its name, and where it is.
pub(crate) fn wanted(reconnect: &Reconnect, registry: &Registry) -> String {
    let path = &reconnect.connection.app;
    let Some(app) = registry.get(path) else { return reconnect.name() };
    let place = match (path.marketplace, reconnect.purpose) {
        (MarketplaceName::TikTokShop, _) => site_label(app),
        (MarketplaceName::Temu, Purpose::All) => format!("Temu, {}", temu::place(app)),
        (MarketplaceName::Temu, Purpose::Product) => "Temu, product token".to_owned(),
        (MarketplaceName::Temu, Purpose::Order) => format!("Temu, order token, {}", temu::place(app)),
        (MarketplaceName::Temu, Purpose::Compliance) => "Temu, compliance token".to_owned(),
    };
    format!("{} ({place})", reconnect.name())
}

fn departure(path: &AppKeyPath, token: &str) -> String {
    format!("/connect/{token}/{path}")
}

fn is_for_any_other_country(app: &AppConfig) -> bool {
    matches!(app.registration, Registration::TikTokShop { market: Market::Global, .. })
}

/// The vendor's label of an app at TikTok Shop, or its market.
fn site_label(app: &AppConfig) -> String {
    let marketplace = MarketplaceName::TikTokShop.title();
    match &app.label {
        Some(label) => label.clone(),
        None if is_for_any_other_country(app) => format!("{marketplace} in any other country"),
        None => format!("{marketplace} in the United States"),
    }
}

#[derive(Template)]
#[template(path = "agree.html")]
struct AgreePage<'a> {
    frame: Frame<'a>,
    account_label: &'a str,
    wanted: Option<String>,
    action: String,
    marketplace: &'static str,
}

/// Asks the seller to agree to the account, where nobody else will.
pub(crate) fn agree(
    config: &Config,
    registry: &Registry,
    session: &ConnectSession,
    path: &AppKeyPath,
    token: &str,
) -> Page {
    let frame = Frame::new(config, "Is this your account?");
    let account_label = session.account_label.as_deref().unwrap_or(session.account_id.as_str());
    let marketplace = path.marketplace.title();
    let wanted = session.reconnect.as_ref().map(|reconnect| wanted(reconnect, registry));
    Page(AgreePage { frame, account_label, wanted, action: departure(path, token), marketplace }.render())
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    frame: Frame<'a>,
    mark: Option<Mark>,
    lines: Vec<String>,
    back: Option<String>,
}

/// What a page says at a glance.
enum Mark {
    Connected,
    NotConnected,
}

/// What a visit has connected, and why the rest of it was not. `back` is where the seller goes on to.
pub(crate) fn connected(
    config: &Config,
    connections: &[Connected],
    failures: &[ConnectFailure],
    back: Option<String>,
) -> Page {
    let vendor = &config.vendor_name;
    let mut lines = Vec::new();
    for connected in connections {
        let shop = connected.seller_name.as_ref().map_or_else(|| "Your shop".to_owned(), |name| format!("“{name}”"));
        lines.push(format!("{shop} is connected to {vendor}."));
        if !connected.missing_permissions.is_empty() {
            let labels = connected.missing_permissions.join(", ");
            lines.push(format!(
                "Some permissions that {vendor} needs are missing: {labels}. Please authorize the app once more and \
                 tick them."
            ));
        }
    }
    let marketplace = connections.first().map_or(MarketplaceName::TikTokShop, |it| it.connection.app.marketplace);
    for failure in failures {
        let (_, what, next) = words::of_failure(vendor, marketplace, *failure, None);
        lines.push(format!("A further store was not connected. {what} {next}"));
    }
    lines.push(if connections.iter().any(|connected| connected.awaits_confirmation) {
        format!("Go back to {vendor} within the hour to finish.")
    } else {
        "You have nothing more to do, and can close this page.".into()
    });
    let title = if connections.len() > 1 { "Your shops are connected" } else { "Your shop is connected" };
    let (frame, mark) = (Frame::new(config, title), Some(Mark::Connected));
    Page(MessagePage { frame, mark, lines, back }.render())
}

/// A visit that connected nothing, and its session, if it had one: where that returns to, and what it was for.
pub(crate) fn failed(
    config: &Config,
    marketplace: MarketplaceName,
    failure: ConnectFailure,
    session: Option<&ConnectSession>,
) -> Page {
    let wanted = session.and_then(|session| session.reconnect.as_ref()).map(Reconnect::name);
    let (title, what, next) = words::of_failure(&config.vendor_name, marketplace, failure, wanted.as_deref());
    let status = if failure == ConnectFailure::Denied { "denied" } else { "failed" };
    let back = session.and_then(|session| {
        let mut url = Url::parse(session.return_url.as_deref()?).ok()?;
        url.query_pairs_mut().append_pair("session_id", &session.id).append_pair("status", status);
        Some(url.into())
    });
    let mark = Some(Mark::NotConnected);
    Page(MessagePage { frame: Frame::new(config, title), mark, lines: vec![what, next], back }.render())
}

/// What went wrong before a visit could end.
pub(crate) fn problem(config: &Config, problem: Problem) -> Page {
    if let Problem::Failed(marketplace, failure) = problem {
        return failed(config, marketplace, failure, None);
    }
    let (title, what, next) = words::of_problem(&config.vendor_name, problem);
    let lines = vec![what, next];
    Page(MessagePage { frame: Frame::new(config, title), mark: None, lines, back: None }.render())
}

#[cfg(test)]
mod tests;
