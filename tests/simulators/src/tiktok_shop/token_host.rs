//! The calls that trade a code or a refresh token for a pair of tokens.
//!
//! Neither is signed; the app's secret travels in the query. Both take GET only.

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{Method, Response};
use axum::routing::any;

use super::answer;
use super::calls::Route;
use super::issuing::TokenRequest;
use super::world::{Shared, World};
use crate::calls::Subject;
use crate::conduct;
use crate::reply::Reply;
use crate::wire::Wire;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/api/v2/token/get", any(token_get)).route("/api/v2/token/refresh", any(token_refresh))
}

async fn token_get(
    State(shared): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    Query(request): Query<TokenRequest>,
) -> Response<Body> {
    if method != Method::GET {
        return Reply::not_found().into_response();
    }
    let subject = |world: &World| Subject {
        app_key: world.app(&request.app_key).ok().map(|app| app.app_key.clone()),
        ..world.subject_of_code(&request.auth_code)
    };
    let call = conduct::begin(&shared, Route::TokenGet, wire, subject);
    call.conduct(move |world, now| answer::reply(world.exchange(&request, now), now)).await
}

async fn token_refresh(
    State(shared): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    Query(request): Query<TokenRequest>,
) -> Response<Body> {
    if method != Method::GET {
        return Reply::not_found().into_response();
    }
    let subject = |world: &World| Subject {
        app_key: world.app(&request.app_key).ok().map(|app| app.app_key.clone()),
        ..world.subject_of_token(&request.refresh_token)
    };
    let call = conduct::begin(&shared, Route::TokenRefresh, wire, subject);
    call.conduct(move |world, now| answer::reply(world.refresh(&request, now), now)).await
}
