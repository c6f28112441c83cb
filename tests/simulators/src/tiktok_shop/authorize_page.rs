//! The page on which a seller says yes or no to an app.

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Query, State};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use serde::Deserialize;

use super::app::App;
use super::seller::Seller;
use super::world::{Shared, World};
use crate::html::{self, escape};

const UNKNOWN_APP: &str = "No app has this service id or app key.";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/open/authorize", get(show).post(decide))
        // The older form of the link.
        .route("/oauth/authorize", get(show).post(decide))
}

/// The app, as either form of the link names it.
#[derive(Deserialize)]
struct Named {
    service_id: Option<String>,
    app_key: Option<String>,
}

impl Named {
    fn app<'a>(&self, world: &'a World) -> Option<&'a App> {
        match (&self.service_id, &self.app_key) {
            (Some(service_id), None) => world.app_of_service(service_id),
            (None, Some(app_key)) => world.app(app_key).ok(),
            _ => None,
        }
    }

    fn field(&self) -> String {
        let (name, value) = match (&self.service_id, &self.app_key) {
            (Some(service_id), _) => ("service_id", service_id),
            (None, Some(app_key)) => ("app_key", app_key),
            (None, None) => return String::new(),
        };
        format!(r#"<input type="hidden" name="{name}" value="{}">"#, escape(value))
    }
}

#[derive(Deserialize)]
struct Link {
    #[serde(flatten)]
    app: Named,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    app: Named,
    state: Option<String>,
    seller: Option<String>,
    decision: Decision,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Authorize,
    Deny,
}

async fn show(State(shared): State<Shared>, Query(link): Query<Link>) -> Response<Body> {
    let state = shared.lock();
    match link.app.app(&state.world) {
        Some(_) => html(StatusCode::OK, &decision_page(&state.world, &link)),
        None => refusal(StatusCode::NOT_FOUND, UNKNOWN_APP),
    }
}

async fn decide(State(shared): State<Shared>, Form(answer): Form<Answer>) -> Response<Body> {
    let mut state = shared.lock();
    let now = state.now();
    let Some(app) = answer.app.app(&state.world) else {
        return refusal(StatusCode::NOT_FOUND, UNKNOWN_APP);
    };
    let app_key = app.app_key.clone();
    let given = answer.state.as_deref();
    let callback = match (answer.decision, &answer.seller) {
        (Decision::Deny, _) => state.world.deny(&app_key, given),
        (Decision::Authorize, Some(seller)) => state.world.authorize(&app_key, seller, given, now),
        (Decision::Authorize, None) => {
            return refusal(StatusCode::BAD_REQUEST, "Choose a seller account first.");
        }
    };
    match callback {
        Ok(callback) => html::redirect(callback.as_str()),
        Err(why) => refusal(StatusCode::BAD_REQUEST, &why.to_string()),
    }
}

fn decision_page(world: &World, link: &Link) -> String {
    let sellers: String = world.sellers().enumerate().map(|(at, seller)| choice(seller, at == 0)).collect();
    let sellers = if sellers.is_empty() {
        "<p>The simulator has no sellers yet.</p>".to_owned()
    } else {
        format!("<fieldset><legend>Seller account</legend>{sellers}</fieldset>")
    };
    let state = link
        .state
        .as_deref()
        .map_or_else(String::new, |state| format!(r#"<input type="hidden" name="state" value="{}">"#, escape(state)));
    format!(
        r#"<h1>Authorize this app?</h1>
<p>An app asks for access to your shops.</p>
<form method="post" action="/open/authorize">
{app}{state}
{sellers}
<p><button name="decision" value="authorize">Authorize</button>
<button name="decision" value="deny" class="quiet">Deny</button></p>
</form>"#,
        app = link.app.field(),
    )
}

fn choice(seller: &Seller, chosen: bool) -> String {
    format!(
        r#"<label><input type="radio" name="seller" value="{id}"{checked}> <b>{name}</b> <small>{id} · {shops}</small></label>"#,
        id = escape(&seller.open_id),
        checked = if chosen { " checked" } else { "" },
        name = escape(seller.name.as_deref().unwrap_or("(no name)")),
        shops = match seller.shops.len() {
            1 => "1 shop".to_owned(),
            shops => format!("{shops} shops"),
        },
    )
}

fn refusal(status: StatusCode, why: &str) -> Response<Body> {
    html(status, &format!("<h1>This does not work</h1><p>{}</p>", escape(why)))
}

fn html(status: StatusCode, content: &str) -> Response<Body> {
    html::page(status, "TikTok Shop", content)
}
