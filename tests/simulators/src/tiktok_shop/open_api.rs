//! The open API, of which a token broker needs one call.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, Method, Response, header};
use axum::routing::any;
use url::form_urlencoded;

use super::answer;
use super::calls::Route;
use super::listing::{SHOPS_PATH, ShopsRequest};
use super::world::{Shared, World};
use crate::calls::Subject;
use crate::conduct::{self, machine_time};
use crate::reply::Reply;
use crate::wire::Wire;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route(SHOPS_PATH, any(shops))
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
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let request = ShopsRequest {
        query: form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect(),
        access_token: text("x-tts-access-token").unwrap_or_default().to_owned(),
        multipart: text(header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("multipart/form-data")),
        body: body.to_vec(),
        machine_time: machine_time(),
    };
    let subject = |world: &World| Subject {
        app_key: request
            .parameter("app_key")
            .and_then(|app_key| world.app(app_key).ok())
            .map(|app| app.app_key.clone()),
        ..world.subject_of_token(&request.access_token)
    };
    let call = conduct::begin(&shared, Route::Shops, wire, subject);
    call.conduct(move |world, now| answer::reply(world.list_shops(&request, now), now)).await
}
