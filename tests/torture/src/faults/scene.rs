//! One cell being tried: a seller of its own, and the ways that every job goes.

use std::time::{Duration, SystemTime};

use emulators::front::{Call, Fault as AwsFault, Injected};
use end_to_end::{Answer, Browser, Function, Returned, Stack, Table};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault, Route, Seller, Shop};

use super::{
    bench::{Bench, Round},
    cell::{Cell, Strike},
    step::{AwsCall, Target},
    trouble::Trouble,
};

/// After this many seconds a seven-day token is due and still works.
pub(super) const DUE: i64 = 5 * 86_400 + 43_200;

/// Longer than any wait that the keyring sets itself.
pub(super) const LONG: i64 = 3_700;

/// How long a function does not read the registry again after it has read it in vain (`shared/src/registry/source.rs`).
const REGISTRY_PAUSE: Duration = Duration::from_secs(10);

/// After this long a call to AWS is given up (`shared/src/aws.rs`).
const ONE_ATTEMPT: Duration = Duration::from_secs(3);

const ACCOUNT: &str = "acme";

/// A cell on a bench.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) bench: Bench,
    pub(super) cell: Option<Cell>,
    pub(super) round: Round,
    pub(super) functions: &'static [Function],
    seller: String,
    pub(super) connection: String,
}

/// A fault in store, and the marks from which everything is counted.
#[derive(Debug)]
pub(super) struct Armed {
    aws: Option<Injected>,
    pub(super) at_marketplace: usize,
    alarms: usize,
}

/// How a fault has befallen a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// Whether a call came to nothing for its caller.
    pub(super) failed: bool,
    /// Whether the call was made again afterwards.
    pub(super) repeated: bool,
    /// Whether the operator was told.
    pub(super) alarm: bool,
}

