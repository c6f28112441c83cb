//! The apps that a local seller has authorized, and their access tokens.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};

use super::visit::Visit;
use super::{Refused, access, app_store};
use crate::html::{self, escape};
use crate::temu::app::App;
use crate::temu::grant::{End, Terms, Token};
use crate::temu::permissions::Purpose;
use crate::temu::world::{Shared, World};

pub(super) const PATH: &str = "/open-platform/client-manage";
const APP: &str = "/open-platform/client-manage/app";
const ACCESS_INFO: &str = "/open-platform/client-manage/access-info";
const REISSUE: &str = "/open-platform/client-manage/re-issue";
const REVOKE: &str = "/open-platform/client-manage/revoke";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(PATH, get(apps))
        .route(APP, get(app))
        .route(ACCESS_INFO, get(access_info))
        .route(REISSUE, post(reissue))
        .route(REVOKE, post(revoke))
}

async fn apps(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    let state = shared.lock();
    let now = state.now();
    let mall = visit.local_mall(&state.world)?;
    let authorized = state.world.apps(mall.site.alone()).filter_map(|app| {
        let token = state.world.newest_token(&app.app_key, mall.id, Purpose::All)?;
        let link = visit.link(APP, &[("app", &app.app_key)], &app.name);
        Some(format!("{link} <small>{}</small>", access::standing(token, now)))
    });
    let content = format!("<h1>Manage your apps</h1>{}", html::list(authorized));
    visit.page(&state.world, &app_store::menu(&visit), &content)
}

async fn app(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    let state = shared.lock();
    let (app, token) = authorized(&state.world, &visit)?;
    let content = format!(
        "<h1>{name}</h1><p><small>{standing}</small></p><p>{view}</p>",
        name = escape(&app.name),
        standing = access::standing(token, state.now()),
        view = visit.link(ACCESS_INFO, &[("app", &app.app_key)], "View access info"),
    );
    visit.page(&state.world, &app_store::menu(&visit), &content)
}

async fn access_info(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    visit.require_main_account()?;
    let state = shared.lock();
    let (app, token) = authorized(&state.world, &visit)?;
    let choice = [("app", app.app_key.as_str())];
    let content = format!(
        "<h1>{name}: access info</h1>{info}{reissue}{revoke}",
        name = escape(&app.name),
        info = access::info(token, state.now()),
        reissue = visit.button(REISSUE, &choice, "Re-issue"),
        revoke = visit.button(REVOKE, &choice, "Revoke"),
    );
    visit.page(&state.world, &app_store::menu(&visit), &content)
}

/// The same permissions again; whoever has the old token has to be told the new one.
async fn reissue(State(shared): State<Shared>, Form(visit): Form<Visit>) -> Result<Redirect, Refused> {
    visit.require_main_account()?;
    let mut state = shared.lock();
    let now = state.now();
    let (_, token) = authorized(&state.world, &visit)?;
    let (app_key, mall_id) = (token.app_key.clone(), token.mall_id);
    let terms = Terms { permissions: Some(token.permissions.clone()), lifetime: None };
    state.world.issue(&app_key, mall_id, Purpose::All, terms, now)?;
    Ok(Redirect::to(&visit.url(ACCESS_INFO, &[("app", &app_key)])))
}

async fn revoke(State(shared): State<Shared>, Form(visit): Form<Visit>) -> Result<Redirect, Refused> {
    visit.require_main_account()?;
    let mut state = shared.lock();
    let (_, token) = authorized(&state.world, &visit)?;
    let (app_key, mall_id) = (token.app_key.clone(), token.mall_id);
    state.world.end(End::Revoked, |token| token.is_for(&app_key, mall_id, Purpose::All));
    Ok(Redirect::to(&visit.url(PATH, &[])))
}

/// The app asked for and the token that it was given last.
fn authorized<'a>(world: &'a World, visit: &Visit) -> Result<(&'a App, &'a Token), Refused> {
    let mall = visit.local_mall(world)?;
    let app = visit.app(world, mall.site.alone())?;
    let token = world.newest_token(&app.app_key, mall.id, Purpose::All);
    Ok((app, token.ok_or_else(|| Refused::not_found("This app is not authorized."))?))
}
