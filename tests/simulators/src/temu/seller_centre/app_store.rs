//! A local seller's way to an app: App Store, the app, Authorize, Submit.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::{Redirect, Response};
use axum::routing::get;

use super::visit::Visit;
use super::{Refused, manage_apps};
use crate::html::{self, escape};
use crate::temu::app::App;
use crate::temu::grant::Terms;
use crate::temu::permissions::{OptionalPermission, Purpose};
use crate::temu::world::Shared;

pub(super) const PATH: &str = "/app-store";
const APP: &str = "/app-store/app";
const AUTHORIZE: &str = "/app-store/authorize";
const UPDATED: &str = "/app-store/updated";

const DAY: u64 = 24 * 60 * 60;
/// The durations offered, in days, beside the app's own.
const DURATIONS: [u64; 4] = [7, 30, 90, 180];

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(PATH, get(store))
        .route(APP, get(app))
        .route(AUTHORIZE, get(authorize).post(submit))
        .route(UPDATED, get(updated))
}

/// *Apps and services*, on the left of every page of a local seller.
pub(super) fn menu(visit: &Visit) -> String {
    let store = visit.link(PATH, &[], "App Store");
    let manage = visit.link(manage_apps::PATH, &[], "Manage your apps");
    format!("<nav>Apps and services{}</nav>", html::list([store, manage].into_iter()))
}

async fn store(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    let state = shared.lock();
    let site = visit.local_mall(&state.world)?.site;
    let app = |app: &App| visit.link(APP, &[("app", &app.app_key)], &app.name);
    let apps = html::list(state.world.apps(site.alone()).map(app));
    visit.page(&state.world, &menu(&visit), &format!("<h1>App Store</h1>{apps}"))
}

async fn app(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    let state = shared.lock();
    let site = visit.local_mall(&state.world)?.site;
    let app = visit.app(&state.world, site.alone())?;
    let authorize = visit.link(AUTHORIZE, &[("app", &app.app_key)], "Authorize");
    visit.page(&state.world, &menu(&visit), &format!("<h1>{}</h1><p>{authorize}</p>", escape(&app.name)))
}

async fn authorize(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    visit.require_main_account()?;
    let state = shared.lock();
    let site = visit.local_mall(&state.world)?.site;
    let app = visit.app(&state.world, site.alone())?;
    let usual = state.world.lifetime(app) / DAY;
    visit.page(&state.world, &menu(&visit), &authorization_form(&visit, app, usual))
}

fn authorization_form(visit: &Visit, app: &App, usual_days: u64) -> String {
    let box_for = |permission: OptionalPermission| {
        let (field, label) = (permission.field(), permission.label());
        format!(r#"<label><input type="checkbox" name="{field}" value="yes" checked> {label} (optional)</label>"#)
    };
    let optional = html::concat(OptionalPermission::ALL.into_iter().map(box_for));
    let shorter = DURATIONS.into_iter().filter(|days| *days < usual_days);
    let durations = html::concat(shorter.map(|days| format!(r#"<option value="{days}">{days} days</option>"#)));
    format!(
        r#"<h1>Authorize {name}</h1>
{form}
<fieldset><legend>Permissions</legend>
<label><input type="checkbox" checked disabled> Local Product Management</label>
<label><input type="checkbox" checked disabled> Local Order and Logistics Management</label>
{optional}</fieldset>
<p><label>Authorization duration <select name="days"><option value="">{usual_days} days</option>{durations}</select></label></p>
<label><input type="checkbox" name="consent" value="yes"> I have read and agree to the authorization agreement</label>
<p><button>Submit</button></p>
</form>"#,
        name = escape(&app.name),
        form = visit.form(AUTHORIZE, &[("app", &app.app_key)]),
    )
}

async fn submit(State(shared): State<Shared>, Form(visit): Form<Visit>) -> Result<Redirect, Refused> {
    visit.require_main_account()?;
    if !visit.ticked("consent") {
        return Err(Refused::bad_request("Tick the consent box first."));
    }
    let mut state = shared.lock();
    let now = state.now();
    let (mall_id, site) = visit.local_mall(&state.world).map(|mall| (mall.id, mall.site))?;
    let app = visit.app(&state.world, site.alone())?;
    let (app_key, usual) = (app.app_key.clone(), state.world.lifetime(app));

    let left_out = OptionalPermission::ALL.into_iter().filter(|permission| !visit.ticked(permission.field()));
    let left_out: Vec<&str> = left_out.flat_map(OptionalPermission::calls).copied().collect();
    let mut permissions = Purpose::All.default_permissions();
    permissions.retain(|call| app.may_call(call) && !left_out.contains(&call.as_str()));
    let chosen = visit.get("days").parse::<u64>().ok().map(|days| days.saturating_mul(DAY).min(usual));
    let terms = Terms { permissions: Some(permissions), lifetime: chosen };
    state.world.issue(&app_key, mall_id, Purpose::All, terms, now)?;
    // Elsewhere, for a page that is loaded anew must not issue anew.
    Ok(Redirect::to(&visit.url(UPDATED, &[("app", &app_key)])))
}

async fn updated(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    let state = shared.lock();
    let manage = visit.link(manage_apps::PATH, &[], "Manage your apps");
    let content = format!("<h1>App permissions have been updated successfully</h1><p>{manage}</p>");
    visit.page(&state.world, &menu(&visit), &content)
}
