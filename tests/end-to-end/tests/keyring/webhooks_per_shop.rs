//! TikTok Shop's webhooks where the vendor keeps the app's own URL: registered for each shop, and removed with the
//! connection.

use std::time::{Duration, Instant};

use end_to_end::{Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault, Inactive, Route, Shop, Trouble, When};

use crate::setting::{DUE, OnTheWay, SELLER_1, US_APP_KEY, connect, connected, item, next_second, next_sweep, until};

const SELLER_2: &str = "tiktok-shop/us/seller-2";

/// The longest first wait after a failure, in seconds.
const LONGEST_FIRST_WAIT: i64 = 15 * 60 * 3 / 2 + 1;

fn per_shop() -> Options {
    Options::default().with_webhooks_per_shop()
}

/// What is registered for a shop at TikTok Shop.
fn registered(stack: &Stack, shop: &str) -> Vec<(&'static str, String)> {
    stack.tiktok_shop().webhooks_of(US_APP_KEY, shop)
}

/// Both webhooks, sent to the keyring.
fn both(stack: &Stack) -> Vec<(&'static str, String)> {
    let address = format!("{}/webhooks/tiktok-shop/us", stack.gateway().url());
    vec![("SELLER_DEAUTHORIZATION", address.clone()), ("UPCOMING_AUTHORIZATION_EXPIRATION", address)]
}

