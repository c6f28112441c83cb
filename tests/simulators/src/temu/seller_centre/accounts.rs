//! Logging in, and choosing a store.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::visit::Visit;
use super::{PLATFORM, Refused, app_store, authorization_management};
use crate::html::{self, escape};
use crate::temu::seller::{Mall, MallType, Seller};
use crate::temu::world::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/", get(accounts)).route("/stores", get(stores))
}

async fn accounts(State(shared): State<Shared>) -> Response {
    let state = shared.lock();
    let accounts = html::list(state.world.sellers().map(account));
    html::page(StatusCode::OK, PLATFORM, &format!("<h1>Log in</h1><p>Which account do you use?</p>{accounts}"))
}

fn account(seller: &Seller) -> String {
    let visit = Visit::default().with("account", &seller.id);
    let as_role = |role, text| visit.with("role", role).link("/stores", &[], text);
    format!("<b>{}</b>: {}, {}", escape(&seller.name), as_role("main", "main account"), as_role("sub", "sub-account"))
}

async fn stores(State(shared): State<Shared>, Query(visit): Query<Visit>) -> Result<Response, Refused> {
    let state = shared.lock();
    let malls = &visit.seller(&state.world)?.malls;
    let stores = html::list(malls.iter().map(|mall| store(&visit, mall)));
    visit.page(&state.world, "", &format!("<h1>Stores</h1>{stores}"))
}

fn store(visit: &Visit, mall: &Mall) -> String {
    let visit = visit.with("mall", &mall.id.to_string());
    let (path, centre) = match mall.mall_type {
        MallType::Local => (app_store::PATH, "Seller Center"),
        MallType::SemiManaged | MallType::FullyManaged => {
            (authorization_management::PATH, "Cross-border Seller Center")
        }
    };
    format!("{}: {}", escape(&mall.name), visit.link(path, &[], centre))
}
