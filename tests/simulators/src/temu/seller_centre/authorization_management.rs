//! A cross-border seller's authorizations: product tokens under "Global", order tokens in each region's environment.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};

use super::visit::Visit;
use super::{Refused, access};
use crate::html::{self, escape};
use crate::temu::app::{App, Region};
use crate::temu::grant::{End, Terms, Token};
use crate::temu::permissions::{Purpose, TOKEN_INFO};
use crate::temu::seller::MallType;
use crate::temu::world::{Shared, World};

pub(super) const PATH: &str = "/open-platform/system-manage/client-manage";
const GET: &str = "/open-platform/system-manage/client-manage/get-authorization";
const TOKEN: &str = "/open-platform/system-manage/client-manage/token";
const REVOKE: &str = "/open-platform/system-manage/client-manage/revoke";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(PATH, get(list))
        .route(GET, get(choose).post(confirm))
        .route(TOKEN, get(token))
        .route(REVOKE, post(revoke))
}

/// What the switch in the top-left corner says.
fn environment_name(environment: Region) -> &'static str {
    match environment {
        Region::Global | Region::CrossBorder => "Global",
        Region::Us => "Seller Central > US Region",
        Region::Eu => "Seller Central > EU Region",
    }
}

fn menu(visit: &Visit) -> String {
    let here = visit.environment();
    let environments = [Region::Global, Region::Us, Region::Eu].map(|environment| {
        let name = environment_name(environment);
        if environment == here {
            format!("<b>{}</b>", escape(name))
        } else {
            visit.with("environment", environment.name()).link(PATH, &[], name)
        }
    });
    let above = if here == Region::Global { "Service Marketplace" } else { "System Management" };
    let page = visit.link(PATH, &[], "Authorization Management");
    let page = html::list([page].into_iter());
    format!("<nav>{}</nav><nav>{above}{page}</nav>", environments.join(" | "))
}

/// The kind of token that an app can get for a store, and what it is called: one for products in their partition, one for
/// orders elsewhere. What a fully managed store gets there is for compliance, and under GLOBAL only.
fn kind(app: &App, mall_type: MallType) -> Option<(Purpose, &'static str)> {
    let offered = match (app.region, mall_type) {
        (Region::CrossBorder, _) => (Purpose::Product, "product"),
        (Region::Global, MallType::FullyManaged) => (Purpose::Compliance, "orders"),
        (Region::Us | Region::Eu, MallType::FullyManaged) => return None,
        (Region::Us | Region::Eu | Region::Global, _) => (Purpose::Order, "orders"),
    };
    Some(offered).filter(|(purpose, _)| app.serves(*purpose))
}

/// Whose apps are offered. What the site's switch calls Global has those for products, too.
fn regions(environment: Region) -> &'static [Region] {
    if environment == Region::Global { &[Region::Global, Region::CrossBorder] } else { environment.alone() }
}

fn offers(
    world: &World,
    environment: Region,
    mall_type: MallType,
) -> impl Iterator<Item = (&App, Purpose, &'static str)> {
    let of = move |app| kind(app, mall_type).map(|(purpose, kind)| (app, purpose, kind));
    world.apps(regions(environment)).filter_map(of)
}

async fn list(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    let state = shared.lock();
    let now = state.now();
    let world = &state.world;
    let mall = visit.cross_border_mall(world)?;
    let authorizations = offers(world, visit.environment(), mall.mall_type).filter_map(|(app, purpose, kind)| {
        let token = world.newest_token(&app.app_key, mall.id, purpose)?;
        let choice = [("app", app.app_key.as_str()), ("kind", kind)];
        Some(format!(
            "{name}, {kind}: {standing}. {view} {revoke}",
            name = escape(&app.name),
            standing = access::standing(token, now),
            view = visit.link(TOKEN, &choice, "View access_token"),
            revoke = visit.button(REVOKE, &choice, "Revoke"),
        ))
    });
    let content = format!(
        "<h1>Authorization Management</h1>{}<p>{}</p>",
        html::list(authorizations),
        visit.link(GET, &[], "Get authorization"),
    );
    visit.page(world, &menu(&visit), &content)
}

