//! What a stack is started with.

use std::collections::BTreeMap;

use simulators::{
    temu::{self, Mall, MallType},
    tiktok_shop::{Seller, Shop},
};

use super::{Function, TemuApp, vendor};

/// How a [`Stack`](super::Stack) is set up. The default suits most tests.
#[derive(Debug, Clone)]
pub struct Options {
    /// `VENDOR_NAME`
    pub vendor_name: String,
    /// `SUPPORT_URL`, if there is one.
    pub support_url: Option<String>,
    /// `UNSOLICITED_CALLBACKS`, if it is set.
    pub unsolicited: Option<&'static str>,
    /// How TikTok Shop's webhooks come to the keyring.
    pub webhooks: Webhooks,
    /// Whether there is an event bus, so that the functions write events. Not unless set: likewise.
    pub events: bool,
    /// Where sellers return to, unless a test says otherwise.
    pub return_url: String,
    /// `RETURN_URLS`: the addresses that are allowed, separated by commas.
    pub return_urls: String,
    /// Seconds that an access token lives; TikTok Shop's seven days unless set.
    pub access_lifetime: Option<u64>,
    /// Seconds that an authorization lives; a year unless set.
    pub authorization_lifetime: Option<u64>,
    /// The sellers that TikTok Shop knows; more can be added later.
    pub sellers: Vec<Seller>,
    /// Which of the vendor's apps at TikTok Shop the registry has: `us` and `global` unless set.
    pub tiktok_shop_apps: Vec<&'static str>,
    /// The vendor's apps at Temu: `us`, `eu`, `global` and `product` unless set.
    pub temu_apps: BTreeMap<String, TemuApp>,
    /// The sellers that Temu knows; more can be added later.
    pub temu_sellers: Vec<temu::Seller>,
    /// Processes of each function: as many calls of it run at the same time.
    pub processes: BTreeMap<Function, usize>,
    /// The reserved concurrency of functions that have one. None has, unless set.
    pub concurrency: BTreeMap<Function, usize>,
    /// Further variables, or other values.
    pub environment: Vec<(Function, String, String)>,
    /// Where everything listens.
    pub ports: Ports,
}

/// How TikTok Shop's webhooks come to the keyring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Webhooks {
    /// Not at all, and nothing is registered: so what a test does happens only by it.
    #[default]
    None,
    /// Partner Center has the keyring's address for each app.
    PerApp,
    /// The keyring registers them for each shop, as it does unless the registry of apps says otherwise.
    PerShop,
}

/// Ports on 127.0.0.1; 0 is any free one.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    /// The gateway: the public address, and the API.
    pub gateway: u16,
    /// The simulator of TikTok Shop.
    pub tiktok_shop: u16,
    /// The simulator of Temu: the first of six in a row.
    pub temu: u16,
    /// cargo-lambda: the runtime API, and the one that invokes functions.
    pub lambda: u16,
    /// `DynamoDB`.
    pub dynamodb: u16,
    /// Secrets Manager.
    pub secrets_manager: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            vendor_name: "Acme Listing".into(),
            support_url: Some("https://vendor.example/help".into()),
            unsolicited: None,
            webhooks: Webhooks::None,
            events: false,
            return_url: "https://vendor.example/shops/connected".into(),
            return_urls: "https://vendor.example/shops".into(),
            access_lifetime: None,
            authorization_lifetime: None,
            sellers: vec![
                Seller::new("seller-1").with_shop(Shop::new("shop-1", "US")),
                Seller::new("seller-2").with_shop(Shop::new("shop-2", "GB")).with_shop(Shop::new("shop-3", "DE")),
            ],
            tiktok_shop_apps: vec!["us", "global"],
            temu_apps: vendor::temu::apps(),
            temu_sellers: vec![
                temu::Seller::new("mia").with_mall(Mall::new(634_418_212_001, MallType::Local)),
                temu::Seller::new("tom").with_mall(Mall::new(634_418_212_002, MallType::SemiManaged)),
                temu::Seller::new("fay").with_mall(Mall::new(634_418_212_004, MallType::FullyManaged)),
            ],
            processes: Function::ALL.map(|function| (function, 2)).into(),
            concurrency: BTreeMap::new(),
            environment: Vec::new(),
            ports: Ports::default(),
        }
    }
}

impl Options {
    /// The same with this many processes of a function.
    #[must_use]
    pub fn with_processes(mut self, function: Function, count: usize) -> Self {
        self.processes.insert(function, count);
        self
    }

    /// The same with a function that has this reserved concurrency, and a process for each of its invocations.
    #[must_use]
    pub fn with_concurrency(mut self, function: Function, limit: usize) -> Self {
        self.concurrency.insert(function, limit);
        self.with_processes(function, limit)
    }

    /// The same with a variable of one function set.
    #[must_use]
    pub fn with_variable(mut self, function: Function, name: &str, value: &str) -> Self {
        self.environment.push((function, name.to_owned(), value.to_owned()));
        self
    }

    /// The same with TikTok Shop sending the webhooks of each app to the keyring.
    #[must_use]
    pub fn with_webhooks(mut self) -> Self {
        self.webhooks = Webhooks::PerApp;
        self
    }

    /// The same with refresh-sweep registering webhooks for each shop.
    #[must_use]
    pub fn with_webhooks_per_shop(mut self) -> Self {
        self.webhooks = Webhooks::PerShop;
        self
    }

    /// The same with an event bus.
    #[must_use]
    pub fn with_events(mut self) -> Self {
        self.events = true;
        self
    }

    /// The same with access tokens that live this many seconds.
    #[must_use]
    pub fn with_access_lifetime(mut self, seconds: u64) -> Self {
        self.access_lifetime = Some(seconds);
        self
    }

    /// The same with one of the vendor's apps at Temu changed; panics if there is no such app.
    #[must_use]
    pub fn with_temu_app(mut self, name: &str, change: impl FnOnce(&mut TemuApp)) -> Self {
        change(self.temu_apps.get_mut(name).unwrap_or_else(|| panic!("the vendor has no app {name} at Temu")));
        self
    }
}
