//! Circuit breakers: what one process has met holds for all, and one try at a time finds out when it is over.

use std::time::Duration;

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Function, Options, Stack, Table};
use serde_json::{Value, json};
use shop_keyring::time::Timestamp;
use simulators::tiktok_shop::{Fault, Route, Trouble, When};

use crate::setting::{DUE, SELLER_1, US_APP_KEY, connect, connect_all, connected, item, next_second, with_sellers};

const LANE: &str = "health/lane/tiktok-shop/us";
const VAULT: &str = "health/vault/secrets-manager";

/// For how many seconds more a breaker is open.
async fn open_for(stack: &Stack, breaker: &str) -> Option<i64> {
    let item = stack.item(breaker).await?;
    Some(item["state"]["open"]["until"].as_i64()? - Timestamp::local_now().0)
}

async fn fleet(count: usize) -> Stack {
    let stack = Stack::start(with_sellers(count)).await.unwrap();
    connect_all(&stack, count).await;
    stack.age(DUE).await;
    stack
}

fn exchanges(stack: &Stack) -> usize {
    stack.tiktok_shop().calls_to(Route::TokenRefresh).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_try_at_a_time_finds_out_when_an_outage_is_over() {
    let stack = fleet(9).await;
    let down = || Fault::new(Trouble::Drop(When::BeforeEffect));
    stack.tiktok_shop().inject(Route::TokenRefresh, down());
    assert_eq!(stack.invoke_sweep().await["transient"], 5);
    // Each further try is one exchange, and each time it takes longer until the next.
    for (n, longest) in [(1, 120), (2, 240), (3, 480)] {
        assert_eq!(stack.invoke_sweep().await["due"], 0, "{n}: not yet");
        stack.age(longest).await;
        let swept = stack.invoke_sweep().await;
        assert_eq!((&swept["transient"], exchanges(&stack)), (&json!(1), 5 + n), "{swept}");
    }
    assert!(stack.writes("a try from time to time", 7).await, "each run rings, also those that ask nobody");
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    stack.age(1_900).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_schedule_has_met_holds_for_callers_and_sellers() {
    let stack = fleet(6).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Drop(When::BeforeEffect)));
    stack.invoke_sweep().await;
    let (before, invocations) = (exchanges(&stack), stack.lambda().front().calls().len());

    let waiting = (0..6).map(|n| format!("tiktok-shop/us/s-{n}"));
    let mut fresh = None;
    for connection in waiting {
        if item(&stack, &connection).await["failures"] == 0 {
            fresh = Some(connection);
        }
    }
    let fresh = fresh.expect("five were tried");
    let put_off = stack.vendor().refresh(&fresh, 1).await.expect(503);
    assert_eq!(put_off.header("retry-after"), Some("60"));
    assert_eq!(stack.lambda().front().calls().len(), invocations, "the function is not even invoked");
    assert_eq!(item(&stack, &fresh).await["wanted"]["version"], 1, "the schedule takes it");
    drop(stack.vendor().token(&fresh).await.expect(200));

    // A seller comes back from the marketplace: the code and the `state` stay good.
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let browser = stack.browser();
    let callback = browser.authorize(&browser.leave(&session.connect_url, "us").await, "s-0").await;
    let page = browser.come_back(&callback).await.page.unwrap();
    assert_eq!(page.status, 503);
    assert!(page.body.contains("does not work at the moment"), "{}", page.body);
    assert_eq!(exchanges(&stack), before);
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    stack.age(61).await;
    assert!(browser.come_back(&callback).await.page.is_none(), "the same address leads on to the vendor");
    assert_eq!(item(&stack, &fresh).await["wanted"]["version"], 1);
    assert!(stack.invoke_sweep().await["refreshed"].as_u64() >= Some(1), "the seller has closed the breaker");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_began_at_the_marketplace_loads_the_page_again_when_it_works() {
    let stack = connected(Options::default()).await;
    let open = json!({ "until": Timestamp::local_now().plus(300), "length": 2, "turn": uuid::Uuid::new_v4() });
    stack.put_item(&json!({ "connection": LANE, "revision": 1, "state": { "open": open } })).await;
    next_second().await;
    let callback = stack.tiktok_shop().authorize(US_APP_KEY, "seller-1", None).unwrap();
    let browser = stack.browser();
    let page = browser.come_back(&callback).await.page.unwrap().expect(503);
    assert!(page.body.contains("does not work at the moment") && page.body.contains("Wait 5 minutes"), "{}", page.body);
    assert!((290..=300).contains(&page.header("retry-after").unwrap().parse::<u64>().unwrap()));
    stack.delete_item(LANE).await;
    let page = browser.come_back(&callback).await.page.unwrap().expect(200);
    assert!(page.body.contains("is connected"), "{}", page.body);
    assert_eq!(item(&stack, SELLER_1).await["token_version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_meet_an_outage_together() {
    let stack = fleet(8).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Drop(When::BeforeEffect)));
    for n in 0..8 {
        drop(stack.vendor().refresh(&format!("tiktok-shop/us/s-{n}"), 1).await.expect(503));
    }
    assert_eq!(exchanges(&stack), 5, "then nobody is asked any more");
    assert!(stack.writes("marketplace_out_of_reach", 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_who_ask_while_nothing_is_stored_spend_one_token() {
    let stack = fleet(8).await;
    let full = stack.secrets_manager().front().inject(AwsFault::new(FaultKind::Throttle).on("PutSecretValue").always());
    let vendor = stack.vendor();
    let (first, ()) = tokio::join!(vendor.refresh("tiktok-shop/us/s-0", 1), async {
        while open_for(&stack, VAULT).await.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for n in 1..8 {
            drop(vendor.refresh(&format!("tiktok-shop/us/s-{n}"), 1).await.expect(503));
        }
        assert_eq!(stack.tiktok_shop().effects(Route::TokenRefresh), 1, "one refresh token was spent, not eight");
        full.clear();
    });
    drop(first.expect(200));
    assert_eq!(open_for(&stack, VAULT).await, None, "the same put has succeeded after all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marketplace_that_asks_for_a_pause_gets_it_and_nobody_is_blamed() {
    let stack = fleet(3).await;
    let limited = Trouble::RateLimited { retry_after: Some(120) };
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(limited).times(1));
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["transient"], &swept["lanes_stopped"], exchanges(&stack)), (&json!(1), &json!(1), 1), "{swept}");
    assert!((110..=120).contains(&open_for(&stack, LANE).await.unwrap()));
    for n in 0..3 {
        let item = item(&stack, &format!("tiktok-shop/us/s-{n}")).await;
        assert_eq!((&item["failures"], item.get("last_error")), (&json!(0), None), "{item}");
    }
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    stack.age(121).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_without_a_pause_means_fewer_calls_and_no_outage() {
    let stack = fleet(8).await;
    connect(&stack, "global", "s-0", "acme").await;
    let limited = Trouble::RateLimited { retry_after: None };
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(limited));
    let swept = stack.invoke_sweep().await;
    let tried = swept["transient"].as_u64().unwrap();
    assert!((1..=6).contains(&tried), "{swept}");
    assert_eq!(open_for(&stack, LANE).await, None);
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    assert_eq!(stack.invoke_sweep().await["refreshed"], 8, "nobody has to wait for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_that_stores_nothing_leaves_the_vault_to_the_next_one() {
    let stack = fleet(2).await;
    let full = stack.secrets_manager().front().inject(AwsFault::new(FaultKind::Throttle).on("PutSecretValue").always());
    assert_eq!(stack.invoke_sweep().await["errors"], 1);
    full.clear();
    stack.age(61).await;
    let wrong_app = Trouble::answer(When::BeforeEffect, 36_009_004, "Invalid app_key");
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(wrong_app).times(1));
    assert_eq!(stack.invoke_sweep().await["refreshed"], 0);
    assert!(open_for(&stack, VAULT).await.unwrap() <= 0, "its turn was given back");
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 2);
    assert_eq!(open_for(&stack, VAULT).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_does_not_store_costs_one_token_even_if_the_table_is_slow() {
    let stack = fleet(4).await;
    stack.secrets_manager().front().inject(AwsFault::new(FaultKind::Throttle).on("PutSecretValue").always());
    let of_breakers = |key: &String| key.starts_with("health/");
    let slow = AwsFault::new(FaultKind::Latency(Duration::from_secs(6))).on("UpdateItem");
    stack.dynamodb().front().inject(slow.when(move |call| call.keys.iter().any(of_breakers)).always());
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["errors"], stack.tiktok_shop().effects(Route::TokenRefresh)), (&json!(1), 1), "{swept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_with_the_turn_leaves_an_open_breaker() {
    let stack = fleet(6).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Drop(When::BeforeEffect)));
    stack.invoke_sweep().await;
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    stack.age(61).await;
    let slow = Trouble::Latency(When::BeforeEffect, Duration::from_secs(8));
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(slow).times(1));
    let before = exchanges(&stack);
    let input = json!({});
    tokio::select! {
        () = async {
            while exchanges(&stack) == before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            stack.kill(Function::RefreshSweep);
        } => {}
        ended = stack.invoke(Function::RefreshSweep, &input) => panic!("it was not killed: {ended:?}"),
    }
    let items = stack.items(Table::Connections).await;
    let mut keys = items.iter().filter_map(|item| item["connection"].as_str());
    let host = keys.find(|key| key.starts_with("health/host/")).unwrap();
    assert!((60..=120).contains(&open_for(&stack, host).await.unwrap()), "as it was written before the try");
    stack.start_process(Function::RefreshSweep).unwrap();
    assert_eq!(stack.invoke_sweep().await["refreshed"], 0);
    stack.age(1_900).await;
    stack.invoke_sweep().await;
    assert_eq!(stack.invoke_sweep().await["lanes_stopped"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_deletes_a_breaker_resets_it() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    let secret = "shop-keyring/apps/tiktok-shop/us";
    let good = stack.secret(secret, None).await.unwrap();
    stack.put_secret(secret, &json!("no credentials")).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["misconfigured"], &swept["lanes_stopped"]), (&json!(1), &json!(1)), "at once: {swept}");
    stack.age(3_601).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["misconfigured"], &swept["lanes_stopped"]), (&json!(1), &json!(1)), "still: {swept}");
    assert!((110..=120).contains(&open_for(&stack, LANE).await.unwrap()), "and for longer");
    stack.put_secret(secret, &good).await;
    stack.delete_item(LANE).await;
    stack.age_connection(SELLER_1, 3_601).await;
    let swept: Value = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["lanes_stopped"]), (&json!(1), &json!(0)), "{swept}");
    assert_eq!(item(&stack, SELLER_1).await["token_version"], 2);
}
