//! The way out: the page that a connect link opens, and the redirect to the marketplace. A GET of the page consumes
//! nothing, for mail scanners follow links.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shop_keyring::{
    connect_session::{ConnectSession, Visit},
    marketplace::tiktok_shop::authorization,
    names::{AppKeyPath, MarketplaceName},
    secret::{digest, random_value},
    time::Timestamp,
};

use crate::{browser, pages, problem::Problem, router::Keyring};

/// `GET /connect/{session}`: what will be connected, to which account; pick the marketplace and its site.
pub(crate) async fn page(State(keyring): State<Arc<Keyring>>, Path(token): Path<String>) -> Response {
    match open_session(&keyring, &token).await {
        Ok(session) => pages::connect(&keyring.config, &session, &token).into_response(),
        Err(problem) => problem.page(&keyring),
    }
}

/// `GET /connect/{session}/tiktok-shop/{app}`: a new `state`, and on to the authorization link. Where nobody will
/// confirm the connection afterwards, the seller agrees to the account first.
pub(crate) async fn leave(
    State(keyring): State<Arc<Keyring>>,
    Path((token, app)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let way = async {
        let (session, app) = destination(&keyring, &token, &app).await?;
        if session.confirm {
            depart(&keyring, &session, &app, &headers).await
        } else {
            Ok(ask(&keyring, &session, &app, &token, &headers))
        }
    };
    way.await.unwrap_or_else(|problem| problem.page(&keyring))
}

/// `POST /connect/{session}/tiktok-shop/{app}`: the seller has agreed, on our page.
pub(crate) async fn agree_and_leave(
    State(keyring): State<Arc<Keyring>>,
    Path((token, app)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let way = async {
        let (session, app) = destination(&keyring, &token, &app).await?;
        if is_from_our_page(&keyring, &headers) {
            depart(&keyring, &session, &app, &headers).await
        } else {
            Err(Problem::OtherBrowser)
        }
    };
    way.await.unwrap_or_else(|problem| problem.page(&keyring))
}

/// Whether a form was sent from our own page, so that no other site agrees for the seller: `SameSite=Lax` keeps our
/// cookie from a foreign site's form, and browsers say where a request comes from.
fn is_from_our_page(keyring: &Keyring, headers: &HeaderMap) -> bool {
    let same_origin = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin");
    same_origin && browser::known(headers, &keyring.config.public_base_url).is_some()
}

/// The session of a connect link, and the app that the seller has picked.
async fn destination(keyring: &Keyring, token: &str, app: &str) -> Result<(ConnectSession, AppKeyPath), Problem> {
    Ok((open_session(keyring, token).await?, app_of(keyring, app)?))
}

async fn open_session(keyring: &Keyring, token: &str) -> Result<ConnectSession, Problem> {
    let session = keyring.sessions.session(&digest(token)).await?.ok_or(Problem::UnknownLink)?;
    if session.expires_at <= Timestamp::local_now() {
        return Err(Problem::LinkExpired);
    }
    Ok(session)
}

/// The app of a path, if it is set up.
pub(crate) fn app_of(keyring: &Keyring, app: &str) -> Result<AppKeyPath, Problem> {
    let app = app.parse().map_err(|_| Problem::NotFound)?;
    let path = AppKeyPath { marketplace: MarketplaceName::TikTokShop, app };
    if keyring.config.apps.contains_key(&path) { Ok(path) } else { Err(Problem::NotFound) }
}

fn ask(keyring: &Keyring, session: &ConnectSession, app: &AppKeyPath, token: &str, headers: &HeaderMap) -> Response {
    let (_, cookie) = browser::known_or_new(headers, &keyring.config.public_base_url);
    let mut response = pages::agree(&keyring.config, session, app, token).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn depart(
    keyring: &Keyring,
    session: &ConnectSession,
    path: &AppKeyPath,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let app = keyring.protocol.apps.get(path).await?;
    let Some(service_id) = &app.service_id else {
        return Err(Problem::misconfigured(format_args!("the secret of the app {path} has no `service_id`")));
    };
    let (browser, cookie) = browser::known_or_new(headers, &keyring.config.public_base_url);
    let state = random_value();
    let visit = Visit::begin(&state, Some(session.id.clone()), path, &browser, Timestamp::local_now());
    keyring.sessions.begin_visit(&visit).await?;
    let link = authorization::link(&app.site.link_url, service_id, &state);
    let mut response = (StatusCode::FOUND, [(header::LOCATION, link.as_str())]).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
