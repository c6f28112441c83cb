//! The seam to the marketplaces: what every one of them can do, and what its answers mean to us.
//!
//! The twins have the same files for the same jobs: `authorization` (where the seller is sent), `token` (exchanges),
//! `answer` (what the answers mean: pure), `sign`, `shops`. Only the crate feature `marketplaces` brings the HTTP
//! client; token-lookup is built without it.

#[cfg(feature = "marketplaces")]
mod expiry;
#[cfg(feature = "marketplaces")]
pub mod http;
#[cfg(feature = "marketplaces")]
mod lenient;
pub mod temu;
pub mod tiktok_shop;
#[cfg(feature = "marketplaces")]
mod together;

#[cfg(feature = "marketplaces")]
pub use together::Marketplaces;

use std::future::Future;

use crate::{
    apps::App,
    connection::{Fault, Listed, Purpose, Shop, end::AuthorizationEnd, settle::Refused, watch::Checked},
    health::Host,
    names::SellerId,
    secret::Secret,
    time::Timestamp,
};

/// A marketplace, as the refresh protocol and the callbacks see it.
pub trait Marketplace: Send + Sync {
    /// Exchanges an authorization code for tokens. Never retried inside: a code works once.
    fn exchange_code(&self, app: &App, code: &Secret) -> impl Future<Output = Result<Exchanged, ExchangeError>> + Send;

    /// Spends a refresh token for new tokens. Never retried inside: it may work once.
    fn refresh(
        &self,
        app: &App,
        refresh_token: &Secret,
    ) -> impl Future<Output = Result<NewTokens, ExchangeError>> + Send;

    /// Asks whether a token works, and what it is. Changes nothing there.
    /// `gate` is asked before a call to another host than the first.
    fn check(
        &self,
        app: &App,
        access_token: &Secret,
        gate: &impl HostGate,
    ) -> impl Future<Output = Result<Checked, ExchangeError>> + Send;

    /// The shops under an authorization. Changes nothing there.
    fn shops(&self, app: &App, access_token: &Secret) -> impl Future<Output = Result<Listed, Fault>> + Send;

    /// Has the webhooks about one shop sent to `address`. May be repeated. An error may leave some of them registered.
    fn register_webhooks(
        &self,
        app: &App,
        access_token: &Secret,
        shop_cipher: &str,
        address: &str,
    ) -> impl Future<Output = Result<(), WebhookError>> + Send;

    /// Has the webhooks about one shop no longer sent. An error may leave some of them registered.
    fn remove_webhooks(
        &self,
        app: &App,
        access_token: &Secret,
        shop_cipher: &str,
    ) -> impl Future<Output = Result<(), WebhookError>> + Send;
}

/// Says whether a host may be called, where one call leads to another host.
pub trait HostGate: Sync {
    /// Whether this host may be called now.
    fn admits(&self, host: &Host) -> impl Future<Output = bool> + Send;

    /// Takes note of whether the host that was admitted has responded.
    fn answered(&self, host: &Host, has_responded: bool) -> impl Future<Output = ()> + Send;
}

/// Why webhooks were not registered or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// For a reason that concerns other sellers of the app, too: the app's configuration, or the marketplace.
    #[error("{0}")]
    App(Fault),
    /// For a reason that concerns this seller only.
    #[error("{0}")]
    Seller(Fault),
}

impl WebhookError {
    /// What went wrong, for the log.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::App(fault) | Self::Seller(fault) => fault,
        }
    }
}

/// What an exchange gave.
#[derive(Debug, Clone)]
pub struct NewTokens {
    /// The new access token.
    pub access_token: Secret,
    /// The new refresh token.
    pub refresh_token: Option<Secret>,
    /// When the access token ends; `None` if the response did not say it in a form that we know.
    pub access_expires_at: Option<Timestamp>,
    /// When the authorization ends.
    pub authorization_end: AuthorizationEnd,
    /// What the seller granted, if the answer says.
    pub scopes: Option<Vec<String>>,
}

/// What the exchange of a code gave: one grant, or several where the seller has several stores at Temu. One of which the
/// marketplace did not say whose it is stands as an error beside the others.
pub type Exchanged = Vec<Result<Granted, ExchangeError>>;

/// One seller's tokens.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The tokens.
    pub tokens: NewTokens,
    /// Who authorized.
    pub seller: Authorizer,
}

/// Who stands behind an authorization.
#[derive(Debug, Clone)]
pub enum Authorizer {
    /// A seller.
    Seller(Seller),
    /// Somebody who has no shop, such as a creator or a partner.
    Other,
}

/// A seller, as the marketplace tells of them.
#[derive(Debug, Clone)]
pub struct Seller {
    /// The marketplace's id of them.
    pub id: SellerId,
    /// Their name there.
    pub name: Option<String>,
    /// Their base region.
    pub base_region: Option<String>,
    /// What the tokens are for.
    pub purpose: Purpose,
    /// Their shops, if the answer says.
    pub shops: Option<Vec<Shop>>,
}

/// Why a failure is expected to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransientCause {
    /// The host could not be reached.
    Outage,
    /// It takes no more calls of this app now.
    RateLimited,
    /// It says so, or says something that is not known to be lasting.
    Other,
}

/// Why an exchange gave nothing, named by what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExchangeError {
    /// Try later; nothing was spent.
    #[error("the marketplace cannot answer now: {fault}")]
    Transient {
        /// What it said.
        fault: Fault,
        /// Seconds that it asked to wait.
        retry_after: Option<i64>,
        /// Why it is expected to pass.
        cause: TransientCause,
    },
    /// Try later: another host than the one that was asked first gave no answer.
    #[error("{host} gives no answer: {fault}")]
    NoAnswerFrom {
        /// The other host.
        host: Host,
        /// What is known.
        fault: Fault,
    },
    /// Try later; what was sent may have been spent.
    #[error("the outcome is unknown: {fault}")]
    OutcomeUnknown {
        /// What is known.
        fault: Fault,
        /// Seconds that it asked to wait.
        retry_after: Option<i64>,
    },
    /// What was sent is dead, for good.
    #[error("refused: {}", refused.fault)]
    Refused {
        /// What it said, and what that means.
        refused: Refused,
    },
    /// The vendor's own configuration is wrong; no seller is to blame.
    #[error("our configuration is wrong: {fault}")]
    Configuration {
        /// What it said.
        fault: Fault,
    },
}
