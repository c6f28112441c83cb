//! All that a seller reads: what happened, and what to do next, in plain words. No script, nothing from elsewhere.

use std::sync::LazyLock;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use shop_keyring::{
    connect_session::{ConnectFailure, ConnectSession},
    names::AppKeyPath,
};
use url::Url;

use crate::{config::Config, problem::Problem};

const STYLE: &str = include_str!("../templates/style.css");

/// The style sheet's hash, as a content security policy names it.
pub(crate) static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE))));

/// What every page has.
struct Frame<'a> {
    title: String,
    vendor: &'a str,
    support_url: Option<&'a str>,
    style: &'static str,
}

impl<'a> Frame<'a> {
    fn new(config: &'a Config, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            vendor: &config.vendor_name,
            support_url: config.support_url.as_deref(),
            style: STYLE,
        }
    }
}

/// A rendered page.
pub(crate) struct Page(askama::Result<String>);

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
    sites: Vec<SiteLink<'a>>,
}

struct SiteLink<'a> {
    href: String,
    label: String,
    app_name: &'a str,
}

/// What a connect link opens.
pub(crate) fn connect(config: &Config, session: &ConnectSession, token: &str) -> Page {
    let mut apps: Vec<_> = config.apps.iter().collect();
    // "Any other country" makes sense only after the others.
    apps.sort_by_key(|(path, _)| path.app.as_str() == GLOBAL);
    let sites = apps
        .into_iter()
        .map(|(path, site)| SiteLink { href: departure(path, token), label: site_label(path), app_name: &site.name })
        .collect();
    let frame = Frame::new(config, format!("Connect your shop to {}", config.vendor_name));
    Page(ConnectPage { frame, account_label: session.account_label.as_deref(), sites }.render())
}

/// The app for every site that has none of its own.
const GLOBAL: &str = "global";

fn departure(path: &AppKeyPath, token: &str) -> String {
    format!("/connect/{token}/{path}")
}

fn site_label(path: &AppKeyPath) -> String {
    let marketplace = path.marketplace.title();
    match path.app.as_str() {
        "us" => format!("{marketplace} in the United States"),
        GLOBAL => format!("{marketplace} in any other country"),
        other => format!("{marketplace} ({other})"),
    }
}

#[derive(Template)]
#[template(path = "agree.html")]
struct AgreePage<'a> {
    frame: Frame<'a>,
    account_label: &'a str,
    action: String,
    marketplace: &'static str,
}

