//! A running stack with many connections of one app, and what is read of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use end_to_end::{Function, Options, Stack, Table};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use shop_keyring::{connection::Connection, names::AttemptId, store::to_item};
use simulators::tiktok_shop::Route;
use tokio::time::sleep;

use super::{RUN_CONCURRENCY, SLOTS, Setting};
use crate::world::{self, Truth, connection};

/// Sellers who are enrolled at a time.
const AT_A_TIME: usize = 8;

/// After a commit the next refresh on demand waits for a quarter of an hour, in seconds, with one to spare.
pub(super) const RESTED: i64 = 901;

/// The longest that an invocation of refresh-on-demand may run, as the template sets it.
const INVOCATION: Duration = Duration::from_secs(75);

/// Time without a new exchange after which no other is expected.
const QUIET: Duration = Duration::from_secs(2);

const POLL: Duration = Duration::from_millis(50);

const APP_SECRET: &str = "shop-keyring/apps/tiktok-shop/us";

/// The stack, and the sellers who have connected their shops.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) stack: Stack,
    pub(super) sellers: Vec<String>,
}

/// What was stored when something began.
#[derive(Debug)]
pub(super) struct Before {
    /// Token sets in the vault, by seller.
    sets: BTreeMap<String, usize>,
}

/// What a storm has cost one connection.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Cost {
    /// Exchanges that reached the marketplace.
    pub(super) exchanges: usize,
    /// Token sets that were stored.
    pub(super) stored: usize,
}

/// The options of a stack with `SLOTS` slots, so many processes of token-lookup, and overlapping runs.
pub(super) fn options(lookups: usize) -> Options {
    let mut options = Options { sellers: Vec::new(), ..Options::default() }
        .with_concurrency(Function::RefreshOnDemand, SLOTS)
        .with_processes(Function::RefreshSweep, 3)
        .with_processes(Function::OauthCallback, 1)
        .with_processes(Function::TokenLookup, lookups)
        .with_variable(Function::RefreshSweep, "SWEEP_CONCURRENCY", &RUN_CONCURRENCY.to_string());
    for function in Function::ALL {
        options = options.with_variable(function, "LOG_LEVEL", "info");
    }
    options
}

impl Fleet {
    /// Starts a stack and connects so many sellers: the first one the whole way, the others by copies of what it has left,
    /// with tokens of their own. Thousands of whole ways would take most of the time.
    pub(super) async fn start(options: Options, size: usize, setting: Setting<'_>) -> Result<Self, String> {
        let started = Self::connected(options, size).await;
        setting.ready.wait().await;
        started
    }

    async fn connected(options: Options, size: usize) -> Result<Self, String> {
        let stack = Stack::start(options).await.map_err(|error| error.to_string())?;
        let sellers: Vec<_> = (0..size).map(|n| format!("caller-{n:05}")).collect();
        for seller in &sellers {
            world::add_seller(&stack, seller, 1);
        }
        let Some((first, others)) = sellers.split_first() else { return Err("a fleet has sellers".into()) };
        world::connect(&stack, first).await?;
        let pattern = Pattern::of(&stack, first).await.ok_or("the first connection is incomplete")?;
        let enrolled: Vec<_> = others.iter().map(|seller| pattern.enrol(&stack, seller)).collect();
        stream::iter(enrolled).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
        Ok(Self { stack, sellers })
    }

    /// What is stored now; from now on exchanges are counted.
    pub(super) fn begin(&self) -> Before {
        self.stack.tiktok_shop().forget_calls();
        Before { sets: self.sets() }
    }

    fn sets(&self) -> BTreeMap<String, usize> {
        let seller = |connection: &str| connection.rsplit('/').next().unwrap_or_default().to_owned();
        self.stack.kept_tokens().iter().map(|kept| (seller(&kept.connection), kept.versions.len())).collect()
    }

    /// What each connection has cost since then.
    pub(super) fn costs(&self, before: &Before) -> BTreeMap<String, Cost> {
        let mut costs: BTreeMap<_, _> = self.sellers.iter().map(|seller| (seller.clone(), Cost::default())).collect();
        for (seller, sets) in self.sets() {
            let stored = sets.saturating_sub(before.sets.get(&seller).copied().unwrap_or_default());
            costs.entry(seller).or_default().stored = stored;
        }
        for call in self.stack.tiktok_shop().calls_to(Route::TokenRefresh) {
            // Also one whose effect is still to come.
            if let Some(seller) = call.seller {
                costs.entry(seller).or_default().exchanges += 1;
            }
        }
        costs
    }

    /// Exchanges so far, whatever came of them.
    pub(super) fn exchanges(&self) -> usize {
        self.stack.tiktok_shop().calls_to(Route::TokenRefresh).len()
    }

