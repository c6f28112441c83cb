//! When something is wrong that no seller is to blame for.

use std::time::Duration;

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault, Route, Trouble, When};

use crate::setting::{DUE, US_APP_KEY, connect_all, ends, item, with_sellers};

async fn fleet(count: usize) -> Stack {
    fleet_of(with_sellers(count), count).await
}

async fn fleet_of(options: Options, count: usize) -> Stack {
    let stack = Stack::start(options).await.unwrap();
    connect_all(&stack, count).await;
    stack.age(DUE).await;
    stack
}

async fn all(stack: &Stack, count: usize, attribute: &str) -> Vec<Value> {
    let mut values = Vec::new();
    for n in 0..count {
        values.push(item(stack, &format!("tiktok-shop/us/s-{n}")).await[attribute].clone());
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_app_secret_blames_nobody_and_is_loud() {
    let stack = fleet(5).await;
    let before = (all(&stack, 5, "refusals").await, all(&stack, 5, "failures").await, all(&stack, 5, "status").await);
    let good = stack.secret("shop-keyring/apps/tiktok-shop/us", None).await.unwrap();
    let mut bad = good.clone();
    bad["app_secret"] = json!("not-the-app-secret-at-all");
    stack.put_secret("shop-keyring/apps/tiktok-shop/us", &bad).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["misconfigured"], &swept["lanes_stopped"]), (&json!(3), &json!(1)), "{swept}");
    assert_eq!(swept["skipped"], 2, "three were enough to know: {swept}");
    let again = stack.invoke_sweep().await;
    assert_eq!((&again["due"], &again["lanes_stopped"]), (&json!(0), &json!(1)), "the next run knows it, too: {again}");
    let after = (all(&stack, 5, "refusals").await, all(&stack, 5, "failures").await, all(&stack, 5, "status").await);
    assert_eq!(before, after);
    assert_eq!(stack.tiktok_shop().effects(Route::TokenRefresh), 0);
    assert!(stack.writes("configuration_fault", 1).await);

    // Another app's key: the marketplace is not even asked.
    stack.age(3_601).await;
    let calls = stack.tiktok_shop().calls_to(Route::TokenRefresh).len();
    bad = good.clone();
    bad["app_key"] = json!("6other0key");
    stack.put_secret("shop-keyring/apps/tiktok-shop/us", &bad).await;
    assert_eq!(stack.invoke_sweep().await["misconfigured"], 5);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), calls);
    assert!(stack.writes("issued for another app key", 1).await);
    let after = (all(&stack, 5, "refusals").await, all(&stack, 5, "failures").await, all(&stack, 5, "status").await);
    assert_eq!(before, after);

    stack.put_secret("shop-keyring/apps/tiktok-shop/us", &good).await;
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 5, "and as soon as it is right again, all goes on");
}

