//! The seller centre, as far as a seller needs it to give an app a token: the menus and words of
//! the real pages, without script. Who is logged in, and to which store, stands in the links.

mod access;
mod accounts;
mod app_store;
mod authorization_management;
mod manage_apps;
mod refused;
mod visit;

use axum::Router;

use super::authorize_page;
use super::world::Shared;
use crate::reply::Reply;

pub(super) use refused::Refused;

pub(super) const PLATFORM: &str = "Temu Seller Center";

pub(super) fn routes(shared: Shared) -> Router {
    Router::new()
        .merge(accounts::routes())
        .merge(app_store::routes())
        .merge(manage_apps::routes())
        .merge(authorization_management::routes())
        .merge(authorize_page::routes())
        .fallback(async || Reply::not_found().into_response())
        .with_state(shared)
}
