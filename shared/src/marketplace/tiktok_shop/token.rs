//! The token host: `GET /api/v2/token/get` and `/api/v2/token/refresh`.
//!
//! Neither call is signed, and secrets travel in the URL.

use super::answer::{self, Call};
use crate::{
    apps::App,
    marketplace::{ExchangeError, Exchanged, NewTokens, http},
    names::MarketplaceName,
    secret::Secret,
    time::Timestamp,
};

/// Exchanges an authorization code: works once, within 30 minutes.
///
/// # Errors
/// By what to do next: [`ExchangeError`].
pub async fn exchange_code(http: &reqwest::Client, app: &App, code: &Secret) -> Result<Exchanged, ExchangeError> {
    let parameters = [("auth_code", code.expose()), ("grant_type", "authorized_code")];
    // Before the call: a life that counts from the response on ends rather too early than too late.
    let now = Timestamp::local_now();
    let answer = call(http, app, "/api/v2/token/get", &parameters).await;
    Ok(vec![Ok(answer::meaning(Call::ExchangeCode, answer)?.granted(now)?)])
}

/// Spends a refresh token.
///
/// # Errors
/// By what to do next: [`ExchangeError`].
pub async fn refresh(http: &reqwest::Client, app: &App, refresh_token: &Secret) -> Result<NewTokens, ExchangeError> {
    let parameters = [("refresh_token", refresh_token.expose()), ("grant_type", "refresh_token")];
    let now = Timestamp::local_now();
    let answer = call(http, app, "/api/v2/token/refresh", &parameters).await;
    Ok(answer::meaning(Call::Refresh, answer)?.tokens(now))
}

async fn call(
    http: &reqwest::Client,
    app: &App,
    path: &'static str,
    parameters: &[(&str, &str)],
) -> Result<http::RawAnswer, http::NoAnswer> {
    let mut url = app.config.token_url.clone();
    url.set_path(path);
    let request = http
        .get(url)
        .query(&[("app_key", app.app_key.as_str()), ("app_secret", app.app_secret.expose())])
        .query(parameters);
    http::send(MarketplaceName::TikTokShop, path, request).await
}
