//! Tokens at the routers: `bg.open.accesstoken.create` exchanges a code, the router's info call tells what a token is.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::{Map, Value};

use super::{
    answer::{self, CallError, Created, Info, Rejection},
    permissions::purpose_of_calls,
    router::{Family, ROUTER_PATH, RouterAddress},
    sign::sign,
};
use crate::{
    apps::App,
    connection::{
        Listed, Purpose,
        end::AuthorizationEnd,
        watch::{Checked, UNSAID_LIFE},
    },
    health::Host,
    marketplace::{Authorizer, ExchangeError, Exchanged, Granted, HostGate, NewTokens, Seller, TransientCause, http},
    names::{MarketplaceName, SellerId},
    secret::Secret,
    time::Timestamp,
};

const CREATE: &str = "bg.open.accesstoken.create";

/// The pause before a read is tried once more.
const PAUSE: Duration = Duration::from_millis(300);

/// How many new tokens are asked about at a time: the app's twenty calls a second are not all ours.
const AT_A_TIME: usize = 4;

/// How long Temu may take to say whose the new tokens are: between the exchange and the storing, inside API Gateway's 30
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
    /// When the token ends, and with it the authorization.
    pub end: AuthorizationEnd,
    /// The calls that it may use; `None` if the platform does not say.
    pub scopes: Option<Vec<String>>,
    /// Whether a router of the app was not asked or did not answer: it may serve further calls.
    pub is_partial: bool,
}

impl Token {
    /// A token of which no more is known than whose it is.
    const fn unchecked(mall: SellerId) -> Self {
        let mall_type = MallType::Unknown;
        let end = AuthorizationEnd::Unsaid;
        Self { mall, mall_name: None, mall_type, region_id: None, end, scopes: None, is_partial: false }
    }

    /// All calls that it may use; `None` if not all are known, for then nothing can be said to be missing.
    pub fn all_scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref().filter(|_| !self.is_partial)
    }

    /// The region as ISO has it, where its number is known.
    pub fn region(&self) -> Option<&'static str> {
        (self.region_id == Some(211)).then_some("US")
    }

    /// What the token is for, as this app's token. `wanted`: what the seller gave it for, where the page asked. A GLOBAL
    /// token may serve orders, compliance or both, and no response says which.
    pub fn purpose(&self, app: &App, wanted: Option<Purpose>) -> Purpose {
        match (app.config.purposes(), self.mall_type) {
            (&[only @ (Purpose::Product | Purpose::Compliance)], _) => only,
            (_, MallType::CrossBorder | MallType::Unknown) if wanted == Some(Purpose::Compliance) => {
                Purpose::Compliance
            }
            (_, MallType::CrossBorder) => Purpose::Order,
            (_, MallType::Local | MallType::Unknown) => Purpose::All,
        }
    }

    /// What its calls say that it is for; `None` where they do not tell.
    pub fn purpose_of_calls(&self) -> Option<Purpose> {
        purpose_of_calls(self.all_scopes()?)
    }

    /// The token as an exchange's answer.
    pub fn tokens(&self, access_token: Secret, now: Timestamp) -> NewTokens {
        NewTokens {
            access_token,
            refresh_token: None,
            access_expires_at: Some(self.end.stated().unwrap_or(now.plus(UNSAID_LIFE))),
            authorization_end: self.end,
            scopes: self.all_scopes().map(<[String]>::to_vec),
        }
    }

    /// The seller that it belongs to. `wanted` as in [`Self::purpose`].
    pub fn seller(&self, app: &App, wanted: Option<Purpose>) -> Seller {
        Seller {
            id: self.mall.clone(),
            name: self.mall_name.clone(),
            base_region: self.region().map(str::to_owned),
            purpose: self.purpose(app, wanted),
            shops: Some(self.shops()),
        }
    }

    /// The token as the result of a check. One clock: the token lives as long as the authorization. A check that left a
    /// router out takes no permission away.
    pub fn checked(&self) -> Checked {
        Checked {
            access_expires_at: self.end.stated(),
            authorization_end: self.end,
            scopes: self.all_scopes().map(<[String]>::to_vec),
            listed: Some(Listed::Shops(self.shops())),
            seller_name: self.mall_name.clone(),
        }
    }
}

