//! What many tests begin with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use end_to_end::{Browser, ConnectSession, Options, Stack};
use reqwest::Url;
use serde_json::{Value, json};
use simulators::tiktok_shop::{Seller, Shop};

/// The connection of the seller that the tests have connected.
pub(crate) const SELLER_1: &str = "tiktok-shop/us/seller-1";

/// The app key of the app `us`.
pub(crate) const US_APP_KEY: &str = "6us7a1k3q9";

/// After this many seconds a seven-day token is due and still works.
pub(crate) const DUE: i64 = 5 * 86_400 + 43_200;

/// A stack with one connected and confirmed seller: [`SELLER_1`], for the account `acme`.
pub(crate) async fn connected(options: Options) -> Stack {
    let stack = Stack::start(options).await.unwrap();
    connect(&stack, "us", "seller-1", "acme").await;
    stack
}

/// Takes a seller the whole way, confirmation included.
pub(crate) async fn connect(stack: &Stack, app: &str, seller: &str, account: &str) {
    OnTheWay::authorized(stack, app, seller, account).await.arrives().await;
}

/// A seller who has said yes at the marketplace and is about to come back: the rest is short enough for a call to AWS to
/// be held meanwhile, which its caller gives up after three seconds.
pub(crate) struct OnTheWay<'a> {
    stack: &'a Stack,
    session: ConnectSession,
    browser: Browser,
    callback: Url,
}

impl<'a> OnTheWay<'a> {
    pub(crate) async fn authorized(stack: &'a Stack, app: &str, seller: &str, account: &str) -> Self {
        let session = stack.vendor().connect_session(json!({ "account_id": account })).await;
        let browser = stack.browser();
        drop(browser.open(&session.connect_url).await.expect(200));
        let link = browser.leave(&session.connect_url, app).await;
        let callback = browser.authorize(&link, seller).await;
        Self { stack, session, browser, callback }
    }

    /// Confirmation included.
    pub(crate) async fn arrives(self) {
        self.comes_back().await.confirm().await;
    }

    /// Without the confirmation.
    pub(crate) async fn comes_back(self) -> Back<'a> {
        let back = self.browser.come_back(&self.callback).await;
        Back { stack: self.stack, session: self.session, result: back.result().to_owned() }
    }
}

/// A seller who is back at the vendor.
pub(crate) struct Back<'a> {
    stack: &'a Stack,
    session: ConnectSession,
    result: String,
}

impl Back<'_> {
    /// The vendor confirms.
    pub(crate) async fn confirm(self) {
        drop(self.stack.vendor().confirm(&self.session.session_id, &self.result).await.expect(200));
    }
}

/// The authorization of this seller ends at TikTok Shop, whose clock does not travel along with the connections.
pub(crate) fn ends(stack: &Stack, seller: &str) {
    assert!(stack.tiktok_shop().extend_authorization(US_APP_KEY, seller, 0), "there is an authorization");
}

/// The next run of the schedule: at the earliest a moment later, so that what was just written is due by every process's
/// clock.
pub(crate) async fn next_sweep(stack: &Stack) -> Value {
    stack.age(2).await;
    stack.invoke_sweep().await
}

/// Waits for the next second of the clock: two authorizations of a seller are told apart by it.
pub(crate) async fn next_second() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    tokio::time::sleep(Duration::from_millis(u64::from(1_000 - now.subsec_millis()))).await;
}

/// Waits for what is to come about; panics if it does not within twenty seconds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let holds = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), holds).await.expect("it comes about");
}

/// Options with so many sellers, `s-0`, `s-1` …, each with one shop.
pub(crate) fn with_sellers(count: usize) -> Options {
    let seller = |n| Seller::new(format!("s-{n}")).with_shop(Shop::new(format!("shop-of-{n}"), "US"));
    Options { sellers: (0..count).map(seller).collect(), ..Options::default() }
}

/// Connects all of them.
pub(crate) async fn connect_all(stack: &Stack, count: usize) {
    for n in 0..count {
        connect(stack, "us", &format!("s-{n}"), "acme").await;
    }
}

/// The item of a connection that must be there.
pub(crate) async fn item(stack: &Stack, connection: &str) -> Value {
    stack.item(connection).await.unwrap_or_else(|| panic!("no item {connection}"))
}
