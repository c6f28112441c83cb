//! The page on which a seller says yes or no to an app.

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Query, State};
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use serde::Deserialize;

use super::conduct::Shared;
use super::seller::Seller;
use super::world::World;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/open/authorize", get(show).post(decide))
}

#[derive(Deserialize)]
struct Link {
    service_id: String,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    service_id: String,
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
    match state.world.app_of_service(&link.service_id) {
        Some(_) => html(StatusCode::OK, &decision_page(&state.world, &link)),
        None => refusal(StatusCode::NOT_FOUND, "No app has this service id."),
    }
}

async fn decide(State(shared): State<Shared>, Form(answer): Form<Answer>) -> Response<Body> {
    let mut state = shared.lock();
    let now = state.now();
    let Some(app) = state.world.app_of_service(&answer.service_id) else {
        return refusal(StatusCode::NOT_FOUND, "No app has this service id.");
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
        Ok(callback) => Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, callback.as_str())
            .body(Body::empty())
            .unwrap_or_default(),
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
<p>Service {service} asks for access to your shops.</p>
<form method="post" action="/open/authorize">
<input type="hidden" name="service_id" value="{service}">{state}
{sellers}
<p><button name="decision" value="authorize">Authorize</button>
<button name="decision" value="deny" class="quiet">Deny</button></p>
</form>"#,
        service = escape(&link.service_id),
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
    let page = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TikTok Shop (simulated)</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; color: #161823; }}
fieldset {{ border: 1px solid #c8c9cc; border-radius: 6px; }}
label {{ display: block; padding: .35rem 0; overflow-wrap: anywhere; }}
small {{ color: #5c5d66; }}
button {{ font: inherit; padding: .5rem 1.25rem; border: 1px solid #161823; border-radius: 6px; background: #161823; color: #fff; }}
button.quiet {{ background: #fff; color: #161823; }}
</style>
</head>
<body>
<p><small>Simulator of TikTok Shop: no real account is involved.</small></p>
{content}
</body>
</html>
"#
    );
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from(page))
        .unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
        out
    })
}
