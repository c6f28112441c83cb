//! The page on which a local seller says yes or no to an app that sent them here: the code flow.

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Query, State};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use serde::Deserialize;
use url::Url;

use super::app::{App, Region};
use super::seller::Seller;
use super::seller_centre::{PLATFORM, Refused};
use super::world::{Shared, World};
use crate::html::{self, escape};

const PATH: &str = "/open-platform/client-manage/authorization";

pub(super) fn routes() -> Router<Shared> {
    Router::new().route(PATH, get(show).post(decide))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Link {
    app_key: String,
    #[serde(rename = "redirect_uri")]
    redirect_uri: String,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    link: Link,
    seller: Option<String>,
    /// There only if ticked.
    sub_account: Option<String>,
    decision: Decision,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Approve,
    Deny,
}

async fn show(State(shared): State<Shared>, Query(link): Query<Link>) -> Result<Response<Body>, Refused> {
    let state = shared.lock();
    let app = linked_app(&state.world, &link)?;
    Ok(html::page(StatusCode::OK, PLATFORM, &decision_page(&state.world, app, &link)))
}

async fn decide(State(shared): State<Shared>, Form(answer): Form<Answer>) -> Result<Response<Body>, Refused> {
    let mut state = shared.lock();
    let now = state.now();
    let Answer { link, seller, sub_account, decision } = answer;
    let app_key = linked_app(&state.world, &link)?.app_key.clone();
    let given = link.state.as_deref();
    let callback = match (decision, seller) {
        (Decision::Deny, _) => state.world.deny(&app_key, given)?,
        (Decision::Approve, _) if sub_account.is_some() => return Err(Refused::sub_account()),
        (Decision::Approve, Some(seller)) => state.world.authorize(&app_key, &seller, given, now)?,
        (Decision::Approve, None) => return Err(Refused::bad_request("Choose an account first.")),
    };
    Ok(html::redirect(callback.as_str()))
}

/// The app, if the link is one that its vendor has set up.
fn linked_app<'a>(world: &'a World, link: &Link) -> Result<&'a App, Refused> {
    let app = world.app(&link.app_key)?;
    let redirect_uri: Option<Url> = link.redirect_uri.parse().ok();
    if redirect_uri.is_none() || redirect_uri != app.redirect_url {
        return Err(Refused::bad_request("The redirect_uri is not the one that the app has registered."));
    }
    Ok(app)
}

fn decision_page(world: &World, app: &App, link: &Link) -> String {
    let eligible = world.sellers().filter(|seller| seller.local_malls(app.region).next().is_some());
    let accounts: String = eligible.enumerate().map(|(at, seller)| choice(seller, app.region, at == 0)).collect();
    let accounts = if accounts.is_empty() {
        "<p>The simulator has no account with a local mall in this app's region yet.</p>".to_owned()
    } else {
        format!(
            r#"<fieldset><legend>Seller account</legend>{accounts}
<label><input type="checkbox" name="sub_account" value="yes"> I am logged in to a sub-account of it</label></fieldset>"#
        )
    };
    let state = link.state.as_deref().map_or_else(String::new, |state| hidden("state", state));
    format!(
        r#"<h1>Authorize {name}?</h1>
<p>{name} asks for access to your store.</p>
<form method="post" action="{PATH}">
{app_key}{redirect_uri}{state}
{accounts}
<p><button name="decision" value="approve">Approve</button>
<button name="decision" value="deny" class="quiet">Deny</button></p>
</form>"#,
        name = escape(&app.name),
        app_key = hidden("appKey", &link.app_key),
        redirect_uri = hidden("redirect_uri", &link.redirect_uri),
    )
}

fn choice(seller: &Seller, region: Region, chosen: bool) -> String {
    let malls: Vec<&str> = seller.local_malls(region).map(|mall| mall.name.as_str()).collect();
    format!(
        r#"<label><input type="radio" name="seller" value="{id}"{checked}> <b>{name}</b> <small>{malls}</small></label>"#,
        id = escape(&seller.id),
        checked = if chosen { " checked" } else { "" },
        name = escape(&seller.name),
        malls = escape(&malls.join(", ")),
    )
}

fn hidden(name: &str, value: &str) -> String {
    format!(r#"<input type="hidden" name="{name}" value="{}">"#, escape(value))
}