    /// Exchanges whose token sets are not in the vault.
    pub(super) fn unstored(&self, before: &Before) -> usize {
        self.costs(before).values().map(|cost| cost.exchanges.saturating_sub(cost.stored)).sum()
    }

    /// Waits until no new exchange has begun for a moment.
    pub(super) async fn quiet(&self) {
        let (mut seen, mut since) = (self.exchanges(), Instant::now());
        while since.elapsed() < QUIET {
            sleep(POLL).await;
            let now = self.exchanges();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
    }

    /// Waits until no refresh on demand is running, whether or not somebody still waits for it: while one is, no time may
    /// pass for what is stored.
    pub(super) async fn idle(&self) -> Result<(), String> {
        let begun = Instant::now();
        while self.stack.lambda().running(Function::RefreshOnDemand.name()) > 0 {
            if begun.elapsed() > INVOCATION {
                return Err("a refresh on demand runs for longer than its function may".into());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// For how many seconds more a circuit breaker is open, if it is.
    pub(super) async fn open_for(&self, breaker: &str) -> Option<i64> {
        let item = self.stack.item(breaker).await?;
        Some(item["state"]["open"]["until"].as_i64()? - shop_keyring::time::Timestamp::local_now().0)
    }

    /// The current `token_version` of each connection.
    pub(super) async fn versions(&self) -> BTreeMap<String, u64> {
        let items = self.stack.items(Table::Connections).await;
        let version = |item: &Value| {
            let seller = item["connection"].as_str()?.strip_prefix("tiktok-shop/us/")?.to_owned();
            Some((seller, item["token_version"].as_u64()?))
        };
        items.iter().filter_map(version).collect()
    }

    /// What does not hold of these sellers' connections and of the tables, once everything has had its time.
    pub(super) async fn broken(&self, truth: &[Truth]) -> Vec<String> {
        let mut broken = world::coherent(&self.stack).await;
        broken.extend(truth.iter().flat_map(world::settled));
        broken
    }
}

/// What a connected seller has left in table and vault.
struct Pattern {
    seller: String,
    item: String,
    set: Value,
    app: Value,
    client: reqwest::Client,
}

impl Pattern {
    async fn of(stack: &Stack, seller: &str) -> Option<Self> {
        Some(Self {
            seller: seller.to_owned(),
            item: stack.item(&connection(seller)).await?.to_string(),
            set: stack.token_set(&connection(seller), None).await?,
            app: stack.secret(APP_SECRET, None).await?,
            client: reqwest::Client::builder().no_proxy().build().ok()?,
        })
    }

    async fn enrol(&self, stack: &Stack, seller: &str) -> Result<(), String> {
        let tokens = self.authorize(stack, seller).await?;
        let mut set = self.set.clone();
        for token in ["access_token", "refresh_token"] {
            set[token] = tokens[token].clone();
        }
        let connection: Result<Connection, _> = serde_json::from_str(&self.item.replace(&self.seller, seller));
        let mut connection = connection.map_err(|error| error.to_string())?;
        let version = AttemptId::random().version();
        let name = format!("shop-keyring/connections/{}/tokens", connection.connection);
        stack.secrets_manager().create(&name, version.as_str(), &set.to_string())?;
        connection.secret_version = Some(version);
        let item = to_item(&connection).map_err(|error| error.to_string())?;
        let item: Value = serde_dynamo::from_item(item).map_err(|error| error.to_string())?;
        stack.put_item(&item).await;
        Ok(())
    }

    /// The seller authorizes the app; gives the tokens.
    async fn authorize(&self, stack: &Stack, seller: &str) -> Result<Value, String> {
        let text = |name: &str| self.app[name].as_str().unwrap_or_default().to_owned();
        let callback =
            stack.tiktok_shop().authorize(&text("app_key"), seller, None).map_err(|error| error.to_string())?;
        let code = callback.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
        let mut url: url::Url = format!("{}/api/v2/token/get", stack.tiktok_shop().base_url())
            .parse()
            .map_err(|_| "the token host has no URL")?;
        url.query_pairs_mut()
            .append_pair("app_key", &text("app_key"))
            .append_pair("app_secret", &text("app_secret"))
            .append_pair("auth_code", &code.unwrap_or_default())
            .append_pair("grant_type", "authorized_code");
        let response = self.client.get(url).send().await.map_err(|error| error.without_url().to_string())?;
        let body = response.text().await.map_err(|error| error.without_url().to_string())?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        if answer["code"] == 0 { Ok(answer["data"].clone()) } else { Err(format!("{seller} cannot authorize: {body}")) }
    }
}
