//! TikTok Shop: sellers authorize at its Partner Center's link, tokens come from one token host, and the open API
//! lists the shops. US sellers and all others authorize two different apps.

#[cfg(feature = "marketplaces")]
pub mod answer;
pub mod authorization;
#[cfg(feature = "marketplaces")]
pub mod shops;
#[cfg(feature = "marketplaces")]
pub mod sign;
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
    ) -> Result<crate::connection::watch::Checked, super::ExchangeError> {
        use self::shops::NotListed;
        use super::ExchangeError;
        match shops::list(&self.http, app, access_token, crate::time::Timestamp::local_now()).await {
            Ok(shops) => Ok(crate::connection::watch::Checked { shops: Some(shops), ..Default::default() }),
            Err(NotListed::TokenRefused(fault)) => Err(ExchangeError::Refused { refused: fault.into() }),
            Err(NotListed::Configuration(fault)) => Err(ExchangeError::Configuration { fault }),
            Err(NotListed::Failed(fault)) => Err(ExchangeError::Transient { fault, retry_after: None, outage: false }),
        }
    }

    async fn shops(
        &self,
        app: &crate::apps::App,
        access_token: &crate::secret::Secret,
    ) -> Result<Vec<crate::connection::Shop>, crate::connection::Fault> {
        let listed = shops::list(&self.http, app, access_token, crate::time::Timestamp::local_now()).await;
        listed.map_err(shops::NotListed::fault)
    }
}
