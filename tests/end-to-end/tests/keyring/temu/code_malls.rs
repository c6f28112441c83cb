//! Several malls in one answer of which Temu does not say all: the tokens exist nowhere else, so none is lost.

use end_to_end::{Options, Stack};
use serde_json::Value;
use simulators::temu::{Fault, Mall, MallType, Route, Seller, Trouble, When};

use super::{
    code::{approved, chain},
    setting::{LOCAL, ROUND, Visit, sweep_all, total},
};
use crate::setting::item;

#[tokio::test(flavor = "multi_thread")]
async fn a_mall_that_only_the_exchange_names_is_stored_and_looked_at_later() {
    let options = Options { temu_sellers: vec![chain()], ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    let silent = Fault::new(Trouble::RateLimited { retry_after: None }).for_seller("9002");
    stack.temu().inject(Route::TokenInfo, silent);
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "chain").await;
    let back = visit.browser.come_back(&callback).await;
    drop(stack.vendor().confirm(&visit.session.session_id, back.result()).await.expect(200));
    for mall in [9_001, 9_002, 9_003] {
        let token = stack.vendor().token(&format!("temu/us/{mall}")).await.expect(200).json();
        assert!(stack.temu().accepts(token["access_token"].as_str().unwrap()), "{mall}");
    }
    assert_eq!(item(&stack, "temu/us/9002").await.get("authorization_expires_at"), None::<&Value>);
    stack.temu().clear_faults(Route::TokenInfo);
    stack.age(ROUND).await;
    assert_eq!(total(&sweep_all(&stack).await, "verified"), 3);
    let known = item(&stack, "temu/us/9002").await;
    assert!(known["authorization_expires_at"].is_i64() && known["scopes"].as_array().is_some_and(|it| !it.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_exchange_says_of_a_token_is_stored_if_nothing_else_is_learnt() {
    let stack = Stack::start(Options::default()).await.unwrap();
    stack.temu().configure(|settings| settings.create_says_whose = true);
    stack.temu().inject(Route::TokenInfo, Fault::new(Trouble::Drop(When::AfterEffect)));
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "mia").await;
    let back = visit.browser.come_back(&callback).await;
    drop(stack.vendor().confirm(&visit.session.session_id, back.result()).await.expect(200));
    let token = stack.vendor().token(LOCAL).await.expect(200).json();
    assert!(stack.temu().accepts(token["access_token"].as_str().unwrap()));
    let known = item(&stack, LOCAL).await;
    assert!(known["authorization_expires_at"].is_i64() && known["scopes"].as_array().is_some_and(|it| !it.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mall_that_nobody_names_holds_up_no_other_and_is_told() {
    let options = Options { temu_sellers: vec![chain()], ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    // The answer's own token comes without its mall.
    let silent = Fault::new(Trouble::RateLimited { retry_after: None }).for_seller("9001");
    stack.temu().inject(Route::TokenInfo, silent);
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "chain").await;
    let back = visit.browser.come_back(&callback).await;
    let page = back.page.as_ref().expect("a page that says so, before the seller goes back").body.clone();
    assert!(page.contains("https://vendor.example/shops/connected?session_id="), "{page}");
    drop(stack.vendor().confirm(&visit.session.session_id, back.result()).await.expect(200));
    for (mall, status) in [(9_001, 404), (9_002, 200), (9_003, 200)] {
        drop(stack.vendor().token(&format!("temu/us/{mall}")).await.expect(status));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_malls_than_temu_takes_calls_a_second() {
    const MALLS: u64 = 30;
    let malls = (0..MALLS).map(|n| Mall::new(6_000 + n, MallType::Local));
    let seller = malls.fold(Seller::new("big-chain"), Seller::with_mall);
    let stack = Stack::start(Options { temu_sellers: vec![seller], ..Options::default() }).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "big-chain").await;
    let back = visit.browser.come_back(&callback).await;
    drop(stack.vendor().confirm(&visit.session.session_id, back.result()).await.expect(200));
    for n in 0..MALLS {
        drop(stack.vendor().token(&format!("temu/us/{}", 6_000 + n)).await.expect(200));
    }
    stack.age(ROUND).await;
    assert_eq!(total(&sweep_all(&stack).await, "verified"), MALLS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_was_left_out_is_told_to_the_seller_and_to_the_vendor() {
    let options = Options::default().with_temu_app("us", |us| {
        us.permissions.insert("Warehouse Management".into(), vec!["bg.warehouse.list.get".into()]);
    });
    let stack = Stack::start(options).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "mia").await;
    let back = visit.browser.come_back(&callback).await;
    let page = back.page.as_ref().expect("a page that says so, before the seller goes back").body.clone();
    assert!(page.contains("Warehouse Management") && page.contains("authorize the app once more"), "{page}");
    let session = stack.vendor().confirm(&visit.session.session_id, back.result()).await.expect(200).json();
    assert_eq!(session["connections"][0]["missing_permissions"][0], "Warehouse Management", "{session}");
}