/// Asks the seller to agree to the account, where nobody else will.
pub(crate) fn agree(config: &Config, session: &ConnectSession, path: &AppKeyPath, token: &str) -> Page {
    let frame = Frame::new(config, "Is this your account?");
    let account_label = session.account_label.as_deref().unwrap_or(session.account_id.as_str());
    let marketplace = path.marketplace.title();
    Page(AgreePage { frame, account_label, action: departure(path, token), marketplace }.render())
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

/// The shop is connected.
pub(crate) fn connected(config: &Config, seller_name: Option<&str>, awaits_confirmation: bool) -> Page {
    let vendor = &config.vendor_name;
    let shop = seller_name.map_or_else(|| "Your shop".to_owned(), |name| format!("“{name}”"));
    let next = if awaits_confirmation {
        format!("Go back to {vendor} within the hour to finish.")
    } else {
        "You have nothing more to do, and can close this page.".into()
    };
    let lines = vec![format!("{shop} is connected to {vendor}."), next];
    Page(
        MessagePage {
            frame: Frame::new(config, "Your shop is connected"),
            mark: Some(Mark::Connected),
            lines,
            back: None,
        }
        .render(),
    )
}

/// A visit that connected nothing. `back` is where its session returns to, and the session's id.
pub(crate) fn failed(config: &Config, failure: ConnectFailure, back: Option<(&str, &str)>) -> Page {
    let vendor = &config.vendor_name;
    let (title, what, next) = match failure {
        ConnectFailure::Denied => (
            "You did not give permission",
            "At TikTok Shop you chose not to authorize the app, so nothing was connected.".to_owned(),
            format!("If that was a mistake, go back to {vendor} and begin again."),
        ),
        ConnectFailure::CodeRefused => (
            "TikTok Shop did not accept this authorization",
            "It was used already, or more than 30 minutes have passed since you authorized the app.".to_owned(),
            format!("Go back to {vendor}, begin again, and authorize the app once more."),
        ),
        ConnectFailure::NotASeller => (
            "This is not a seller account",
            "You were logged in to TikTok Shop as a creator or a partner. Only a seller’s account has shops to connect."
                .to_owned(),
            format!("Log out at TikTok Shop, go back to {vendor}, and log in as the shop’s owner."),
        ),
        ConnectFailure::AccountConflict => (
            "This shop belongs to another account",
            format!("The shop is connected to another {vendor} account already. It was left as it is."),
            format!("Log in to {vendor} with that account, or ask {vendor} to move the shop."),
        ),
        ConnectFailure::Overtaken => (
            "A later authorization came first",
            "The same shop was authorized once more at the same time, and that authorization counts.".to_owned(),
            format!("Look in {vendor} whether the shop is connected; if it is not, begin again."),
        ),
        ConnectFailure::MarketplaceUnavailable => (
            "TikTok Shop did not answer",
            "You did everything right, but TikTok Shop did not answer in time, so nothing was connected.".to_owned(),
            format!("Wait a few minutes, go back to {vendor} and begin again."),
        ),
        ConnectFailure::Misconfigured => misconfigured(vendor),
        ConnectFailure::StorageUnavailable => storage_unavailable(vendor),
        ConnectFailure::BadCallback => bad_callback(vendor),
    };
    let status = if failure == ConnectFailure::Denied { "denied" } else { "failed" };
    let back = back.and_then(|(url, session_id)| {
        let mut url = Url::parse(url).ok()?;
        url.query_pairs_mut().append_pair("session_id", session_id).append_pair("status", status);
        Some(url.into())
    });
    let mark = Some(Mark::NotConnected);
    Page(MessagePage { frame: Frame::new(config, title), mark, lines: vec![what, next], back }.render())
}

/// What went wrong before a visit could end.
pub(crate) fn problem(config: &Config, problem: Problem) -> Page {
    let vendor = &config.vendor_name;
    let begin_again = format!("Go back to {vendor} and begin again from there.");
    let (title, what, next) = match problem {
        Problem::Failed(failure) => return failed(config, failure, None),
        Problem::NotFound => (
            "There is no such page",
            "The address is not one of ours, or it is not complete.".to_owned(),
            format!("Open the link that you got from {vendor} once more, all of it."),
        ),
        Problem::UnknownLink => (
            "This link does not work",
            "It is not complete, or it is too old.".to_owned(),
            format!("Open the whole link once more, or get a new one from {vendor}."),
        ),
        Problem::LinkExpired => (
            "This link has expired",
            "Links to connect a shop work for a limited time only.".to_owned(),
            format!("Get a new link from {vendor}."),
        ),
        Problem::UnknownState => (
            "We do not know this visit",
            "The way back from TikTok Shop does not match a visit that was begun here. Nothing was connected."
                .to_owned(),
            begin_again,
        ),
        Problem::StateExpired => (
            "That took too long",
            "More than 30 minutes have passed since you left for TikTok Shop. Nothing was connected.".to_owned(),
            begin_again,
        ),
        Problem::OtherBrowser => (
            "Please stay in one browser",
            "You began in another browser, or in a private window, or cookies are switched off. Nothing was connected."
                .to_owned(),
            format!("Begin again from {vendor}, and stay in the same browser until the shop is connected."),
        ),
        Problem::OtherApp => (
            "That was for another site",
            "The authorization is for another site of TikTok Shop than the one you left for. Nothing was connected."
                .to_owned(),
            begin_again,
        ),
        Problem::UnderWay => (
            "We are still at work",
            "Your authorization is being worked on, or was interrupted.".to_owned(),
            format!(
                "Wait half a minute and look in {vendor} whether the shop is connected. If it is not, begin again."
            ),
        ),
        Problem::Unsolicited => (
            "Please begin at our side",
            format!(
                "You came here from TikTok Shop without a link from {vendor}, so we cannot know whose shop this is."
            ),
            format!("Log in to {vendor}, choose to connect a shop there, and authorize the app when TikTok Shop asks."),
        ),
        Problem::BadCallback => bad_callback(vendor),
        Problem::Misconfigured => misconfigured(vendor),
        Problem::StorageUnavailable => storage_unavailable(vendor),
    };
    let lines = vec![what, next];
    Page(MessagePage { frame: Frame::new(config, title), mark: None, lines, back: None }.render())
}

type Words = (&'static str, String, String);

fn misconfigured(vendor: &str) -> Words {
    (
        "This is our mistake, not yours",
        format!("{vendor}’s own set-up at TikTok Shop is not in order, so nothing was connected."),
        format!("{vendor} has been told. Please try again later, or ask for help."),
    )
}

fn storage_unavailable(vendor: &str) -> Words {
    (
        "Something went wrong on our side",
        "Your shop could not be stored just now. You did nothing wrong.".to_owned(),
        format!("Wait a few minutes, go back to {vendor} and begin again."),
    )
}

fn bad_callback(vendor: &str) -> Words {
    (
        "TikTok Shop’s answer is not complete",
        "The way back from TikTok Shop lacks the authorization. Nothing was connected.".to_owned(),
        format!("Go back to {vendor} and begin again."),
    )
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
