//! An entry of the registry for an app at TikTok Shop.

use serde::Deserialize;
use serde_json::Value;

use super::{
    AppConfig, Market, Registration, WebhookScope,
    fields::{entry, host, link, listed, users},
};
use crate::{
    api::Api,
    connection::UserType,
    marketplace::tiktok_shop::authorization::{GLOBAL_LINK, US_LINK},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    label: Option<String>,
    #[serde(default = "listed")]
    listed: bool,
    #[serde(default = "users")]
    users: Vec<UserType>,
    market: Market,
    link_url: Option<String>,
    token_url: Option<String>,
    api_url: Option<String>,
    #[serde(default)]
    webhooks: WebhookScope,
}

pub(super) fn parse(value: Value) -> Result<AppConfig, String> {
    let Entry { name, label, listed, users, market, link_url, token_url, api_url, webhooks } = entry(value)?;
    let real_link = match market {
        Market::Us => US_LINK,
        Market::Global => GLOBAL_LINK,
    };
    Ok(AppConfig {
        name,
        label,
        listed,
        users,
        registration: Registration::TikTokShop { market, webhooks },
        link_url: Some(link(link_url.as_deref().unwrap_or(real_link))?),
        token_url: host("token_url", token_url.as_deref(), "https://auth.tiktok-shops.com")?,
        api: Api::at(host("api_url", api_url.as_deref(), "https://open-api.tiktokglobalshop.com")?),
        permissions: Vec::new(),
    })
}
