//! The watch over what cannot be refreshed: what sellers change at Temu is found within a day.

use end_to_end::Options;
use serde_json::{Value, json};
use simulators::temu::{Purpose, Route};

use super::setting::{
    BELIEVED, DAY, LOCAL, LOCAL_MALL, ROUND, SECOND_LOOK, Visit, connect_local, connected, found_by_the_watch, issue,
    sweep_all, total,
};
use crate::setting::item;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_looked_at_once_a_day() {
    let stack = connected(Options::default()).await;
    let asked = || stack.temu().calls_to(Route::TokenInfo).len();
    let before = asked();
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    for day in 1..=3 {
        stack.age(ROUND).await;
        let swept = sweep_all(&stack).await;
        assert_eq!((total(&swept, "verified"), total(&swept, "errors")), (1, 0), "{swept:?}");
        assert_eq!(asked(), before + day);
    }
    let health = stack.vendor().connection(LOCAL).await.expect(200).json();
    let at = |name: &str| health[name].as_str().unwrap_or_else(|| panic!("no {name}: {health}")).to_owned();
    assert!(at("verified_at") < at("next_check_at") && at("next_check_at") < at("authorization_expires_at"));
    let checked = item(&stack, LOCAL).await;
    let wait = checked["check_at"].as_i64().unwrap() - checked["verified_at"].as_i64().unwrap();
    assert!((1..=23 * 3_600).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_re_issued_token_is_in_doubt_within_a_day_and_ends_a_day_later() {
    const { assert!(ROUND < DAY) };
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let new = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    stack.age(ROUND).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let doubted = item(&stack, LOCAL).await;
    assert_eq!((&doubted["refusals"], &doubted["status"]), (&json!(1), &json!("active")), "one refusal is a doubt");
    assert_eq!(stack.invoke_sweep().await["due"], 0, "and the second look comes no sooner than its time");
    stack.age(SECOND_LOOK).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    assert_eq!(item(&stack, LOCAL).await["status"], "active", "it is the only one, so nothing else speaks for it");
    stack.age(BELIEVED).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let ended = item(&stack, LOCAL).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("reauthorization_required"), &json!("replaced")));
    assert_eq!(ended.get("check_at"), None, "its daily checks are over");
    assert!(ended["due_at"].as_i64() >= Some(ended["ended_at"].as_i64().unwrap() + DAY), "it is asked again: {ended}");
    let health = vendor.connection(LOCAL).await.expect(200).json();
    assert_eq!(health["last_error"]["code"], "3000034");
    let marked = vendor.token(LOCAL).await.expect(200).json();
    assert_eq!((&marked["status"], &marked["reason"]), (&json!("reauthorization_required"), &json!("replaced")));

    // The seller pastes the new one, and all is well.
    drop(Visit::begin(&stack).await.paste_local(&new).await.expect(200));
    let served = vendor.token(LOCAL).await.expect(200).json();
    assert_eq!((&served["status"], &served["access_token"]), (&json!("active"), &json!(new)));
    assert!(item(&stack, LOCAL).await["check_at"].is_i64(), "and watched again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_ends_with_its_reason() {
    let stack = connected(Options::default()).await;
    let us = stack.temu_app_key("us");
    assert!(stack.temu().revoke(us, LOCAL_MALL));
    found_by_the_watch(&stack).await;
    let ended = item(&stack, LOCAL).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("reauthorization_required"), &json!("deauthorized")));

    // Come back with a new one, the seller then takes a permission away that the vendor needs.
    connect_local(&stack).await;
    let mut permissions = Purpose::All.default_permissions();
    permissions.retain(|call| call != "bg.logistics.shipment.confirm");
    stack.temu().set_permissions(us, LOCAL_MALL, Purpose::All, permissions.clone()).unwrap();
    let swept = found_by_the_watch(&stack).await;
    assert_eq!((&swept[0]["refused"], &swept[1]["refused"]), (&json!(1), &json!(1)), "{swept:?}");
    let ended = item(&stack, LOCAL).await;
    assert_eq!(
        (&ended["status"], &ended["reason"]),
        (&json!("reauthorization_required"), &json!("permissions_missing"))
    );
    // A day later the permission is still missing.
    stack.age(DAY + 6 * 3_600).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    assert_eq!(item(&stack, LOCAL).await["status"], "reauthorization_required");
    assert_eq!(ended["scopes"], json!(permissions));
    assert!(stack.writes("Local Order and Logistics Management", 1).await, "in the seller's words");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_comes_back_before_the_second_look_is_forgiven() {
    let stack = connected(Options::default()).await;
    let us = stack.temu_app_key("us");
    let all = Purpose::All.default_permissions();
    let few = all.iter().filter(|call| !call.starts_with("bg.order.")).cloned().collect();
    stack.temu().set_permissions(us, LOCAL_MALL, Purpose::All, few).unwrap();
    stack.age(ROUND).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    stack.temu().set_permissions(us, LOCAL_MALL, Purpose::All, all).unwrap();
    stack.age(SECOND_LOOK).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 1);
    let healed = item(&stack, LOCAL).await;
    assert_eq!((&healed["status"], &healed["refusals"]), (&json!("active"), &json!(0)));
    assert_eq!(healed.get("last_error"), None::<&Value>);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_permissions_and_a_moved_end_are_taken_over() {
    let stack = connected(Options::default()).await;
    let us = stack.temu_app_key("us");
    let general = Purpose::All.general_permissions();
    stack.temu().set_permissions(us, LOCAL_MALL, Purpose::All, general.clone()).unwrap();
    stack.age(ROUND).await;
    for days in [200, 40] {
        let end = stack.temu().now() + days * 86_400;
        stack.temu().set_expiry(us, LOCAL_MALL, Purpose::All, end).unwrap();
        sweep_all(&stack).await;
        let checked = item(&stack, LOCAL).await;
        assert_eq!(checked["status"], "active");
        assert_eq!(checked["scopes"], json!(general), "what only adds something is recorded");
        assert_eq!((&checked["authorization_expires_at"], &checked["access_expires_at"]), (&json!(end), &json!(end)));
        stack.age(ROUND).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_authorization_is_told_at_its_time_without_a_second_look() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    stack.age(90 * DAY - 60).await;
    sweep_all(&stack).await;
    assert_eq!(item(&stack, LOCAL).await["status"], "active", "not a minute too early");
    // Shortly after a check nobody asks again.
    stack.age(60 + 301).await;
    let late = vendor.token(LOCAL).await.expect(409).json();
    assert_eq!(late["reason"], "authorization_expired", "even before the sweep has said so");
    let swept = sweep_all(&stack).await;
    assert_eq!(total(&swept, "refused"), 1, "{swept:?}");
    let ended = item(&stack, LOCAL).await;
    assert_eq!(ended["reason"], "authorization_expired");
    assert_eq!(vendor.token(LOCAL).await.expect(409).json()["reason"], "authorization_expired");

    connect_local(&stack).await;
    assert_eq!(vendor.token(LOCAL).await.expect(200).json()["status"], "active");
}