fn counts(swept: &Value) -> [u64; 2] {
    ["webhooks_registered", "webhooks_failed"].map(|count| swept[count].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_shop_is_registered_once_its_connection_is_confirmed_and_what_it_sends_arrives() {
    let stack = Stack::start(per_shop()).await.unwrap();
    let seller = OnTheWay::authorized(&stack, "us", "seller-2", "acme").await;
    let back = seller.comes_back().await;
    assert_eq!(next_sweep(&stack).await["due"], 0, "a connection that nobody has confirmed is not registered");
    back.confirm().await;
    assert_eq!(counts(&next_sweep(&stack).await), [1, 0]);
    for shop in ["shop-2", "shop-3"] {
        assert_eq!(registered(&stack, shop), both(&stack), "{shop}");
    }
    assert_eq!(item(&stack, SELLER_2).await["webhooks"]["shops"], json!(["shop-2", "shop-3"]));
    assert_eq!(next_sweep(&stack).await["due"], 0, "once is enough");

    assert!(stack.tiktok_shop().deauthorize_shop(US_APP_KEY, "seller-2", "shop-2"));
    let sent = stack.tiktok_shop().deliveries();
    assert!(stack.tiktok_shop().delivered(&sent[0].notification_id, Duration::from_secs(10)).await, "{sent:?}");
    assert_eq!(next_sweep(&stack).await["verified"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_an_alarm_and_is_tried_again_after_a_wait() {
    let stack = connected(per_shop()).await;
    stack.tiktok_shop().inject(Route::WebhookPut, Fault::new(Trouble::ServerError(When::BeforeEffect)));
    assert_eq!(counts(&next_sweep(&stack).await), [0, 1]);
    assert!(stack.writes(r#""alarm":"webhooks_not_registered""#, 1).await);
    assert_eq!(stack.invoke_sweep().await["due"], 0, "it waits");
    let failed = item(&stack, SELLER_1).await;
    assert_eq!((&failed["failures"], failed.get("last_error")), (&json!(0), None), "{failed}");
    stack.tiktok_shop().clear_faults(Route::WebhookPut);
    stack.age(LONGEST_FIRST_WAIT).await;
    assert_eq!(counts(&stack.invoke_sweep().await), [1, 0]);
    assert_eq!(registered(&stack, "shop-1"), both(&stack));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_whose_shop_is_inactive_is_no_alarm() {
    let stack = connected(per_shop()).await;
    stack.tiktok_shop().update_seller("seller-1", |seller| seller.inactive = Some(Inactive::Shop)).unwrap();
    assert_eq!(counts(&next_sweep(&stack).await), [0, 1]);
    assert!(stack.writes("its webhooks are not registered", 1).await);
    assert!(!stack.output().contains("webhooks_not_registered"), "nobody at the vendor can help");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marketplace_that_hangs_delays_no_refresh() {
    let stack = connected(per_shop()).await;
    connect(&stack, "us", "seller-2", "acme").await;
    assert_eq!(counts(&next_sweep(&stack).await), [2, 0]);
    stack.age_connection(SELLER_2, DUE).await;
    // Due for longer than the refresh, so that its turn comes first.
    let mut waiting = item(&stack, SELLER_1).await;
    let long_ago = json!(waiting["created_at"].as_i64().unwrap() - 2 * DUE);
    (waiting["webhooks"]["shops"], waiting["webhooks"]["due_at"]) = (json!([]), long_ago.clone());
    waiting["due_at"] = long_ago;
    stack.put_item(&waiting).await;
    stack.tiktok_shop().inject(Route::WebhookPut, Fault::new(Trouble::Hang(When::BeforeEffect)));
    let refreshed = async {
        let is_refreshed = || !stack.tiktok_shop().calls_to(Route::TokenRefresh).is_empty();
        tokio::time::timeout(Duration::from_secs(5), until(is_refreshed)).await.expect("it does not wait");
    };
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), refreshed);
    assert_eq!((&swept["refreshed"], counts(&swept)), (&json!(1), [0, 1]), "{swept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_while_it_is_registered_is_left_with_nothing() {
    let stack = connected(per_shop()).await;
    let slow = Fault::new(Trouble::Latency(When::BeforeEffect, Duration::from_secs(2)));
    stack.tiktok_shop().inject(Route::WebhookPut, slow);
    let disconnected = async {
        until(|| !stack.tiktok_shop().in_flight(Route::WebhookPut).is_empty()).await;
        drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    };
    stack.age(2).await;
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), disconnected);
    assert_eq!(counts(&swept), [0, 0], "{swept}");
    assert_eq!(registered(&stack, "shop-1"), both(&stack));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    assert_eq!(registered(&stack, "shop-1"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_shop_and_a_new_authorization_are_registered() {
    let stack = connected(per_shop()).await;
    assert_eq!(counts(&next_sweep(&stack).await), [1, 0]);
    stack.tiktok_shop().add_shop("seller-1", Shop::new("shop-9", "US")).unwrap();
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    stack.tiktok_shop().forget_calls();
    assert_eq!(counts(&next_sweep(&stack).await), [1, 0]);
    assert_eq!(registered(&stack, "shop-9"), both(&stack));
    assert_eq!(stack.tiktok_shop().calls_to(Route::WebhookPut).len(), 2, "the first shop is left alone");

    next_second().await;
    connect(&stack, "us", "seller-1", "acme").await;
    stack.tiktok_shop().forget_calls();
    assert_eq!(counts(&next_sweep(&stack).await), [1, 0]);
    assert_eq!(stack.tiktok_shop().calls_to(Route::WebhookPut).len(), 4, "TikTok Shop may have dropped them");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnect_removes_them_and_deletes_the_secret_in_any_case() {
    let stack = connected(per_shop()).await;
    assert_eq!(counts(&next_sweep(&stack).await), [1, 0]);
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    assert_eq!(registered(&stack, "shop-1"), []);
    assert_eq!(item(&stack, SELLER_1).await.get("webhooks"), None);

    connect(&stack, "us", "seller-1", "acme").await;
    assert_eq!(counts(&next_sweep(&stack).await), [1, 0]);
    stack.tiktok_shop().inject(Route::WebhookDelete, Fault::new(Trouble::Hang(When::BeforeEffect)));
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let begun = Instant::now();
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    assert!(begun.elapsed() < Duration::from_secs(8), "a deletion does not wait for a marketplace");
    assert_eq!(registered(&stack, "shop-1"), both(&stack), "left over, and harmless");
    assert!(stack.writes("webhooks stay registered", 1).await);
}