fn refuses() -> Fault {
    Fault::new(Trouble::answer(When::BeforeEffect, 36_004_005, "gone"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_refusal_ends_nobody_until_it_is_over() {
    let stack = Stack::start(with_sellers(10)).await.unwrap();
    connect_all(&stack, 10).await;
    let seller = |n: usize| format!("tiktok-shop/us/s-{n}");
    // One is refused, another is accepted after that, and three hours pass: a further refusal is confirmed.
    stack.age_connection(&seller(0), DUE).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, refuses());
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    // Later by every process's clock.
    tokio::time::sleep(Duration::from_secs(7)).await;
    stack.age_connection(&seller(9), DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    stack.age(3 * 3_600).await;

    // But eight others, due for longer, are refused as well.
    for n in 1..9 {
        stack.age_connection(&seller(n), DUE).await;
    }
    stack.tiktok_shop().inject(Route::TokenRefresh, refuses());
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refused"], &swept["stopped"]), (&json!(9), &Value::Null), "a refusal spends nothing: {swept}");
    assert!(stack.writes("mass_refusal", 1).await);
    assert_eq!(all(&stack, 9, "status").await, vec![json!("active"); 9]);

    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 9);
    assert_eq!(item(&stack, &seller(0)).await["reason"], "refused");
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 8);
    assert_eq!(all(&stack, 9, "refusals").await[1..], vec![json!(0); 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_see_few_refusals_each_see_the_mass_together() {
    let stack = fleet_of(with_sellers(8).with_processes(Function::RefreshSweep, 4), 8).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, refuses());
    let partition = |index: u8| json!({"partition": {"index": index, "count": 4}});
    let runs = (0..4).map(|index| {
        let event = partition(index);
        let stack = &stack;
        async move { stack.invoke_sweep_with(&event).await }
    });
    let swept = futures_util::future::join_all(runs).await;
    let refused: Vec<_> = swept.iter().map(|swept| swept["refused"].as_u64().unwrap()).collect();
    assert!(refused.iter().sum::<u64>() == 8 && refused.iter().all(|refused| *refused <= 5), "{refused:?}");
    let evidence = stack.item("evidence/tiktok-shop/us").await.unwrap();
    let counted: u64 =
        evidence["periods"].as_array().unwrap().iter().filter_map(|counts| counts["refused"].as_u64()).sum();
    assert_eq!(counted, 8, "{evidence}");
    assert!(stack.writes("mass_refusal", 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn six_that_are_gone_and_nobody_else_are_told_after_a_day() {
    let stack = fleet(6).await;
    (0..6).for_each(|n| assert!(stack.tiktok_shop().deauthorize(US_APP_KEY, &format!("s-{n}"))));
    assert_eq!(stack.invoke_sweep().await["refused"], 6);
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 6);
    assert_eq!(all(&stack, 6, "status").await, vec![json!("active"); 6], "no other connection is accepted");
    stack.age(86_400).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 6);
    assert_eq!(all(&stack, 6, "reason").await, vec![json!("refused"); 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_gone_is_told_after_three_hours_if_another_is_accepted_in_between() {
    let stack = Stack::start(with_sellers(2)).await.unwrap();
    connect_all(&stack, 2).await;
    let [gone, other] = ["tiktok-shop/us/s-0", "tiktok-shop/us/s-1"];
    assert!(stack.tiktok_shop().deauthorize(US_APP_KEY, "s-0"));
    stack.age_connection(gone, DUE).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);

    stack.age(600).await;
    stack.age_connection(other, DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let evidence = stack.item("evidence/tiktok-shop/us").await.unwrap();
    assert_eq!(evidence["accepted"][0]["connection"], other, "{evidence}");

    stack.age(301).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    assert_eq!(item(&stack, gone).await["status"], "active", "it may be a bad hour of the marketplace");
    stack.age(3 * 3_600).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let ended = item(&stack, gone).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("reauthorization_required"), &json!("refused")));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_evidence_nobody_is_ended() {
    let stack = fleet(1).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, refuses());
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    stack.age(86_400).await;
    let denied = AwsFault::new(FaultKind::Refuse("AccessDeniedException"));
    let denied = denied.when(|call| call.keys.iter().any(|key| key.starts_with("evidence/"))).always();
    let denied = stack.dynamodb().front().inject(denied);
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    assert_eq!(all(&stack, 1, "status").await, [json!("active")]);
    assert!(stack.writes("evidence_unavailable", 1).await);
    denied.clear();
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    assert_eq!(all(&stack, 1, "reason").await, [json!("refused")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cohort_at_its_end_and_after_it_is_no_mass_refusal() {
    let stack = Stack::start(Options { authorization_lifetime: Some(2 * 86_400), ..with_sellers(8) }).await.unwrap();
    connect_all(&stack, 8).await;
    (0..8).for_each(|n| ends(&stack, &format!("s-{n}")));
    stack.age(2 * 86_400 + 301).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 8);
    assert_eq!(all(&stack, 8, "reason").await, vec![json!("authorization_expired"); 8]);
    stack.age(86_400 + 6 * 3_600).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 8, "asked again");
    assert_eq!(all(&stack, 8, "asked_again").await, vec![json!(1); 8]);
    stack.stop_functions();
    assert!(!stack.output().contains("mass_refusal"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_refuses_puts_stops_the_run_after_one() {
    let stack = fleet(4).await;
    let full = stack.secrets_manager().front().inject(AwsFault::new(FaultKind::Throttle).on("PutSecretValue").always());
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["errors"], &swept["refreshed"]), (&json!(1), &json!(0)), "{swept}");
    assert_eq!(stack.tiktok_shop().effects(Route::TokenRefresh), 1, "one refresh token was spent, not four");
    assert!(stack.writes("vault_fault", 1).await);
    assert_eq!(stack.invoke_sweep().await["due"], 0, "the next run knows it, too");
    full.clear();
    stack.age(1_900).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 4, "the old refresh token lives on here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_refuses_puts_stops_the_run_even_if_the_table_fails_too() {
    let stack = fleet(4).await;
    stack.secrets_manager().front().inject(AwsFault::new(FaultKind::Throttle).on("PutSecretValue").always());
    // After the claim, what is written is that nothing was kept.
    let denied = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("UpdateItem").after(1);
    let denied = denied.when(|call| call.keys.iter().all(|key| key != "count/fleet"));
    let denied = stack.dynamodb().front().inject(denied.always());
    let swept = stack.invoke_sweep().await;
    assert!(denied.fired() > 1);
    assert_eq!((&swept["errors"], &swept["refreshed"]), (&json!(1), &json!(0)), "{swept}");
    assert_eq!(stack.tiktok_shop().effects(Route::TokenRefresh), 1, "one refresh token was spent, not four");
    stack.stop_functions();
    assert!(stack.output().contains("vault_fault"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_costs_no_connection_more_than_one_failure_a_run() {
    let stack = fleet(9).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Drop(When::BeforeEffect)));
    let swept = stack.invoke_sweep().await;
    let told = (&swept["transient"], &swept["lanes_stopped"], &swept["stopped"]);
    assert_eq!(told, (&json!(5), &json!(2), &Value::Null), "both apps ask the same host: {swept}");
    let failures = all(&stack, 9, "failures").await;
    assert!(failures.iter().all(|failures| failures.as_u64() <= Some(1)), "{failures:?}");
    assert_eq!(all(&stack, 9, "refusals").await, vec![json!(0); 9]);
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    stack.age(1_900).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_share_the_work() {
    let stack = fleet(6).await;
    let lanes = all(&stack, 6, "due_lane").await;
    for index in 0..4 {
        let mine = lanes.iter().filter(|lane| **lane == format!("tiktok-shop/us#{index}")).count();
        let swept = stack.invoke_sweep_with(&json!({"partition": {"index": index, "count": 4}})).await;
        assert_eq!((&swept["due"], &swept["refreshed"]), (&json!(mine), &json!(mine)), "{index}: {swept}");
    }
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_may_not_be_deleted_keep_nobody_from_a_refresh() {
    let stack = Stack::start(with_sellers(7)).await.unwrap();
    connect_all(&stack, 1).await;
    for n in 1..7 {
        let session = stack.vendor().connect_session(json!({"account_id": "acme"})).await;
        drop(stack.browser().connect(&session.connect_url, "us", &format!("s-{n}")).await);
    }
    stack.age(DUE).await;
    let denied = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("DeleteSecret").always();
    let denied = stack.secrets_manager().front().inject(denied);
    let swept = stack.invoke_sweep().await;
    assert_eq!(
        (&swept["refreshed"], &swept["errors"], &swept["removed"]),
        (&json!(1), &json!(6), &json!(0)),
        "{swept}"
    );
    assert_eq!(stack.invoke_sweep().await["due"], 0, "they give way for a while");
    denied.clear();
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["removed"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_connection_keeps_no_other_from_its_refresh() {
    let stack = fleet(4).await;
    // The oldest of all, each bad in its own way: a key of a later release, an item that cannot be read, a secret that
    // nobody may read.
    let good = item(&stack, "tiktok-shop/us/s-3").await;
    for (key, broken) in [("ebay/eu/4711", json!("x")), ("tiktok-shop/us/broken", json!("no number"))] {
        let mut bad = good.clone();
        bad["connection"] = json!(key);
        bad["due_at"] = json!(1_600_000_000);
        bad["token_version"] = broken;
        stack.put_item(&bad).await;
    }
    let forbidden = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("GetSecretValue");
    let forbidden = forbidden.when(|call| call.resource.as_deref().is_some_and(|name| name.contains("/s-0/"))).always();
    stack.secrets_manager().front().inject(forbidden);
    for _ in 0..2 {
        let swept = stack.invoke_sweep().await;
        assert_eq!(swept["stopped"], Value::Null, "{swept}");
    }
    for n in 1..4 {
        assert_eq!(item(&stack, &format!("tiktok-shop/us/s-{n}")).await["token_version"], 2, "s-{n}");
    }
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 3);
    assert!(stack.writes("unreadable_item", 1).await);
}