/// The error that this does not hold.
pub(super) fn must(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

impl Scene {
    /// A scene for a new seller. Without a cell nothing goes wrong.
    pub(super) fn new(
        bench: &Bench,
        round: Round,
        number: usize,
        cell: Option<Cell>,
        functions: &'static [Function],
    ) -> Self {
        let seller = format!("seller-{number}");
        let shop = Shop::new(format!("shop-of-{seller}"), "US");
        bench.stack.tiktok_shop().add_seller(Seller::new(&seller).with_shop(shop));
        let connection = format!("tiktok-shop/us/{seller}");
        Self { bench: bench.clone(), cell, round, functions, seller, connection }
    }

    pub(super) fn stack(&self) -> &Stack {
        &self.bench.stack
    }

    /// The shop that the seller opens after having connected.
    pub(super) fn second_shop(&self) -> String {
        format!("second-shop-of-{}", self.seller)
    }

    pub(super) fn opens_second_shop(&self) -> Result<(), String> {
        let opened = self.stack().tiktok_shop().add_shop(&self.seller, Shop::new(self.second_shop(), "US"));
        opened.map_err(|error| error.to_string())
    }

    /// Takes the seller the whole way, until the webhooks of the shop are registered.
    pub(super) async fn connect(&self) -> Result<(), String> {
        self.connect_only().await?;
        self.age(self.until_due()).await;
        let swept = self.bench.sweep().await?;
        must(self.has_webhooks(), || format!("its webhooks are not registered: {swept}"))
    }

    /// After so many seconds what was just written is due by every process's clock.
    pub(super) fn until_due(&self) -> i64 {
        match self.cell.map(|cell| cell.strike) {
            Some(Strike::Clock(ahead)) => ahead.max(0) + 2,
            _ => 2,
        }
    }

    /// Takes the seller the whole way, confirmation included.
    pub(super) async fn connect_only(&self) -> Result<(), String> {
        // A quarter of an hour after the last call that a circuit breaker has met.
        self.age_breakers(15 * 60 + 1).await;
        let session = self.stack().vendor().connect_session(json!({ "account_id": ACCOUNT })).await;
        let back = self.stack().browser().connect(&session.connect_url, "us", &self.seller).await;
        must(arrived(&back), || format!("the seller cannot connect: {}", told(&back)))?;
        let confirmed = self.stack().vendor().confirm(&session.session_id, back.result()).await;
        must(confirmed.status == 200, || format!("the vendor cannot confirm: {}", confirmed.body))
    }

    /// Opens a session and goes with the seller as far as the marketplace's yes: session, browser, and the callback
    /// that is not yet visited.
    pub(super) async fn authorize(&self) -> (String, Browser, url::Url) {
        let session = self.stack().vendor().connect_session(json!({ "account_id": ACCOUNT })).await;
        let browser = self.stack().browser();
        let link = browser.leave(&session.connect_url, "us").await;
        let callback = browser.authorize(&link, &self.seller).await;
        (session.session_id, browser, callback)
    }

    /// Whether TikTok Shop sends both webhooks about its shop.
    pub(super) fn has_webhooks(&self) -> bool {
        let shop = format!("shop-of-{}", self.seller);
        self.stack().tiktok_shop().webhooks_of(self.stack().app_key("us"), &shop).len() == 2
    }

    pub(super) async fn item(&self) -> Result<Value, String> {
        self.stack().item(&self.connection).await.ok_or_else(|| format!("there is no item {}", self.connection))
    }

    /// The item's `token_version`; 0 without an item.
    pub(super) async fn version(&self) -> u64 {
        let item = self.stack().item(&self.connection).await;
        item.and_then(|item| item["token_version"].as_u64()).unwrap_or_default()
    }

    pub(super) async fn age(&self, seconds: i64) {
        self.stack().age_connection(&self.connection, seconds).await;
        self.age_breakers(seconds).await;
    }

    async fn age_breakers(&self, seconds: i64) {
        for item in self.stack().items(Table::Connections).await {
            let key = item["connection"].as_str().unwrap_or_default();
            if key.starts_with("health/") {
                self.stack().age_connection(key, seconds).await;
            }
        }
    }

    pub(super) async fn token(&self) -> Answer {
        self.stack().vendor().token(&self.connection).await
    }

    /// Whether TikTok Shop takes the token of this answer.
    pub(super) fn accepts(&self, answer: &Answer) -> bool {
        let token: Option<Value> = serde_json::from_str(&answer.body).ok();
        let token = token.as_ref().and_then(|token| token["access_token"].as_str());
        token.is_some_and(|token| self.stack().tiktok_shop().accepts(token))
    }

    /// New processes, and the fault in store: from here on everything is counted.
    pub(super) fn strike(&self) -> Result<Armed, String> {
        self.bench.renew(self.functions)?;
        Ok(self.arm())
    }

    /// The same after something was asked of the new processes, so that they have it in memory.
    pub(super) async fn strike_after<F: Future<Output = Answer>>(
        &self,
        ask: impl FnOnce() -> F,
    ) -> Result<Armed, String> {
        self.bench.renew(self.functions)?;
        let asked = ask().await;
        must(asked.status == 200, || format!("not even before: {}", asked.body))?;
        Ok(self.arm())
    }

    fn arm(&self) -> Armed {
        let stack = self.stack();
        for front in [stack.dynamodb().front(), stack.secrets_manager().front(), stack.lambda().front()] {
            front.forget_calls();
        }
        let (at_marketplace, alarms) = (stack.tiktok_shop().calls().len(), self.bench.alarms());
        let mut aws = None;
        if let Some((step, trouble, lasting)) = self.call() {
            match step.target {
                Target::TikTokShop(route, _) => {
                    let fault = Fault::new(trouble.at_marketplace(self.round.cut));
                    stack.tiktok_shop().inject(route, if lasting { fault } else { fault.times(1) });
                }
                Target::Aws(call) => {
                    let connection = self.connection.clone();
                    let fault = AwsFault::new(trouble.at_aws(call.is_invocation(), self.round.cut))
                        .when(move |it| call.matches(it, &connection))
                        .after(call.skip);
                    aws = Some(self.front_of(call).inject(if lasting { fault.always() } else { fault }));
                }
            }
        }
        Armed { aws, at_marketplace, alarms }
    }

    /// The job is over: nothing goes wrong any more, and nothing is under way any more.
    pub(super) async fn over(&self, armed: Armed) -> Result<Hit, String> {
        let stack = self.stack();
        let mut hit = Hit { failed: false, repeated: false, alarm: false };
        // What was begun for somebody who has given up waiting shall meet the fault, too; it may fail by it.
        let _ = self.wait_for_work().await;
        if let Some((step, trouble, lasting)) = self.call() {
            let (fired, made) = match step.target {
                Target::TikTokShop(route, _) => {
                    let made = self.calls_to(route, armed.at_marketplace);
                    stack.tiktok_shop().clear_faults(route);
                    (if lasting { made } else { made.min(1) }, made)
                }
                Target::Aws(call) => {
                    armed.aws.as_ref().inspect(|fault| fault.clear());
                    let calls: Vec<Call> = self.calls_like(call);
                    if trouble == Trouble::TimeOut {
                        wait_for_late(&calls, Trouble::too_late(call.is_invocation())).await;
                    }
                    if call.is_for_registry() && trouble != Trouble::Slow {
                        let given_up = if trouble == Trouble::TimeOut { ONE_ATTEMPT } else { Duration::ZERO };
                        wait_for_late(&calls, given_up + REGISTRY_PAUSE).await;
                    }
                    let made = calls.len().saturating_sub(usize::try_from(call.skip).unwrap_or_default());
                    (usize::try_from(armed.aws.map_or(0, |fault| fault.fired())).unwrap_or_default(), made)
                }
            };
            must(fired > 0, || "there was no such call".into())?;
            hit.failed = trouble != Trouble::Slow;
            // What is slow needs no second; of the queries the others are for other shards.
            hit.repeated = hit.failed && made > fired;
        }
        self.wait_for_work().await?;
        // What a process has written comes through a pipe.
        tokio::time::sleep(Duration::from_millis(20)).await;
        hit.alarm = self.bench.alarms() > armed.alarms;
        Ok(hit)
    }

    async fn wait_for_work(&self) -> Result<(), String> {
        for function in self.functions {
            self.bench.wait_for(*function).await?;
        }
        Ok(())
    }

    fn call(&self) -> Option<(super::step::Step, Trouble, bool)> {
        let cell = self.cell?;
        match cell.strike {
            Strike::Call { trouble, lasting, .. } => Some((cell.step()?, trouble, lasting)),
            Strike::Clock(_) => None,
        }
    }

    fn front_of(&self, call: AwsCall) -> &emulators::front::Front {
        if call.is_invocation() {
            self.stack().lambda().front()
        } else if call.is_secret() {
            self.stack().secrets_manager().front()
        } else {
            self.stack().dynamodb().front()
        }
    }

    pub(super) fn calls_like(&self, call: AwsCall) -> Vec<Call> {
        let calls = self.front_of(call).calls().into_iter();
        calls.filter(|it| call.matches(it, &self.connection)).collect()
    }

    pub(super) fn calls_to(&self, route: Route, since: usize) -> usize {
        self.stack().tiktok_shop().calls()[since..].iter().filter(|call| call.route == route).count()
    }

    /// Sweeps as time passes, until this is seen in the item; says whether something was found in the vault.
    pub(super) async fn run_on(&self, until: impl Fn(&Value) -> bool) -> Result<bool, String> {
        let mut healed = false;
        // At last a day: then a refusal is believed that no other connection confirms.
        for seconds in [61, LONG, LONG, LONG, LONG, 86_400] {
            self.age(seconds).await;
            let swept = self.bench.sweep().await?;
            healed |= swept["healed"] == 1;
            if until(&self.item().await?) {
                return Ok(healed);
            }
        }
        Err(format!("hours later it is still {}", self.item().await?))
    }

    /// The connection works: its token is taken, its shops are found, and it can be refreshed once more.
    pub(super) async fn works(&self) -> Result<(), String> {
        let before = self.token().await;
        must(before.status == 200 && self.accepts(&before), || format!("no good token: {}", before.body))?;
        let version = self.version().await;
        self.age(DUE).await;
        let swept = self.bench.sweep().await?;
        must(self.version().await == version + 1, || format!("it cannot be refreshed: {swept}"))?;
        let after = self.token().await;
        must(after.status == 200 && self.accepts(&after), || format!("no good token in the end: {}", after.body))?;
        let shop = self.stack().vendor().token_by_shop(&format!("tiktok-shop/us/shop-of-{}", self.seller)).await;
        must(shop.status == 200, || format!("its shop is not found: {}", shop.body))?;
        let spent = self.stack().item(&self.connection).await.unwrap_or_default();
        must(spent["refusals"] == 0 && spent["failures"] == 0, || format!("marks stay behind: {spent}"))
    }

    /// Makes room: what is left of this seller shall not come due while the next one is tried.
    pub(super) async fn clear(&self) {
        self.stack().delete_item(&self.connection).await;
        for shop in [format!("shop-of-{}", self.seller), self.second_shop()] {
            self.stack().delete_item(&format!("shop/tiktok-shop/us/{shop}")).await;
        }
    }
}

/// Waits until that long after the last of these calls: what is still to come of them must not happen beside what follows.
async fn wait_for_late(calls: &[Call], late: Duration) {
    let Some(last) = calls.iter().map(|call| call.at).max() else { return };
    let end = last + late + Duration::from_millis(100);
    tokio::time::sleep(end.duration_since(SystemTime::now()).unwrap_or_default()).await;
}

/// Whether the seller is back at the vendor's, connected.
pub(super) fn arrived(back: &Returned) -> bool {
    back.page.is_none() && back.parameter("status").as_deref() == Some("connected")
}

/// Where the seller ended up instead.
pub(super) fn told(back: &Returned) -> String {
    back.page.as_ref().map_or_else(|| back.url.to_string(), |page| format!("{} {}", page.status, page.body))
}
