//! All marketplaces behind one seam: each call goes to the marketplace of its app.

use super::{
    ExchangeError, Exchanged, HostGate, Marketplace, NewTokens, WebhookError, temu::Temu, tiktok_shop::TikTokShop,
};
use crate::{
    apps::App,
    connection::{Fault, Listed, watch::Checked},
    names::MarketplaceName,
    secret::Secret,
};

/// The clients of all marketplaces.
#[derive(Debug, Clone)]
pub struct Marketplaces {
    /// TikTok Shop.
    pub tiktok_shop: TikTokShop,
    /// Temu.
    pub temu: Temu,
}

impl Marketplaces {
    /// With the process's one HTTP client.
    pub fn new(http: reqwest::Client) -> Self {
        Self { tiktok_shop: TikTokShop::new(http.clone()), temu: Temu::new(http) }
    }
}

impl Marketplace for Marketplaces {
    async fn exchange_code(&self, app: &App, code: &Secret) -> Result<Exchanged, ExchangeError> {
        match app.path.marketplace {
            MarketplaceName::TikTokShop => self.tiktok_shop.exchange_code(app, code).await,
            MarketplaceName::Temu => self.temu.exchange_code(app, code).await,
        }
    }

    async fn refresh(&self, app: &App, refresh_token: &Secret) -> Result<NewTokens, ExchangeError> {
        match app.path.marketplace {
            MarketplaceName::TikTokShop => self.tiktok_shop.refresh(app, refresh_token).await,
            MarketplaceName::Temu => self.temu.refresh(app, refresh_token).await,
        }
    }

    async fn check(&self, app: &App, access_token: &Secret, gate: &impl HostGate) -> Result<Checked, ExchangeError> {
        match app.path.marketplace {
            MarketplaceName::TikTokShop => self.tiktok_shop.check(app, access_token, gate).await,
            MarketplaceName::Temu => self.temu.check(app, access_token, gate).await,
        }
    }

    async fn shops(&self, app: &App, access_token: &Secret) -> Result<Listed, Fault> {
        match app.path.marketplace {
            MarketplaceName::TikTokShop => self.tiktok_shop.shops(app, access_token).await,
            MarketplaceName::Temu => self.temu.shops(app, access_token).await,
        }
    }

    async fn register_webhooks(
        &self,
        app: &App,
        access_token: &Secret,
        shop_cipher: &str,
        address: &str,
    ) -> Result<(), WebhookError> {
        match app.path.marketplace {
            MarketplaceName::TikTokShop => {
                self.tiktok_shop.register_webhooks(app, access_token, shop_cipher, address).await
            }
            MarketplaceName::Temu => self.temu.register_webhooks(app, access_token, shop_cipher, address).await,
        }
    }

    async fn remove_webhooks(&self, app: &App, access_token: &Secret, shop_cipher: &str) -> Result<(), WebhookError> {
        match app.path.marketplace {
            MarketplaceName::TikTokShop => self.tiktok_shop.remove_webhooks(app, access_token, shop_cipher).await,
            MarketplaceName::Temu => self.temu.remove_webhooks(app, access_token, shop_cipher).await,
        }
    }
}
