//! Sellers, apps, accounts and shops.

use end_to_end::{Options, Stack};
use serde_json::json;
use simulators::tiktok_shop::{Fault, Route, Shop, Trouble, When};

use crate::setting::{DUE, SELLER_1, connect, connected, item, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let session = vendor.connect_session(json!({"account_id": "acme", "reference": "order 7"})).await;
    assert_eq!(vendor.session(&session.session_id).await.expect(200).json()["status"], "open");

    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    assert!(back.url.as_str().starts_with("https://vendor.example/shops/connected?session_id="));
    assert_eq!(back.parameter("status").as_deref(), Some("connected"));
    let waiting = vendor.session(&session.session_id).await.expect(200).json();
    assert_eq!(waiting["status"], "awaiting_confirmation");
    assert_eq!(vendor.token(SELLER_1).await.expect(409).code().as_deref(), Some("pending"));

    let confirmed = vendor.confirm(&session.session_id, back.result()).await.expect(200).json();
    assert_eq!((&confirmed["status"], &confirmed["reference"]), (&json!("finished"), &json!("order 7")));
    let authorized_at = waiting["connections"][0]["authorized_at"].clone();
    assert!(authorized_at.is_string() && waiting["connections"][0]["confirm_by"].is_string(), "{waiting}");
    assert_eq!(
        confirmed["connections"],
        json!([{"connection": SELLER_1, "status": "active", "authorized_at": authorized_at}])
    );

    let first = vendor.token(SELLER_1).await.expect(200).json();
    assert_eq!(
        (&first["version"], &first["account_id"], &first["status"]),
        (&json!(1), &json!("acme"), &json!("active"))
    );
    assert_eq!(first["shops"][0]["id"], "shop-1");
    assert!(stack.tiktok_shop().accepts(first["access_token"].as_str().unwrap()));

    stack.age(DUE).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["due"], &swept["refreshed"]), (&json!(1), &json!(1)), "{swept}");
    let second = vendor.token(SELLER_1).await.expect(200).json();
    assert_eq!(second["version"], 2);
    assert_ne!(first["access_token"], second["access_token"]);
    assert!(stack.tiktok_shop().accepts(second["access_token"].as_str().unwrap()));
    let swept = stack.invoke_sweep().await;
    assert_eq!(swept["due"], 0, "nothing is due after that: {swept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn us_and_global_apps_side_by_side() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    for (app, seller) in [("us", "seller-1"), ("global", "seller-2")] {
        connect(&stack, app, seller, "acme").await;
        let token = vendor.token(&format!("tiktok-shop/{app}/{seller}")).await.expect(200).json();
        assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
        let last = stack.tiktok_shop().calls_to(Route::TokenGet).pop().unwrap();
        assert_eq!(last.app_key.as_deref(), token["api"]["app_key"].as_str(), "each app with its own key");
    }

    // A code for one app, brought to the other's callback, by the very browser that was sent out.
    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    let browser = stack.browser();
    let link = browser.leave(&session.connect_url, "us").await;
    let callback = browser.authorize(&link, "seller-2").await;
    let crossed = callback.as_str().replace("/tiktok-shop/us?", "/tiktok-shop/global?");
    let before = stack.tiktok_shop().calls_to(Route::TokenGet).len();
    let page = browser.open(&crossed).await.expect(400);
    assert!(page.body.contains("for another site"), "{}", page.body);
    let without_key: String =
        crossed.split('&').filter(|part| !part.contains("app_key=")).collect::<Vec<_>>().join("&");
    let without_key = if without_key.contains('?') { without_key } else { crossed.replace("app_key", "ignored") };
    let page = browser.open(&without_key).await.expect(400);
    assert!(page.body.contains("for another site"), "the state alone tells, too: {}", page.body);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenGet).len(), before, "nobody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shop_is_found_by_its_id() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let (vendor, platform) = (stack.vendor(), stack.tiktok_shop());
    connect(&stack, "global", "seller-2", "acme").await;
    for shop in ["shop-2", "shop-3"] {
        let token = vendor.token_by_shop(&format!("tiktok-shop/global/{shop}")).await.expect(200).json();
        assert_eq!(token["connection"], "tiktok-shop/global/seller-2");
        assert!(token["shops"].as_array().unwrap().iter().all(|shop| shop["cipher"].is_string()));
    }
    assert_eq!(
        vendor.token_by_shop("tiktok-shop/us/shop-2").await.expect(404).code().as_deref(),
        Some("connection_not_found")
    );

    platform.add_shop("seller-2", Shop::new("shop-4", "FR")).unwrap();
    platform.remove_shop("seller-2", "shop-3").unwrap();
    drop(vendor.token_by_shop("tiktok-shop/global/shop-4").await.expect(404));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    drop(vendor.token_by_shop("tiktok-shop/global/shop-4").await.expect(200));
    drop(vendor.token_by_shop("tiktok-shop/global/shop-3").await.expect(404));
    assert!(stack.item("shop/tiktok-shop/global/shop-3").await.is_none(), "its pointer is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_authorization_is_a_new_grant_of_the_same_connection() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let before = item(&stack, SELLER_1).await;
    stack.age(100).await;
    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    drop(stack.browser().connect(&session.connect_url, "us", "seller-1").await);
    let token = vendor.token(SELLER_1).await.expect(200).json();
    assert_eq!(token["version"], 2, "no confirmation is needed a second time");
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    let after = item(&stack, SELLER_1).await;
    assert_eq!(after["created_at"].as_i64().unwrap(), before["created_at"].as_i64().unwrap() - 100);
    assert!(after["granted_at"].as_i64() > before["granted_at"].as_i64());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_grant_wins_over_a_refresh_that_is_under_way() {
    let stack = connected(Options::default()).await;
    let (vendor, platform) = (stack.vendor(), stack.tiktok_shop());
    stack.age(DUE).await;
    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    let browser = stack.browser();
    let link = browser.leave(&session.connect_url, "us").await;
    let callback = browser.authorize(&link, "seller-1").await;

    let slow = Trouble::Latency(When::AfterEffect, std::time::Duration::from_secs(8));
    platform.inject(Route::TokenRefresh, Fault::new(slow).times(1));
    let (swept, _) = tokio::join!(stack.invoke_sweep(), async {
        until(|| platform.effects(Route::TokenRefresh) == 1).await;
        browser.come_back(&callback).await
    });
    assert_eq!(swept["refreshed"], 0, "the refresh had lost its claim: {swept}");
    let token = vendor.token(SELLER_1).await.expect(200).json();
    assert_eq!(token["version"], 2);
    assert!(platform.accepts(token["access_token"].as_str().unwrap()), "the new grant's token is the one that counts");
    assert_eq!(stack.invoke_sweep().await["due"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seller_under_another_account_is_refused() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    stack.age(100).await;
    let session = vendor.connect_session(json!({"account_id": "other"})).await;
    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    assert!(back.page.unwrap().body.contains("belongs to another account"));
    let told = vendor.session(&session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["failure"]), (&json!("failed"), &json!("account_conflict")));
    let token = vendor.token(SELLER_1).await.expect(200).json();
    assert_eq!(token["account_id"], "acme", "never moved silently");
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()), "and not killed by the attempt");
}
