//! The registry of apps: everything that the vendor says about its apps, except their credentials.
//!
//! It is one JSON document in Secrets Manager, written by `make app`. Here it is parsed, which is pure; [`source`] reads
//! it. An entry that is wrong makes its own app unusable and no other: one mistake in one customer's app must not stop a
//! fleet.

mod fields;
mod source;
mod temu;
mod tiktok_shop;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

pub use self::source::{AppRegistry, RegistryError};
use crate::{
    api::Api,
    connect_session::ConnectSession,
    connection::{Purpose, UserType, evidence::Call, webhooks::Delivery},
    health::{Breaker, Host},
    marketplace::temu::{permissions::Permission, router::Gateway},
    names::{AppKeyPath, MarketplaceName},
};

/// What the registry says about one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppConfig {
    /// The app's name as sellers read it at the marketplace.
    pub name: String,
    /// The vendor's own label for the app on the seller's page; none where the registration says enough.
    pub label: Option<String>,
    /// Whether a connect session offers the app without naming it.
    pub listed: bool,
    /// The kinds of users that authorize the app.
    pub users: Vec<UserType>,
    /// Where the app is registered.
    pub registration: Registration,
    /// The authorization link, without its parameters. None where sellers can only paste tokens.
    pub link_url: Option<Url>,
    /// The host that exchanges codes and refresh tokens. At Temu the first router's.
    pub token_url: Url,
    /// Where the vendor's services use the app's tokens.
    pub api: Api,
    /// Temu: the permissions that the vendor asks for.
    pub permissions: Vec<Permission>,
}

/// Where an app is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// TikTok Shop.
    TikTokShop {
        /// For sellers of which market.
        market: Market,
        /// How its webhooks come to us.
        webhooks: WebhookScope,
    },
    /// Temu.
    Temu {
        /// In which partition.
        gateway: Gateway,
        /// What cross-border sellers' tokens of the app are for, at least one.
        purposes: Vec<Purpose>,
    },
}

/// A market of TikTok Shop. Each has its own authorization link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Market {
    /// The United States.
    Us,
    /// Any other country.
    Global,
}

/// What a webhook URL of ours is registered for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookScope {
    /// The whole app: the vendor has entered it in Partner Center, where an app has only one.
    App,
    /// Each shop: registered by us, and the app's own URL stays the vendor's.
    #[default]
    Shop,
}

impl AppConfig {
    /// Where the webhooks about the shops of this app, called `path`, are sent. `public_base_url`: where oauth-callback is
    /// reached.
    pub fn webhook_delivery(&self, path: &AppKeyPath, public_base_url: &Url) -> Delivery {
        match self.registration {
            Registration::TikTokShop { webhooks: WebhookScope::Shop, .. } => {
                let mut address = public_base_url.clone();
                address.set_path(&format!("/webhooks/{path}"));
                Delivery::PerShop(address.into())
            }
            Registration::TikTokShop { webhooks: WebhookScope::App, .. } | Registration::Temu { .. } => Delivery::ByApp,
        }
    }

    /// The gateway of an app at Temu.
    pub const fn gateway(&self) -> Option<Gateway> {
        match &self.registration {
            Registration::Temu { gateway, .. } => Some(*gateway),
            Registration::TikTokShop { .. } => None,
        }
    }

    /// The host that is asked first.
    pub fn host(&self, call: Call) -> Host {
        Host::of(match (&self.registration, call) {
            (Registration::TikTokShop { .. }, Call::Check) => &self.api.base_url,
            // Temu has one host for both.
            (Registration::TikTokShop { .. }, Call::Refresh) | (Registration::Temu { .. }, _) => &self.token_url,
        })
    }

    /// The breakers that guard this call by the app called `path`, in the order in which they are passed. The exchange of a
    /// code is guarded as a refresh is: both get a token set that the vault has to store.
    pub fn breakers(&self, path: &AppKeyPath, call: Call) -> Vec<Breaker> {
        let mut breakers = vec![Breaker::Lane(path.clone()), Breaker::Host(self.host(call))];
        if call == Call::Refresh {
            breakers.push(Breaker::Vault);
        }
        breakers
    }

    /// All breakers that the app called `path` has to do with.
    pub fn all_breakers(&self, path: &AppKeyPath) -> BTreeSet<Breaker> {
        let of_calls = [Call::Refresh, Call::Check].into_iter().flat_map(|call| self.breakers(path, call));
        let of_routers = self.api.routers.iter().map(|at| Breaker::Host(Host::of(&at.url)));
        of_calls.chain(of_routers).collect()
    }

    /// What cross-border sellers' tokens of an app at Temu are for; empty at TikTok Shop.
    pub fn purposes(&self) -> &[Purpose] {
        match &self.registration {
            Registration::Temu { purposes, .. } => purposes,
            Registration::TikTokShop { .. } => &[],
        }
    }
}

/// All apps of an installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    apps: BTreeMap<AppKeyPath, Arc<AppConfig>>,
    problems: Vec<String>,
}

impl Registry {
    /// Parses the document: an object with one member per app, `{marketplace}/{app}`.
    ///
    /// # Errors
    /// If it is not a JSON object. Entries that are wrong are [`Self::problems`].
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let mut registry = Self::default();
        for (name, entry) in serde_json::from_str::<Map<String, Value>>(text)? {
            match parse_entry(&name, entry) {
                Ok((path, config)) => drop(registry.apps.insert(path, Arc::new(config))),
                Err(what) => registry.problems.push(one_line(&format!("{name}: {what}"))),
            }
        }
        Ok(registry)
    }

    /// What the registry says about this app.
    pub fn get(&self, path: &AppKeyPath) -> Option<&Arc<AppConfig>> {
        self.apps.get(path)
    }

    /// All apps, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&AppKeyPath, &AppConfig)> {
        self.apps.iter().map(|(path, config)| (path, config.as_ref()))
    }

    /// The apps that a connect session offers, in the order of their names.
    pub fn offered<'a>(
        &'a self,
        session: &'a ConnectSession,
    ) -> impl Iterator<Item = (&'a AppKeyPath, &'a Arc<AppConfig>)> {
        self.apps.iter().filter(|(path, config)| session.offers(path, config.listed))
    }

    /// What is wrong with entries, one line each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

fn parse_entry(name: &str, entry: Value) -> Result<(AppKeyPath, AppConfig), String> {
    let path: AppKeyPath = name.parse().map_err(|error| format!("{error}"))?;
    let config = match path.marketplace {
        MarketplaceName::TikTokShop => tiktok_shop::parse(entry),
        MarketplaceName::Temu => temu::parse(entry),
    }?;
    if config.name.trim().is_empty() {
        return Err("`name` is empty: it is the app's name as sellers read it at the marketplace".into());
    }
    if config.label.as_ref().is_some_and(|label| label.trim().is_empty()) {
        return Err("`label` is empty: leave it out, or say what the seller's page calls the app".into());
    }
    if config.users.is_empty() {
        return Err("`users` is empty: leave it out, or name `seller`".into());
    }
    Ok((path, config))
}

/// A problem stays one line even where it repeats a line break of the document.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests;
