//! A router. Every call is a POST to the same path, and answered with HTTP 200.

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{Method, Response};
use axum::routing::any;

use super::answer;
use super::app::Router;
use super::calls::Route;
use super::request::Request;
use super::world::{Shared, World};
use crate::calls::Subject;
use crate::conduct;
use crate::reply::Reply;
use crate::wire::Wire;

pub(super) const PATH: &str = "/openapi/router";

#[derive(Clone)]
struct Gate {
    shared: Shared,
    router: Router,
}

pub(super) fn routes(shared: Shared, router: Router) -> axum::Router {
    axum::Router::new()
        .route(PATH, any(call))
        .fallback(async || Reply::not_found().into_response())
        .with_state(Gate { shared, router })
}

async fn call(
    State(gate): State<Gate>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    body: Bytes,
) -> Response<Body> {
    if method != Method::POST {
        return Reply::not_found().into_response();
    }
    let request = Request::parse(gate.router, &body);
    let subject = |world: &World| Subject {
        app_key: world.app(request.text("app_key")).ok().map(|app| app.app_key.clone()),
        ..world.subject_of(request.text("access_token"))
    };
    let route = Route::of(request.text("type"));
    let numbering = move |code| answer::code::at(gate.router, code);
    let call = conduct::begin(&gate.shared, route, wire, subject).numbering(numbering);
    call.conduct(move |world, now| answer::reply(world.serve(&request, now), numbering)).await
}
