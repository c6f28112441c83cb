//! TikTok Shop: sellers authorize at its Partner Center's link, tokens come from one token host, and the open API
//! lists the shops. US sellers and all others authorize two different apps.

#[cfg(feature = "marketplaces")]
pub mod answer;
pub mod authorization;
#[cfg(feature = "marketplaces")]
pub mod event_webhooks;
#[cfg(feature = "marketplaces")]
pub mod open_api;
#[cfg(feature = "marketplaces")]
pub mod shops;
#[cfg(feature = "marketplaces")]
pub mod sign;
#[cfg(feature = "marketplaces")]
mod texts;
#[cfg(feature = "marketplaces")]
pub mod token;
#[cfg(feature = "marketplaces")]
pub mod webhook;

/// The header in which calls to the open API carry the access token.
pub const TOKEN_HEADER: &str = "x-tts-access-token";

/// The client of TikTok Shop's token host and open API.
#[cfg(feature = "marketplaces")]
#[derive(Debug, Clone)]
pub struct TikTokShop {
    http: reqwest::Client,
}

#[cfg(feature = "marketplaces")]
impl TikTokShop {
    /// With the process's one HTTP client.
    pub const fn new(http: reqwest::Client) -> Self {
        Self { http }
    }
}

#[cfg(feature = "marketplaces")]
impl super::Marketplace for TikTokShop {
    async fn exchange_code(
        &self,
        app: &crate::apps::App,
        code: &crate::secret::Secret,
    ) -> Result<super::Exchanged, super::ExchangeError> {
        token::exchange_code(&self.http, app, code).await
    }

    async fn refresh(
        &self,
        app: &crate::apps::App,
        refresh_token: &crate::secret::Secret,
    ) -> Result<super::NewTokens, super::ExchangeError> {
        token::refresh(&self.http, app, refresh_token).await
    }

    /// A token that lists its shops works. Of one that does not, only a refresh tells for good what it is worth.
    async fn check(
        &self,
        app: &crate::apps::App,
        access_token: &crate::secret::Secret,
        _: &impl super::HostGate,
    ) -> Result<crate::connection::watch::Checked, super::ExchangeError> {
        use self::open_api::CallError;
        use super::{ExchangeError, TransientCause};
        use crate::connection::{Listed, watch::Checked};
        let checked = |listed| Ok(Checked { listed: Some(listed), ..Checked::default() });
        match shops::list(&self.http, app, access_token, crate::time::Timestamp::local_now()).await {
            Ok(shops) => checked(Listed::Shops(shops)),
            Err(CallError::Inactive(fault)) => {
                tracing::warn!(app = %app.path, %fault, "no shops are listed");
                checked(Listed::Inactive)
            }
            Err(CallError::TokenRefused(fault)) => Err(ExchangeError::Refused { refused: fault.into() }),
            Err(CallError::Configuration(fault)) => Err(ExchangeError::Configuration { fault }),
            Err(CallError::Unreachable(fault)) => {
                Err(ExchangeError::Transient { fault, retry_after: None, cause: TransientCause::Outage })
            }
            Err(CallError::RateLimited { fault, retry_after }) => {
                Err(ExchangeError::Transient { fault, retry_after, cause: TransientCause::RateLimited })
            }
            Err(CallError::Failed(fault)) => {
                Err(ExchangeError::Transient { fault, retry_after: None, cause: TransientCause::Other })
            }
            Err(CallError::ShopRateLimited(_)) => checked(Listed::NotNow),
        }
    }

    async fn shops(
        &self,
        app: &crate::apps::App,
        access_token: &crate::secret::Secret,
    ) -> Result<crate::connection::Listed, crate::connection::Fault> {
        use crate::connection::Listed;
        match shops::list(&self.http, app, access_token, crate::time::Timestamp::local_now()).await {
            Ok(shops) => Ok(Listed::Shops(shops)),
            Err(open_api::CallError::Inactive(_)) => Ok(Listed::Inactive),
            Err(open_api::CallError::ShopRateLimited(_)) => Ok(Listed::NotNow),
            Err(error) => Err(error.into_fault()),
        }
    }

    async fn register_webhooks(
        &self,
        app: &crate::apps::App,
        access_token: &crate::secret::Secret,
        shop_cipher: &str,
        address: &str,
    ) -> Result<(), super::WebhookError> {
        let registered = event_webhooks::register(&self.http, app, access_token, shop_cipher, address).await;
        registered.map_err(open_api::CallError::of_webhooks)
    }

    async fn remove_webhooks(
        &self,
        app: &crate::apps::App,
        access_token: &crate::secret::Secret,
        shop_cipher: &str,
    ) -> Result<(), super::WebhookError> {
        let removed = event_webhooks::remove(&self.http, app, access_token, shop_cipher).await;
        removed.map_err(open_api::CallError::of_webhooks)
    }
}
