//! What goes wrong at the form without the seller's doing: they are told so, and what to do, and no token is lost on
//! the way.

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Options, Stack};
use serde_json::json;
use simulators::temu::{Fault, Purpose, Route, Trouble, When};

use super::setting::{CROSS_BORDER_MALL, LOCAL, LOCAL_MALL, PRODUCT, US_ORDERS, Visit, issue};
use crate::setting::item;

const US_SECRET: &str = "shop-keyring/apps/temu/us";

#[tokio::test(flavor = "multi_thread")]
async fn temu_that_does_not_answer_is_told_and_tried_again() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin(&stack).await;
    for trouble in [
        Trouble::Drop(When::BeforeEffect),
        Trouble::ServerError(When::AfterEffect),
        Trouble::RateLimited { retry_after: Some(3) },
        Trouble::internal(When::BeforeEffect),
        Trouble::Malformed,
        Trouble::Truncated,
        Trouble::answer(When::BeforeEffect, 99_999_999, "we do not know this either"),
    ] {
        stack.temu().inject(Route::TokenInfo, Fault::new(trouble.clone()));
        let page = visit.paste_local(&token).await.expect(422);
        assert_eq!(page.reasons(), ["marketplace_unavailable"], "{trouble:?}");
        stack.temu().clear_faults(Route::TokenInfo);
    }
    assert!(stack.item(LOCAL).await.is_none());
    let page = visit.paste_local(&token).await.expect(200);
    visit.confirm(&page).await;
    drop(stack.vendor().token(LOCAL).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn temu_that_hangs_is_not_waited_for_beyond_the_gateways_patience() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    let orders = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
    let visit = Visit::begin(&stack).await;
    stack.temu().inject(Route::TokenInfo, Fault::new(Trouble::Hang(When::AfterEffect)));
    let asked = std::time::Instant::now();
    let page = visit.paste_cross_border(&[("token_product", &product), ("token_us", &orders)]).await.expect(422);
    assert_eq!(page.reasons(), ["marketplace_unavailable", "marketplace_unavailable"]);
    assert!(asked.elapsed().as_secs() < 29, "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misconfigured_app_is_the_operators_affair() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let us = stack.temu_app_key("us");
    let good = stack.secret(US_SECRET, None).await.unwrap();
    let mut bad = good.clone();
    bad["app_secret"] = json!("not-the-app-secret-at-all");
    let token = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
    let visit = Visit::begin(&stack).await;
    let refused = async |what: &str| {
        let alarms = stack.output().matches("configuration_fault").count();
        let page = visit.paste_cross_border(&[("token_us", &token)]).await.expect(422);
        assert_eq!(page.reasons(), ["misconfigured"], "{what}");
        assert!(!page.body.contains("Secrets Manager"), "{what}: {}", page.body);
        assert!(stack.writes("configuration_fault", alarms + 1).await, "{what}: {}", stack.output());
    };
    stack.put_secret(US_SECRET, &bad).await;
    refused("a wrong app secret").await;
    bad["app_key"] = json!("no-such-app");
    stack.put_secret(US_SECRET, &bad).await;
    refused("an unknown app key").await;
    stack.put_secret(US_SECRET, &json!("nonsense")).await;
    refused("a secret that cannot be read").await;
    stack.put_secret(US_SECRET, &good).await;
    stack.temu().update_app(us, |app| app.ip_allowed = false).unwrap();
    refused("an IP address that is not on the list").await;
    stack.temu().update_app(us, |app| (app.ip_allowed, app.suspended) = (true, true)).unwrap();
    refused("a suspended app").await;

    // One app's trouble keeps no other field from its connection.
    let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    let page = visit.paste_cross_border(&[("token_product", &product), ("token_us", &token)]).await.expect(422);
    assert_eq!(page.reasons(), ["misconfigured"]);
    assert_eq!(item(&stack, PRODUCT).await["token_version"], 1);

    stack.temu().update_app(us, |app| app.suspended = false).unwrap();
    drop(visit.paste_cross_border(&[("token_us", &token)]).await.expect(200));
    assert!(stack.item(US_ORDERS).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_fails_is_told_and_heals() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin(&stack).await;
    let down = AwsFault::new(FaultKind::ErrorBefore).when(|call| call.operation != "GetSecretValue").always();
    let down = stack.secrets_manager().front().inject(down);
    let page = visit.paste_local(&token).await.expect(422);
    assert_eq!(page.reasons(), ["storage_unavailable"]);
    assert_eq!(page.way_back(), None);
    down.clear();
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["removed"], 1, "what was half begun goes");

    // The table fails at the commit: the sweep finds what was kept.
    let commit = AwsFault::new(FaultKind::ErrorBefore).on("UpdateItem");
    let commit = commit.when(|call| call.resource.as_deref() == Some("connections")).after(1).always();
    let down = stack.dynamodb().front().inject(commit);
    let page = visit.paste_local(&token).await.expect(422);
    assert_eq!(page.reasons(), ["storage_unavailable"]);
    down.clear();
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["healed"], 1);

    let page = visit.paste_local(&token).await.expect(200);
    visit.confirm(&page).await;
    assert_eq!(stack.vendor().token(LOCAL).await.expect(200).json()["access_token"], token.as_str());
}