async fn choose(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    visit.require_main_account()?;
    let state = shared.lock();
    let mall_type = visit.cross_border_mall(&state.world)?.mall_type;
    let offer = |(app, _, kind): (&App, Purpose, &str)| {
        format!(
            r#"<label><input type="radio" name="choice" value="{kind}:{key}"> {name}: {kind}</label>"#,
            key = escape(&app.app_key),
            name = escape(&app.name),
        )
    };
    let apps = html::concat(offers(&state.world, visit.environment(), mall_type).map(offer));
    let content = format!(
        r#"<h1>Get authorization</h1>
{form}
<fieldset><legend>App</legend>{apps}</fieldset>
<fieldset><legend>General Authorization</legend>
<label><input type="checkbox" name="general" value="all"> All</label></fieldset>
<fieldset><legend>Special Authorization</legend>
<label><input type="checkbox" name="special" value="all"> All</label></fieldset>
<p><button>Confirm</button></p>
</form>"#,
        form = visit.form(GET, &[]),
    );
    visit.page(&state.world, &menu(&visit), &content)
}

async fn confirm(State(shared): State<Shared>, Form(visit): Form<Visit>) -> Result<Redirect, Refused> {
    visit.require_main_account()?;
    let (kind, app_key) =
        visit.get("choice").split_once(':').ok_or_else(|| Refused::bad_request("Choose an app first."))?;
    let chosen = visit.with("app", app_key).with("kind", kind);
    if !visit.ticked("general") && !visit.ticked("special") {
        return Err(Refused::bad_request("Choose what to authorize first."));
    }
    let mut state = shared.lock();
    let now = state.now();
    let mall_id = visit.cross_border_mall(&state.world)?.id;
    let (app, purpose) = app_and_purpose(&state.world, &chosen)?;
    let mut permissions =
        if visit.ticked("general") { purpose.general_permissions() } else { vec![TOKEN_INFO.to_owned()] };
    if visit.ticked("special") {
        permissions.extend(purpose.special_permissions());
    }
    permissions.retain(|call| app.may_call(call));
    let terms = Terms { permissions: Some(permissions), lifetime: None };
    state.world.issue(app_key, mall_id, purpose, terms, now)?;
    // Elsewhere, for a page that is loaded anew must not issue anew.
    Ok(Redirect::to(&visit.url(TOKEN, &[("app", app_key), ("kind", kind)])))
}

async fn token(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    visit.require_main_account()?;
    let state = shared.lock();
    let (app, token) = authorized(&state.world, &visit)?;
    let content = format!("<h1>{}</h1>{}", escape(&app.name), access::info(token, state.now()));
    visit.page(&state.world, &menu(&visit), &content)
}

async fn revoke(State(shared): State<Shared>, Form(visit): Form<Visit>) -> Result<Redirect, Refused> {
    visit.require_main_account()?;
    let mut state = shared.lock();
    let (_, token) = authorized(&state.world, &visit)?;
    let (app_key, mall_id, purpose) = (token.app_key.clone(), token.mall_id, token.purpose);
    state.world.end(End::Revoked, |token| token.is_for(&app_key, mall_id, purpose));
    Ok(Redirect::to(&visit.url(PATH, &[])))
}

fn authorized<'a>(world: &'a World, visit: &Visit) -> Result<(&'a App, &'a Token), Refused> {
    let mall = visit.cross_border_mall(world)?;
    let (app, purpose) = app_and_purpose(world, visit)?;
    let token = world.newest_token(&app.app_key, mall.id, purpose);
    Ok((app, token.ok_or_else(|| Refused::not_found("This app is not authorized."))?))
}

fn app_and_purpose<'a>(world: &'a World, visit: &Visit) -> Result<(&'a App, Purpose), Refused> {
    let environment = visit.environment();
    let app = visit.app(world, regions(environment))?;
    let mall_type = visit.cross_border_mall(world)?.mall_type;
    let asked = kind(app, mall_type).filter(|(_, kind)| *kind == visit.get("kind"));
    let (purpose, _) = asked.ok_or_else(|| Refused::not_found("This app gets no such token here."))?;
    Ok((app, purpose))
}
