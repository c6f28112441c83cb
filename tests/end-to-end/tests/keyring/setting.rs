//! What many tests begin with.

use end_to_end::{Options, Stack};
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
    let vendor = stack.vendor();
    let session = vendor.connect_session(json!({ "account_id": account })).await;
    let back = stack.browser().connect(&session.connect_url, app, seller).await;
    drop(vendor.confirm(&session.session_id, back.result()).await.expect(200));
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
