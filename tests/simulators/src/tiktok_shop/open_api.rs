//! The open API, of which a token broker needs two paths.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, Method, Response, header};
use axum::routing::any;
use url::form_urlencoded;

use super::answer;
use super::calls::Route;
use super::listing::SHOPS_PATH;
use super::request::Request;
use super::webhooks::WEBHOOKS_PATH;
use super::world::{Shared, World};
use crate::calls::Subject;
use crate::conduct::{self, machine_time};
use crate::reply::Reply;
use crate::wire::Wire;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route(SHOPS_PATH, any(shops)).route(WEBHOOKS_PATH, any(webhooks))
}

async fn shops(
    State(shared): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if method != Method::GET {
        return Reply::not_found().into_response();
    }
    let request = request(SHOPS_PATH, query, &headers, &body);
    let call = conduct::begin(&shared, Route::Shops, wire, |world| subject(world, &request));
    call.conduct(move |world, now| answer::reply(world.list_shops(&request, now), now)).await
}

async fn webhooks(
    State(shared): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let route = match method {
        Method::GET => Route::WebhookList,
        Method::PUT => Route::WebhookPut,
        Method::DELETE => Route::WebhookDelete,
        _ => return Reply::not_found().into_response(),
    };
    let request = request(WEBHOOKS_PATH, query, &headers, &body);
    let call = conduct::begin(&shared, route, wire, |world| subject(world, &request));
    call.conduct(move |world, now| match method {
        Method::PUT => answer::reply(world.register_webhook(&request, now), now),
        Method::DELETE => answer::reply(world.remove_webhook(&request, now), now),
        _ => answer::reply(world.list_webhooks(&request, now), now),
    })
    .await
}

fn request(path: &'static str, query: Option<String>, headers: &HeaderMap, body: &Bytes) -> Request {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Request {
        path,
        query: form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect(),
        access_token: text("x-tts-access-token"),
        content_type: text(header::CONTENT_TYPE.as_str()),
        body: body.to_vec(),
        machine_time: machine_time(),
    }
}

fn subject(world: &World, request: &Request) -> Subject {
    let app = request.parameter("app_key").and_then(|app_key| world.app(app_key).ok());
    Subject { app_key: app.map(|app| app.app_key.clone()), ..world.subject_of_token(&request.access_token) }
}
