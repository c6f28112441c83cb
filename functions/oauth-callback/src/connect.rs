//! The way out: the page that a connect link opens, and the redirect to the marketplace. A GET of the page consumes
//! nothing, for mail scanners follow links.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shop_keyring::{
    apps::App,
    connect_session::{ConnectSession, Reconnect, Visit},
    marketplace::{temu, tiktok_shop},
    names::{AppKeyPath, MarketplaceName},
    secret::{Secret, digest, random_value},
    time::Timestamp,
};
use url::Url;

use crate::{
    browser, pages,
    problem::Problem,
    router::{FormLeadsAway, Keyring},
};

/// `GET /connect/{session}`: what will be connected, to which account; pick the marketplace and its site. The browser gets
/// its cookie here, so that two first visits that are begun at once have the same one.
pub(crate) async fn page(
    State(keyring): State<Arc<Keyring>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let page = async {
        let session = open_session(&keyring, &token).await?;
        let registry = keyring.registry_for(&session).await?;
        let mut marketplaces = registry.offered(&session).map(|(path, _)| path.marketplace).peekable();
        if marketplaces.peek().is_none() {
            return Err(Problem::misconfigured(format_args!("the connect session {} offers no app", session.id)));
        }
        let mut response = if marketplaces.all(|marketplace| marketplace == MarketplaceName::Temu) {
            // The one choice here, and that page asks the next question.
            let address = format!("/connect/{token}/{}", MarketplaceName::Temu);
            (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
        } else {
            pages::connect(&keyring.config, &registry, &session, &token).into_response()
        };
        let (_, cookie) = browser::known_or_new(&headers, &keyring.config.public_base_url);
        response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
        Ok(response)
    };
    page.await.unwrap_or_else(|problem: Problem| problem.page(&keyring))
}

/// `GET /connect/{session}/{marketplace}/{app}`: a new `state`, and on to the authorization link. Where nobody will
/// confirm the connection afterwards, the seller agrees to the account first.
pub(crate) async fn leave(
    State(keyring): State<Arc<Keyring>>,
    Path((token, marketplace, app)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let way = async {
        let (session, app) = destination(&keyring, &token, &marketplace, &app).await?;
        if session.confirm {
            depart(&keyring, &session, &app, &headers).await
        } else {
            ask(&keyring, &session, &app, &token, &headers).await
        }
    };
    way.await.unwrap_or_else(|problem| problem.page(&keyring))
}

/// `POST /connect/{session}/{marketplace}/{app}`: the seller has agreed, on our page.
pub(crate) async fn agree_and_leave(
    State(keyring): State<Arc<Keyring>>,
    Path((token, marketplace, app)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let way = async {
        let (session, app) = destination(&keyring, &token, &marketplace, &app).await?;
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
pub(crate) fn is_from_our_page(keyring: &Keyring, headers: &HeaderMap) -> bool {
    let same_origin = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin");
    same_origin && browser::known(headers, &keyring.config.public_base_url).is_some()
}

/// The session of a connect link, and the app that the seller has picked.
async fn destination(
    keyring: &Keyring,
    token: &str,
    marketplace: &str,
    app: &str,
) -> Result<(ConnectSession, AppKeyPath), Problem> {
    let marketplace = marketplace.parse().map_err(|_| Problem::NotFound)?;
    let (session, app) = (open_session(keyring, token).await?, app_of(keyring, marketplace, app).await?);
    let registry = keyring.registry_for(&session).await?;
    let is_offered = registry.offered(&session).any(|(path, _)| *path == app);
    match (is_offered, &session.reconnect) {
        (true, _) => Ok((session, app)),
        (false, Some(_)) => Err(Problem::OtherConnection),
        (false, None) => Err(Problem::NotFound),
    }
}

/// The session of a connect link, if it is still open.
pub(crate) async fn open_session(keyring: &Keyring, token: &str) -> Result<ConnectSession, Problem> {
    let session = session_of(keyring, token).await?;
    if session.expires_at <= Timestamp::local_now() { Err(Problem::LinkExpired) } else { Ok(session) }
}

/// The session of a connect link, its time over or not.
pub(crate) async fn session_of(keyring: &Keyring, token: &str) -> Result<ConnectSession, Problem> {
    let session = keyring.sessions.session(&digest(token)).await?.ok_or(Problem::UnknownLink)?;
    if let Some(Reconnect { connection, .. }) = &session.reconnect
        && !keyring.knows(&connection.app).await?
    {
        return Err(Problem::misconfigured(format_args!("a session is for {connection}, whose app is not set up")));
    }
    Ok(session)
}

/// The app of a path, if it is set up.
pub(crate) async fn app_of(keyring: &Keyring, marketplace: MarketplaceName, app: &str) -> Result<AppKeyPath, Problem> {
    let app = app.parse().map_err(|_| Problem::NotFound)?;
    let path = AppKeyPath { marketplace, app };
    if keyring.knows(&path).await? { Ok(path) } else { Err(Problem::NotFound) }
}

async fn ask(
    keyring: &Keyring,
    session: &ConnectSession,
    app: &AppKeyPath,
    token: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (_, cookie) = browser::known_or_new(headers, &keyring.config.public_base_url);
    let registry = keyring.registry_for(session).await?;
    let mut response = pages::agree(&keyring.config, &registry, session, app, token).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response.extensions_mut().insert(FormLeadsAway);
    Ok(response)
}

async fn depart(
    keyring: &Keyring,
    session: &ConnectSession,
    path: &AppKeyPath,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let app = keyring.app(path).await?;
    let state = random_value();
    let link = authorization_link(keyring, &app, &state)?;
    let (browser, cookie) = browser::known_or_new(headers, &keyring.config.public_base_url);
    let visit = Visit::begin(&state, Some(session.id.clone()), path, &browser, Timestamp::local_now());
    keyring.sessions.begin_visit(&visit).await?;
    let mut response = (StatusCode::FOUND, [(header::LOCATION, link.as_str())]).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn authorization_link(keyring: &Keyring, app: &App, state: &Secret) -> Result<Url, Problem> {
    // Without a link this app's sellers can only paste tokens.
    let base = app.config.link_url.as_ref().ok_or(Problem::NotFound)?;
    match app.path.marketplace {
        MarketplaceName::TikTokShop => {
            tiktok_shop::authorization::link(base, &app.app_key, app.service_id.as_deref(), state).map_err(|error| {
                Problem::misconfigured(format_args!("{error}, and the secret of the app {} has none", app.path))
            })
        }
        MarketplaceName::Temu => {
            let mut redirect_uri = keyring.config.public_base_url.clone();
            redirect_uri.set_path(&format!("/callback/{}", app.path));
            Ok(temu::authorization::link(base, &app.app_key, &redirect_uri, state))
        }
    }
}

/// Where a connected seller goes back to: the session's address with the single-use result.
pub fn back_with_result(return_url: &str, session_id: &str, result: &Secret) -> Option<String> {
    let mut url = Url::parse(return_url).ok()?;
    url.query_pairs_mut()
        .append_pair("session_id", session_id)
        .append_pair("status", "connected")
        .append_pair("result", result.expose());
    Some(url.into())
}