/// What a token is, for a seller who waits: asks every router of the app, and again after a failure that may pass.
///
/// # Errors
/// [`CallError`], by what to do next.
pub(super) async fn info_at_entry(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Token, CallError> {
    let asked = app.config.api.routers.iter().map(|at| info_soon(http, app, at, access_token, now));
    let said = join_all(asked).await;
    said.into_iter().reduce(combine).unwrap_or_else(|| Err(CallError::no_router()))
}

/// What two routers of one partition say of a token. It may use the calls that either grants. Each serves calls of its own,
/// so a router that does not know the token, or may not be asked about it, does not speak against the other's word.
fn combine(one: Result<Token, CallError>, other: Result<Token, CallError>) -> Result<Token, CallError> {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            let mut scopes = one.scopes.unwrap_or_default();
            let further = other.scopes.unwrap_or_default().into_iter().filter(|call| !scopes.contains(call));
            let further: Vec<_> = further.collect();
            scopes.extend(further);
            Ok(Token {
                mall_name: one.mall_name.or(other.mall_name),
                region_id: one.region_id.or(other.region_id),
                end: match (one.end, other.end) {
                    (AuthorizationEnd::Unsaid | AuthorizationEnd::Missing, AuthorizationEnd::Unsaid) => one.end,
                    (AuthorizationEnd::Unsaid | AuthorizationEnd::Missing, end) | (end, _) => end,
                },
                scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
                is_partial: one.is_partial || other.is_partial,
                ..one
            })
        }
        (Ok(token), Err(error)) | (Err(error), Ok(token)) => {
            let is_partial = token.is_partial || !is_for_the_next(&error);
            Ok(Token { is_partial, ..token })
        }
        // A router that could not be asked might have known the token.
        (Err(one), Err(other)) => Err(if is_for_the_next(&one) { other } else { one }),
    }
}

/// Whether the app's next router has to be asked before the token is judged.
const fn is_for_the_next(error: &CallError) -> bool {
    matches!(error, CallError::Rejected { rejection: Rejection::Unknown | Rejection::CallNotGranted, .. })
}

/// What a token is, for the daily check: the first router is asked, and the next one only if that one does not know the
/// token or may not be asked about it. A token from before the info call migrated to PA lacks it there. If that next one may
/// not be called now, or does not respond, nothing is known of the token.
///
/// # Errors
/// [`CallError`], by what to do next.
pub(super) async fn info_for_check(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    gate: &impl HostGate,
    now: Timestamp,
) -> Result<Token, CallError> {
    let mut said = Err(CallError::no_router());
    for (n, at) in app.config.api.routers.iter().enumerate() {
        said = if n == 0 {
            info(http, app, at, access_token, now).await
        } else {
            info_of_next(http, app, at, access_token, gate, now).await
        };
        if !said.as_ref().is_err_and(is_for_the_next) {
            break;
        }
    }
    let is_partial = app.config.api.routers.len() > 1;
    said.map(|token| Token { is_partial, ..token })
}

async fn info_of_next(
    http: &reqwest::Client,
    app: &App,
    at: &RouterAddress,
    access_token: &Secret,
    gate: &impl HostGate,
    now: Timestamp,
) -> Result<Token, CallError> {
    let host = Host::of(&at.url);
    if !gate.admits(&host).await {
        return Err(CallError::not_called(host));
    }
    let said = info(http, app, at, access_token, now).await;
    let is_outage = |error: &CallError| {
        matches!(error, CallError::OutcomeUnknown { .. } | CallError::Transient { cause: TransientCause::Outage, .. })
    };
    let has_responded = !said.as_ref().is_err_and(is_outage);
    gate.answered(&host, has_responded).await;
    if has_responded { said } else { said.map_err(|error| CallError::NoAnswerFrom { host, fault: error.into_fault() }) }
}

