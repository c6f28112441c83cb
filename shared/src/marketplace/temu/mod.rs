//! Temu: sellers paste tokens or come by a code, and one router a region answers every call. There is no refresh: a
//! token is watched until it ends.
//!
//! A cross-border seller's products and orders live on different sites, so one store may bring a product token and an
//! order token for each region, each of an app of its own.

#[cfg(feature = "marketplaces")]
pub mod answer;
pub mod authorization;
pub mod permissions;
#[cfg(feature = "marketplaces")]
pub mod shops;
#[cfg(feature = "marketplaces")]
pub mod sign;
#[cfg(feature = "marketplaces")]
pub mod token;

/// The path of every call at every region's host.
pub const ROUTER_PATH: &str = "/openapi/router";

/// The app for cross-border sellers' products, in the Global environment.
pub const PRODUCT_APP: &str = "product";

/// The apps that an installation can have, and the host of each one's router.
///
/// Which host answers for product tokens is not documented; the Global environment's is the best guess, and the
/// configuration can name another.
pub const ROUTERS: [(&str, &str); 4] = [
    ("us", "https://openapi-b-us.temu.com"),
    ("eu", "https://openapi-b-eu.temu.com"),
    ("global", "https://openapi-b-global.temu.com"),
    (PRODUCT_APP, "https://openapi-b-global.temu.com"),
];

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
        connection::{Fault, Shop, watch::Checked},
        marketplace::{ExchangeError, Exchanged, Marketplace, NewTokens},
        secret::Secret,
        time::Timestamp,
    };

    impl Temu {
        /// With the process's one HTTP client.
        pub const fn new(http: reqwest::Client) -> Self {
            Self { http }
        }

        /// Who a token belongs to, what it may do and how long it lives, for a seller who waits. Changes nothing.
        ///
        /// # Errors
        /// [`CallError`], by what to do next.
        pub async fn token_info(&self, app: &App, access_token: &Secret) -> Result<Token, CallError> {
            token::info_soon(&self.http, app, access_token, Timestamp::local_now()).await
        }
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

        async fn check(&self, app: &App, access_token: &Secret) -> Result<Checked, ExchangeError> {
            let now = Timestamp::local_now();
            Ok(token::info(&self.http, app, access_token, now).await?.checked())
        }

        async fn shops(&self, app: &App, access_token: &Secret) -> Result<Vec<Shop>, Fault> {
            Ok(self.token_info(app, access_token).await.map_err(CallError::into_fault)?.shops())
        }
    }
}
