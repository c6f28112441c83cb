//! Callbacks without a `state`: what a seller begins in the platform's own seller center.

use std::time::{Duration, Instant};

use end_to_end::{Options, Stack};
use serde_json::json;
use simulators::tiktok_shop::{Fault, Route, Trouble, When};

use crate::setting::{DUE, SELLER_1, US_APP_KEY, connected, item, next_second, until};

/// The page that the seller reads who comes back without a `state`.
async fn renewed(stack: &Stack, seller: &str) -> String {
    next_second().await;
    let callback = stack.tiktok_shop().authorize(US_APP_KEY, seller, None).unwrap();
    stack.browser().come_back(&callback).await.page.unwrap().expect(200).body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_renewed_under_its_own_account() {
    let stack = connected(Options::default()).await;
    let page = renewed(&stack, "seller-1").await;
    assert!(page.contains("is connected"), "{page}");
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert_eq!((&token["version"], &token["account_id"]), (&json!(2), &json!("acme")));
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));

    // Also one that needed the seller.
    stack.tiktok_shop().deauthorize(US_APP_KEY, "seller-1");
    for seconds in [DUE, 86_400] {
        stack.age(seconds).await;
        stack.invoke_sweep().await;
    }
    assert_eq!(item(&stack, SELLER_1).await["status"], "reauthorization_required");
    let page = renewed(&stack, "seller-1").await;
    assert!(page.contains("is connected"), "{page}");
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert_eq!(token["account_id"], "acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_is_not_connected_learns_how_to_begin_and_nothing_is_kept() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let page = renewed(&stack, "seller-1").await;
    assert!(page.contains("Please begin at Acme Listing") && page.contains("kept nothing"), "{page}");
    assert!(stack.item(SELLER_1).await.is_none());
    assert!(stack.token_set(SELLER_1, None).await.is_none());
    assert!(stack.writes("the tokens were dropped", 1).await);
    assert!(stack.writes("tiktok-shop/us/seller-1", 1).await, "the log names app and seller");

    // And one who was disconnected.
    crate::setting::connect(&stack, "us", "seller-1", "acme").await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let (before, kept) = (item(&stack, SELLER_1).await, stack.kept_tokens().len());
    let page = renewed(&stack, "seller-1").await;
    assert!(page.contains("Please begin at Acme Listing"), "{page}");
    assert_eq!((item(&stack, SELLER_1).await, stack.kept_tokens().len()), (before, kept));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_in_the_place_of_the_code_shows_nothing_and_waits_for_nothing() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let browser = stack.browser();
    let link = browser.leave(&session.connect_url, "us").await;
    let state = link.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let callback = browser.authorize(&link, "seller-1").await;
    let guess = format!("{}/callback/tiktok-shop/us?code={state}", stack.gateway().url()).parse().unwrap();
    for is_used in [false, true] {
        if is_used {
            drop(browser.come_back(&callback).await);
        }
        let began = Instant::now();
        let page = stack.browser().come_back(&guess).await.page.unwrap();
        assert!(page.body.contains("did not accept this authorization"), "{}", page.body);
        assert!(!page.body.contains("Seller seller-1"), "{}", page.body);
        assert!(began.elapsed() < Duration::from_secs(5), "no request is waited for");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_connection_keeps_the_new_tokens_and_its_confirmation() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.vendor().connect_session(json!({"account_id": "acme"})).await;
    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    let page = renewed(&stack, "seller-1").await;
    assert!(page.contains("is connected"), "{page}");
    assert_eq!(item(&stack, SELLER_1).await["status"], "pending");
    assert_eq!(stack.vendor().token(SELLER_1).await.status, 409);
    drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert_eq!((&token["version"], &token["account_id"]), (&json!(2), &json!("acme")));
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_callbacks_shows_what_came_of_the_first_one() {
    let stack = connected(Options::default()).await;
    next_second().await;
    let callback = stack.tiktok_shop().authorize(US_APP_KEY, "seller-1", None).unwrap();
    let slow = Trouble::Latency(When::BeforeEffect, Duration::from_secs(3));
    stack.tiktok_shop().inject(Route::TokenGet, Fault::new(slow).times(1));
    // Both begin without a cookie, and the browser keeps that of the response which it shows.
    let (first, other) = (stack.browser(), stack.browser());
    let second = async {
        until(|| !stack.tiktok_shop().in_flight(Route::TokenGet).is_empty()).await;
        other.come_back(&callback).await
    };
    let (first, second) = tokio::join!(first.come_back(&callback), second);
    for back in [first, second] {
        let page = back.page.unwrap().expect(200);
        assert!(page.body.contains("is connected"), "{}", page.body);
    }
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenGet).len(), 2, "one for each authorization");
}