/// What a token is, by one router. It is a read, so a failure that may pass leads to a second try.
///
/// # Errors
/// [`CallError`], by what to do next.
async fn info_soon(
    http: &reqwest::Client,
    app: &App,
    at: &RouterAddress,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Token, CallError> {
    match info(http, app, at, access_token, now).await {
        Err(CallError::OutcomeUnknown { .. } | CallError::Transient { .. }) => {
            tokio::time::sleep(PAUSE).await;
            info(http, app, at, access_token, now).await
        }
        said => said,
    }
}

async fn info(
    http: &reqwest::Client,
    app: &App,
    at: &RouterAddress,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Token, CallError> {
    let answer = call(http, app, at, at.router.info_call(), access_token, &[], now).await;
    described(at.router.family(), answer, now)
}

/// What a response that arrived at `now` says of a token that was asked about.
///
/// # Errors
/// [`CallError`], by what to do next.
pub fn described(
    family: Family,
    answer: Result<http::RawAnswer, http::NoAnswer>,
    now: Timestamp,
) -> Result<Token, CallError> {
    answer::meaning::<Info>(family, answer)?.token(None, now).ok_or_else(CallError::without_mall)
}

/// The tokens in the response to an exchange, which arrived at `now`: at least one, each with what the response says of it.
///
/// # Errors
/// [`CallError`], by what to do next.
pub fn created(
    answer: Result<http::RawAnswer, http::NoAnswer>,
    now: Timestamp,
) -> Result<Vec<(Option<Token>, Secret)>, CallError> {
    // Only local sellers come by code, and their apps are the regions'.
    let Created { access_token, info, associated } = answer::meaning::<Created>(Family::Regional, answer)?;
    let mut tokens: Vec<_> =
        associated.into_iter().map(|it| (it.mall().map(Token::unchecked), it.access_token)).collect();
    if let Some(token) = access_token {
        match tokens.iter_mut().find(|(_, listed)| listed.same_as(&token)) {
            // The list names only its mall; the rest of the response is about this token.
            Some((known, _)) => *known = info.token(known.take().map(|listed| listed.mall), now),
            None => tokens.insert(0, (info.token(None, now), token)),
        }
    }
    tokens.retain(|(_, token)| !token.is_empty());
    if tokens.is_empty() { Err(CallError::without_token()) } else { Ok(tokens) }
}

/// Exchanges an authorization code, which works once, within ten minutes. Asks Temu whose each new token is, a few at a
/// time. Where that fails, what the exchange said of the token is stored: the token exists nowhere else and may have ended
/// the one before, and the daily check finds out the rest.
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
    let at = app.config.api.routers.first().ok_or_else(CallError::no_router)?;
    let tokens = created(call(http, app, at, CREATE, code, &[("code", code.expose())], now).await, now)?;
    let until = Instant::now() + WHOSE;
    let asking = tokens.into_iter().map(|(known, token)| granted(http, app, known, token, now, until));
    let mut exchanged: Exchanged = stream::iter(asking).buffered(AT_A_TIME).collect().await;
    let mut seen = HashSet::new();
    exchanged.retain(|granted| match granted {
        Ok(Granted { seller: Authorizer::Seller(seller), .. }) => seen.insert(seller.id.clone()),
        _ => true,
    });
    Ok(exchanged)
}

/// One of the tokens of an exchange, and whose it is.
async fn granted(
    http: &reqwest::Client,
    app: &App,
    known: Option<Token>,
    access_token: Secret,
    now: Timestamp,
    until: Instant,
) -> Result<Granted, ExchangeError> {
    let asked = tokio::time::timeout_at(until.into(), info_at_entry(http, app, &access_token, now)).await;
    let token = match (asked.unwrap_or_else(|_| Err(CallError::late())), known) {
        (Ok(token), _) => token,
        (Err(error), Some(known)) => {
            let mall = &known.mall;
            tracing::warn!(app = %app.path, %mall, %error, "a new token could not be checked; it is stored all the same");
            known
        }
        // The code was accepted, so whatever is wrong now is not the code.
        (Err(error), None) => {
            return Err(ExchangeError::OutcomeUnknown { fault: error.into_fault(), retry_after: None });
        }
    };
    let seller = Authorizer::Seller(token.seller(app, None));
    Ok(Granted { tokens: token.tokens(access_token, now), seller })
}

async fn call(
    http: &reqwest::Client,
    app: &App,
    at: &RouterAddress,
    name: &'static str,
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
    let mut url = at.url.clone();
    url.set_path(ROUTER_PATH);
    http::send(MarketplaceName::Temu, name, http.post(url).json(&Value::Object(body))).await
}

#[cfg(test)]
mod tests;
