//! Tokens at the router: `bg.open.accesstoken.create` exchanges a code, `bg.open.accesstoken.info.get` tells what a
//! token is.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Map, Value};

use super::{
    PRODUCT_APP, ROUTER_PATH,
    answer::{self, Associated, CallError, Created, Info},
    permissions::purpose_of_calls,
    sign::sign,
};
use crate::{
    apps::App,
    connection::{Purpose, watch::Checked},
    marketplace::{Authorizer, ExchangeError, Exchanged, Granted, NewTokens, Seller, http},
    names::SellerId,
    secret::Secret,
    time::Timestamp,
};

const CREATE: &str = "bg.open.accesstoken.create";
const INFO: &str = "bg.open.accesstoken.info.get";

/// How long a token counts as good whose end the platform does not say, in seconds: until well after the next check.
const UNSAID_LIFE: i64 = 2 * 86_400;

/// How long Temu may take to say whose a new token is: between the exchange and the storing, inside API Gateway's 30
/// seconds.
const WHOSE: Duration = Duration::from_secs(7);

/// What kind of seller a mall belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MallType {
    /// 1: cross-border, semi-managed. Has a token for products and one for each region's orders.
    CrossBorder,
    /// 100: local. Has one token for everything.
    Local,
    /// Not said, or unknown.
    Unknown,
}

/// A token that works, and all that Temu tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The mall that it belongs to.
    pub mall: SellerId,
    /// Its name, where the gateway tells it.
    pub mall_name: Option<String>,
    /// What kind of seller it belongs to.
    pub mall_type: MallType,
    /// The platform's number of the region; 211 is the US.
    pub region_id: Option<i64>,
    /// When the token ends, and with it the authorization; `None` if the platform does not say.
    pub expires_at: Option<Timestamp>,
    /// The calls that it may use; `None` if the platform does not say.
    pub scopes: Option<Vec<String>>,
}

impl Token {
    /// The region as ISO has it, where its number is known.
    pub fn region(&self) -> Option<&'static str> {
        (self.region_id == Some(211)).then_some("US")
    }

    /// What the token is for, as an app's token: a cross-border seller's is for products or for orders.
    pub fn purpose(&self, app: &App) -> Purpose {
        if app.path.app.as_str() == PRODUCT_APP {
            Purpose::Product
        } else if self.mall_type == MallType::CrossBorder {
            Purpose::Order
        } else {
            Purpose::All
        }
    }

    /// What its calls say that it is for; `None` where they do not tell.
    pub fn purpose_of_calls(&self) -> Option<Purpose> {
        purpose_of_calls(self.scopes.as_deref()?)
    }

    /// The token as an exchange's answer.
    pub fn tokens(&self, access_token: Secret, now: Timestamp) -> NewTokens {
        let checked = self.checked(now);
        NewTokens {
            access_token,
            refresh_token: None,
            access_expires_at: checked.access_expires_at,
            authorization_expires_at: checked.authorization_expires_at,
            scopes: checked.scopes,
        }
    }

    /// Who stands behind it.
    pub fn seller(&self, app: &App) -> Seller {
        Seller {
            id: self.mall.clone(),
            name: self.mall_name.clone(),
            base_region: self.region().map(str::to_owned),
            purpose: self.purpose(app),
            shops: Some(self.shops()),
        }
    }

    /// The token as a check's answer. One clock: the token lives as long as the authorization.
    pub fn checked(&self, now: Timestamp) -> Checked {
        Checked {
            access_expires_at: Some(self.expires_at.unwrap_or(now.plus(UNSAID_LIFE))),
            authorization_expires_at: self.expires_at,
            scopes: self.scopes.clone(),
            shops: Some(self.shops()),
        }
    }
}

/// What a token is, for somebody who waits: a read, so it is tried once more if no answer came.
///
/// # Errors
/// [`CallError`], by what to do next.
pub(super) async fn info_soon(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Token, CallError> {
    match info(http, app, access_token, now).await {
        Err(CallError::OutcomeUnknown { .. }) => info(http, app, access_token, now).await,
        said => said,
    }
}

/// What a token is.
///
/// # Errors
/// [`CallError`], by what to do next.
pub(super) async fn info(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Token, CallError> {
    answer::meaning::<Info>(call(http, app, INFO, access_token, &[], now).await)?.token()
}

/// Exchanges an authorization code: works once, within ten minutes. Of each token that it gives Temu is asked whose it
/// is; one of which that cannot be learnt is an error of its own, beside the others.
///
/// # Errors
/// By what to do next: [`ExchangeError`].
pub(super) async fn exchange_code(
    http: &reqwest::Client,
    app: &App,
    code: &Secret,
) -> Result<Exchanged, ExchangeError> {
    let now = Timestamp::local_now();
    // The platform wants the code twice: as itself, and in the token's place.
    let answer = call(http, app, CREATE, code, &[("code", code.expose())], now).await;
    let Created { access_token, associated } = answer::meaning::<Created>(answer)?;
    let mut tokens: Vec<Secret> = associated.into_iter().map(|Associated { access_token }| access_token).collect();
    if let Some(token) = access_token
        && tokens.iter().all(|known| !known.same_as(&token))
    {
        tokens.insert(0, token);
    }
    if tokens.is_empty() {
        return Err(CallError::without_token().into());
    }
    Ok(join_all(tokens.into_iter().map(|access_token| granted(http, app, access_token, now))).await)
}

async fn granted(
    http: &reqwest::Client,
    app: &App,
    access_token: Secret,
    now: Timestamp,
) -> Result<Granted, ExchangeError> {
    let asked = tokio::time::timeout(WHOSE, info_soon(http, app, &access_token, now)).await;
    let token = asked.unwrap_or_else(|_| Err(CallError::late()))?;
    let seller = Authorizer::Seller(token.seller(app));
    Ok(Granted { tokens: token.tokens(access_token, now), seller })
}

async fn call(
    http: &reqwest::Client,
    app: &App,
    name: &str,
    access_token: &Secret,
    parameters: &[(&str, &str)],
    now: Timestamp,
) -> Result<http::RawAnswer, http::NoAnswer> {
    let mut body = Map::new();
    for (key, value) in [
        ("type", name),
        ("app_key", &app.app_key),
        ("access_token", access_token.expose()),
        ("data_type", "JSON"),
        ("version", "V1"),
    ] {
        body.insert(key.into(), value.into());
    }
    body.insert("timestamp".into(), now.0.into());
    for (key, value) in parameters {
        body.insert((*key).into(), (*value).into());
    }
    let signature = sign(&app.app_secret, &body);
    body.insert("sign".into(), signature.into());
    let mut url = app.site.api_url.clone();
    url.set_path(ROUTER_PATH);
    http::send(http.post(url).json(&Value::Object(body))).await
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
