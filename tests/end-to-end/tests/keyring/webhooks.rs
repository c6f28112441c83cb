//! TikTok Shop's notices: believed only when signed, and never more than a reason to ask.

use std::time::Duration;

use emulators::front::{Fault, FaultKind};
use end_to_end::{Options, Stack, Table};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Notice, Reception, Rotation, Route, Seller, Shop};

use crate::setting::{DUE, SELLER_1, US_APP_KEY, connect, connected, item, next_sweep};

const SOON: Duration = Duration::from_secs(10);
const DAY: u64 = 86_400;
const SELLER_2: &str = "tiktok-shop/us/seller-2";

fn with_webhooks() -> Options {
    Options::default().with_webhooks()
}

/// What the platform was answered for this notice.
async fn answered(stack: &Stack, notice: Notice) -> Reception {
    let id = stack.tiktok_shop().send_notice(US_APP_KEY, notice).unwrap();
    assert!(stack.tiktok_shop().attempted(&id, 1, SOON).await);
    stack.tiktok_shop().deliveries_of(&id)[0].reception
}

async fn all_delivered(stack: &Stack) {
    for delivery in stack.tiktok_shop().deliveries() {
        assert!(stack.tiktok_shop().delivered(&delivery.notification_id, SOON).await, "{delivery:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_takes_the_authorization_back_is_found_within_minutes() {
    let stack = connected(with_webhooks()).await;
    assert!(stack.tiktok_shop().deauthorize(US_APP_KEY, "seller-1"));
    all_delivered(&stack).await;
    assert_eq!(item(&stack, SELLER_1).await["status"], "active", "a notice alone ends nobody");
    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["due"], &swept["refused"]), (&json!(1), &json!(1)), "{swept}");
    assert_eq!(item(&stack, SELLER_1).await["refusals"], 1);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 0, "nothing is spent on a doubt");

    stack.age(901).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let ended = item(&stack, SELLER_1).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("reauthorization_required"), &json!("deauthorized")));
    assert_eq!(stack.invoke_sweep().await["due"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_leaves_goes_alone() {
    let stack = connected(with_webhooks()).await;
    connect(&stack, "us", "seller-2", "acme").await;
    assert!(stack.tiktok_shop().deauthorize_shop(US_APP_KEY, "seller-2", "shop-2"));
    all_delivered(&stack).await;
    assert_eq!(next_sweep(&stack).await["verified"], 1);
    let after = item(&stack, SELLER_2).await;
    assert_eq!(after["status"], "active");
    assert_eq!(stack.tiktok_shop().calls_to(Route::WebhookPut).len(), 0, "the app's own URL is the keyring's");
    let shops: Vec<_> = after["shops"].as_array().unwrap().iter().map(|shop| &shop["id"]).collect();
    assert_eq!(shops, ["shop-3"]);
    let vendor = stack.vendor();
    drop(vendor.token_by_shop("tiktok-shop/us/shop-2").await.expect(404));
    drop(vendor.token_by_shop("tiktok-shop/us/shop-3").await.expect(200));
    assert_eq!(item(&stack, SELLER_1).await["verified_at"], Value::Null, "nobody else is asked about");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_is_not_true_changes_nothing() {
    let stack = connected(with_webhooks()).await;
    assert_eq!(answered(&stack, Notice::deauthorized("shop-1")).await, Reception::Answered(200));
    assert_eq!(next_sweep(&stack).await["verified"], 1);
    let after = item(&stack, SELLER_1).await;
    assert_eq!((&after["status"], &after["refusals"], after.get("check_at")), (&json!("active"), &json!(0), None));
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_end_is_told_and_ends_nothing() {
    let stack = connected(with_webhooks()).await;
    let granted = item(&stack, SELLER_1).await["authorization_expires_at"].clone();
    let end = stack.tiktok_shop().now() + 10 * DAY;
    // Later than the authorization by the clock's whole seconds.
    let soon = Notice::ends_soon("shop-1", end).with_timestamp(stack.tiktok_shop().now() + 2);
    assert_eq!(answered(&stack, soon).await, Reception::Answered(200));
    let told = item(&stack, SELLER_1).await;
    assert_eq!((&told["announced_end"], &told["authorization_expires_at"]), (&json!(end), &granted));
    assert_eq!(next_sweep(&stack).await["reminded"], 1);
    assert!(stack.writes("connection_expiring", 1).await);
    let view = stack.vendor().connection(SELLER_1).await.expect(200).json();
    assert!(view["announced_end"].as_str() < view["authorization_expires_at"].as_str(), "{view}");
    assert_eq!(view["needs_attention"][0]["code"], "expiring");

    for announced in [true, false] {
        stack.age(DUE).await;
        let swept = stack.invoke_sweep().await;
        assert_eq!(swept["refreshed"], 1, "{swept}");
        let item = item(&stack, SELLER_1).await;
        assert_eq!((&item["status"], item.get("announced_end").is_some()), (&json!("active"), announced), "{item}");
    }

    let past =
        Notice::ends_soon("shop-1", stack.tiktok_shop().now() - DAY).with_timestamp(stack.tiktok_shop().now() + 2);
    assert_eq!(answered(&stack, past).await, Reception::Answered(200));
    assert_eq!(next_sweep(&stack).await["due"], 0, "one signed notification with a past end has no effect");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_can_be_named_in_place_of_a_shop_and_a_type_by_its_name() {
    let stack = connected(with_webhooks()).await;
    for (kind, status) in [(json!("SELLER_DEAUTHORIZATION"), "active"), (json!("6"), "active")] {
        let now = stack.tiktok_shop().now();
        let body = json!({ "type": kind, "seller_open_id": "seller-1", "timestamp": now.to_string(), "data": {},
            "tts_notification_id": now + u64::from(kind == "6") });
        let notice = Notice::deauthorized("").with_body(body.to_string());
        assert_eq!(answered(&stack, notice).await, Reception::Answered(200), "{body}");
        assert_eq!(next_sweep(&stack).await["verified"], 1, "{body}");
        assert_eq!(item(&stack, SELLER_1).await["status"], status);
    }
    let nobody = json!({ "type": 6, "seller_open_id": "seller-2", "timestamp": stack.tiktok_shop().now() });
    let notice = Notice::deauthorized("").with_body(nobody.to_string());
    assert_eq!(answered(&stack, notice).await, Reception::Answered(200));
    assert_eq!(next_sweep(&stack).await["due"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_notices_and_repeated_ones_do_no_harm() {
    let stack = connected(with_webhooks()).await;
    let platform = stack.tiktok_shop();
    platform.configure(|settings| {
        settings.webhook_retries = vec![Duration::from_millis(50); 4];
        settings.webhook_duplicates = 2;
    });
    let id = platform.send_notice(US_APP_KEY, Notice::deauthorized("shop-1")).unwrap();
    assert!(platform.attempted(&id, 1, SOON).await);
    assert_eq!(next_sweep(&stack).await["verified"], 1);
    assert!(platform.attempted(&id, 3, SOON).await);
    assert!(platform.deliveries_of(&id).iter().all(simulators::tiktok_shop::Delivery::succeeded));
    assert_eq!(stack.invoke_sweep().await["due"], 0, "taken once");

    platform.configure(|settings| settings.webhook_duplicates = 0);
    connect(&stack, "us", "seller-1", "acme").await;
    let before = platform.now() - 3_600;
    assert_eq!(answered(&stack, Notice::deauthorized("shop-1").with_timestamp(before)).await, Reception::Answered(200));
    let soon = Notice::ends_soon("shop-1", platform.now() + DAY).with_timestamp(before);
    assert_eq!(answered(&stack, soon).await, Reception::Answered(200));
    assert_eq!(stack.invoke_sweep().await["due"], 0, "the seller has authorized anew since");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_could_not_be_written_is_sent_again() {
    let stack = connected(with_webhooks()).await;
    let platform = stack.tiktok_shop();
    platform.configure(|settings| settings.webhook_retries = vec![Duration::from_millis(300); 9]);
    let table = stack.dynamodb().front();
    let down = table.inject(Fault::new(FaultKind::ErrorBefore).on("UpdateItem").always());
    let id = platform.send_notice(US_APP_KEY, Notice::deauthorized("shop-1")).unwrap();
    assert!(platform.attempted(&id, 1, SOON).await);
    assert_eq!(platform.deliveries_of(&id)[0].reception, Reception::Answered(503));
    down.clear();
    assert!(platform.delivered(&id, SOON).await);
    assert_eq!(next_sweep(&stack).await["verified"], 1);

    // A table that hangs: the answer comes all the same before the platform gives up.
    table.inject(Fault::new(FaultKind::Latency(Duration::from_secs(9))).on("UpdateItem"));
    let id = platform.send_notice(US_APP_KEY, Notice::deauthorized("shop-1")).unwrap();
    assert!(platform.attempted(&id, 1, SOON).await);
    assert_eq!(platform.deliveries_of(&id)[0].reception, Reception::Answered(503));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_as_it_should_be_is_refused() {
    let stack = connected(with_webhooks()).await;
    stack.tiktok_shop().configure(|settings| settings.webhook_retries = Vec::new());
    let notice = || Notice::deauthorized("shop-1");
    for (notice, status) in [
        (notice().unsigned(), 401),
        (notice().with_spoiled_signature(), 401),
        (notice().signed_with("another-secret"), 401),
        (notice().with_body(vec![b' '; 20_000]), 413),
        (notice().with_body("no JSON"), 400),
        (notice().with_body(b"\xff\xfe".to_vec()), 400),
        (notice().with_body(r#"{"type":6,"shop_id":"a/b","timestamp":1}"#), 400),
        (notice().with_body(r#"{"type":7,"shop_id":"shop-1","timestamp":1}"#), 400),
    ] {
        let said = format!("{notice:?}");
        assert_eq!(answered(&stack, notice).await, Reception::Answered(status), "{said}");
    }
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    assert!(stack.writes("webhook_not_taken", 8).await);
    assert_eq!(stack.output().matches("webhook_not_taken").count(), 8, "each is counted");

    for (notice, status) in [
        (Notice::new(1, "shop-1"), 200),
        (Notice::new(99, "shop-1").with_data(json!([1])), 200),
        (Notice::deauthorized("a-shop-of-nobody"), 200),
    ] {
        assert_eq!(answered(&stack, notice).await, Reception::Answered(status));
    }
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    let notices = stack.items(Table::ConnectSessions).await;
    let notices = notices.iter().filter(|item| item["key"].as_str().unwrap().starts_with("notice/")).count();
    assert_eq!(notices, 1, "only what could have had an effect is remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_signed_with_the_previous_secret_counts_while_it_is_kept() {
    let stack = Stack::start(with_webhooks()).await.unwrap();
    let credentials = json!({ "app_key": US_APP_KEY, "app_secret": "newer", "previous_app_secret": "older",
        "service_id": "7100000000000000001" });
    stack.put_secret("shop-keyring/apps/tiktok-shop/us", &credentials).await;
    stack.tiktok_shop().update_app(US_APP_KEY, |app| app.app_secret = "newer".into()).unwrap();
    connect(&stack, "us", "seller-1", "acme").await;
    for (secret, status) in [("newer", 200), ("older", 200), ("oldest", 401)] {
        let notice = Notice::deauthorized("shop-1").signed_with(secret);
        assert_eq!(answered(&stack, notice).await, Reception::Answered(status), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_during_the_refresh_is_looked_into_afterwards() {
    let stack = connected(Options {
        sellers: vec![
            Seller::new("seller-1").with_shop(Shop::new("shop-1", "US")).with_shop(Shop::new("shop-9", "US")),
        ],
        ..with_webhooks()
    })
    .await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    stack.age(DUE).await;
    let keep = stack.secrets_manager().front().pause("PutSecretValue", emulators::front::Moment::Arrived);
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), async {
        keep.reached().await;
        assert_eq!(answered(&stack, Notice::deauthorized("shop-9")).await, Reception::Answered(200));
        keep.release();
    });
    assert_eq!(swept["refreshed"], 1, "{swept}");
    stack.age(901).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_has_a_webhook() {
    let stack = connected(with_webhooks()).await;
    for path in ["/webhooks/tiktok-shop/mars", "/webhooks/tiktok-shop/US"] {
        assert_eq!(stack.browser().submit_raw(path, "{}".into()).await.status, 404, "{path}");
    }
    assert_eq!(stack.browser().submit_raw("/webhooks/tiktok-shop/us", "{}".into()).await.status, 401);
}
