//! Temu: sellers paste tokens or come by a code, and every call goes to a router. There is no refresh: a token is watched
//! until it ends.
//!
//! A cross-border seller's products and orders live in different partitions, so one store may bring a product token and
//! one order token per region, each of an app of its own.

#[cfg(feature = "marketplaces")]
pub mod answer;
pub mod authorization;
pub mod permissions;
pub mod router;
#[cfg(feature = "marketplaces")]
pub mod shops;
#[cfg(feature = "marketplaces")]
pub mod sign;
#[cfg(feature = "marketplaces")]
pub mod token;

pub use router::{Gateway, ROUTER_PATH, Router, RouterAddress};

/// The client of Temu's routers.
#[cfg(feature = "marketplaces")]
#[derive(Debug, Clone)]
pub struct Temu {
    http: reqwest::Client,
}

#[cfg(feature = "marketplaces")]
mod client {
    use super::{Temu, answer::CallError, token, token::Token};
    use crate::{
        apps::App,
        connection::{Fault, Listed, watch::Checked},
        marketplace::{ExchangeError, Exchanged, HostGate, Marketplace, NewTokens, WebhookError},
        secret::Secret,
        time::Timestamp,
    };

    impl Temu {
        /// With the process's one HTTP client.
        pub const fn new(http: reqwest::Client) -> Self {
            Self { http }
        }

        /// Who a token belongs to, what it may do and how long it lives, for a seller who waits. Asks every router that
        /// serves the app. Changes nothing.
        ///
        /// # Errors
        /// [`CallError`], by what to do next.
        pub async fn token_info(&self, app: &App, access_token: &Secret) -> Result<Token, CallError> {
            token::info_at_entry(&self.http, app, access_token, Timestamp::local_now()).await
        }
    }

    fn no_webhooks() -> WebhookError {
        let message = "Temu sends no webhooks".to_owned();
        WebhookError::Seller(Fault { message, code: None, request_id: None })
    }

    impl Marketplace for Temu {
        async fn exchange_code(&self, app: &App, code: &Secret) -> Result<Exchanged, ExchangeError> {
            token::exchange_code(&self.http, app, code).await
        }

        async fn refresh(&self, _: &App, _: &Secret) -> Result<NewTokens, ExchangeError> {
            let message = "Temu knows no refresh: the seller must authorize again".to_owned();
            let fault = Fault { message, code: None, request_id: None };
            Err(ExchangeError::Refused { refused: fault.into() })
        }

        async fn check(
            &self,
            app: &App,
            access_token: &Secret,
            gate: &impl HostGate,
        ) -> Result<Checked, ExchangeError> {
            let now = Timestamp::local_now();
            Ok(token::info_for_check(&self.http, app, access_token, gate, now).await?.checked())
        }

        async fn shops(&self, app: &App, access_token: &Secret) -> Result<Listed, Fault> {
            let token = self.token_info(app, access_token).await.map_err(CallError::into_fault)?;
            Ok(Listed::Shops(token.shops()))
        }

        async fn register_webhooks(&self, _: &App, _: &Secret, _: &str, _: &str) -> Result<(), WebhookError> {
            Err(no_webhooks())
        }

        async fn remove_webhooks(&self, _: &App, _: &Secret, _: &str) -> Result<(), WebhookError> {
            Err(no_webhooks())
        }
    }
}
