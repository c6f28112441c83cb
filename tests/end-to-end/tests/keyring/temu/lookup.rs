//! What the vendor's services get of Temu's tokens.

use end_to_end::{Function, Options};
use serde_json::{Value, json};
use simulators::temu::{Fault, Purpose, Route, Router, Trouble, When};

use super::setting::{BELIEVED, DAY, LOCAL, LOCAL_MALL, connected, issue};
use crate::setting::item;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_with_all_that_a_call_needs() {
    let stack = connected(Options::default().with_processes(Function::TokenLookup, 1)).await;
    let vendor = stack.vendor();
    let by_connection = vendor.token(LOCAL).await.expect(200).json();
    let by_shop = vendor.token_by_shop("temu/us/634418212001").await.expect(200).json();
    for token in [&by_connection, &by_shop] {
        assert_eq!(token["connection"], LOCAL);
        assert_eq!((&token["marketplace"], &token["app"]), (&json!("temu"), &json!("us")));
        assert_eq!(token["api"]["base_url"], stack.temu().router_url(Router::Us));
        assert!(token["api"].get("token_header").is_none(), "{token}");
        assert_eq!((token.get("refresh"), token.get("notice")), (None, None), "nothing to be said");
    }
    stack.dynamodb().front().forget_calls();
    stack.secrets_manager().front().forget_calls();
    for _ in 0..10 {
        drop(vendor.token(LOCAL).await.expect(200));
    }
    let calls: Vec<_> = stack.dynamodb().front().calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(calls, vec!["GetItem"; 10], "a warm lookup costs one read");
    assert_eq!(stack.secrets_manager().front().calls().len(), 0);
    assert_eq!(vendor.token("temu/us/1").await.expect(404).code().as_deref(), Some("connection_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_that_no_refresh_can_lengthen_is_served_and_said() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    stack.age(90 * DAY - 3_600).await;
    let calls = stack.temu().calls().len();
    let enough = vendor.token_for(LOCAL, 3_000).await.expect(200).json();
    assert_eq!((enough.get("refresh"), enough.get("notice")), (None, None));
    let short = vendor.token_for(LOCAL, 7_200).await.expect(200).json();
    assert_eq!((&short["refresh"], &short["version"]), (&json!("not_refreshable"), &json!(1)));
    assert!(short["notice"].as_str().is_some_and(|notice| notice.contains("no refresh")), "{short}");
    assert!(short["access_token"].is_string());
    assert_eq!(stack.temu().calls().len(), calls, "nobody is asked for what cannot be had");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_token_is_looked_at_at_once() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let checks = || stack.temu().calls_to(Route::TokenInfo).len();
    stack.age(1_000).await;
    let before = checks();
    let next_check = item(&stack, LOCAL).await["check_at"].clone();
    let works = vendor.refresh(LOCAL, 1).await.expect(200).json();
    assert_eq!((&works["refresh"], &works["version"]), (&json!("not_refreshable"), &json!(1)), "{works}");
    assert!(works["notice"].is_string() && works["access_token"].is_string(), "{works}");
    assert_eq!(checks(), before + 1, "the sweep has asked Temu");
    assert_eq!(item(&stack, LOCAL).await["check_at"], next_check, "the daily check stays where it is");
    drop(vendor.refresh(LOCAL, 9).await.expect(400));

    // The seller has it re-issued; a service is the first to notice.
    let new = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    stack.age(1_000).await;
    let doubted = vendor.refresh(LOCAL, 1).await.expect(503);
    assert_eq!(doubted.code().as_deref(), Some("check_failed"), "what Temu has refused is not handed out as good");
    assert_eq!(item(&stack, LOCAL).await["refusals"], 1);
    let asked = checks();
    drop(vendor.refresh(LOCAL, 1).await.expect(503));
    assert_eq!(checks(), asked, "a caller does not make the second look");
    stack.age(BELIEVED).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let problem = vendor.refresh(LOCAL, 1).await.expect(409);
    assert_eq!(
        (problem.code().as_deref(), &problem.json()["reason"]),
        (Some("reauthorization_required"), &json!("replaced"))
    );

    drop(super::setting::Visit::begin(&stack).await.paste_local(&new).await.expect(200));
    let late = vendor.refresh(LOCAL, 1).await.expect(200).json();
    assert_eq!((&late["refresh"], &late["version"]), (&json!("superseded"), &json!(2)));
    assert_eq!(late["access_token"], new.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_right_after_connecting_is_not_said_to_work() {
    let stack = connected(Options::default()).await;
    assert!(stack.temu().revoke(stack.temu_app_key("us"), LOCAL_MALL));
    let doubted = stack.vendor().refresh(LOCAL, 1).await.expect(503);
    assert_eq!(doubted.code().as_deref(), Some("check_failed"));
    assert!(!doubted.body.contains("renewed"), "{}", doubted.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_with_one_dead_token_cost_few_questions() {
    let stack = connected(Options::default().with_processes(Function::TokenLookup, 4)).await;
    let vendor = stack.vendor();
    stack.age(1_000).await;
    let slow = Trouble::Latency(When::BeforeEffect, std::time::Duration::from_secs(1));
    stack.temu().inject(Route::TokenInfo, Fault::new(slow));
    let before = stack.temu().calls_to(Route::TokenInfo).len();
    let asked = futures_util::future::join_all((0..4).map(|_| vendor.refresh(LOCAL, 1))).await;
    for answer in asked {
        assert_eq!(answer.expect(200).json()["refresh"], "not_refreshable");
    }
    let calls = stack.temu().calls_to(Route::TokenInfo).len() - before;
    assert!(calls <= 2, "{calls} questions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connections_health_tells_of_the_watch() {
    let stack = connected(Options::default()).await;
    let health = stack.vendor().connection(LOCAL).await.expect(200).json();
    for time in ["verified_at", "next_check_at", "authorization_expires_at"] {
        assert!(health[time].is_string(), "{time}: {health}");
    }
    assert_eq!((&health["reminded_days"], &health["refusals"]), (&Value::Null, &json!(0)));
    assert!(health.get("access_token").is_none() && health.get("fingerprint").is_none(), "{health}");
}
