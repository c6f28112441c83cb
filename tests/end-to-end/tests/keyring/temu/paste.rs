//! Tokens that are good.

use end_to_end::{Options, SellerKind, Stack};
use serde_json::json;
use simulators::temu::{Mall, MallType, Purpose, Route, Router, Seller};

use super::setting::{CROSS_BORDER_MALL, GLOBAL_ORDERS, LOCAL, LOCAL_MALL, PRODUCT, US_ORDERS, Visit, issue};
use crate::setting::item;

#[tokio::test(flavor = "multi_thread")]
async fn product_and_order_token_of_one_store_in_one_submit() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let (vendor, temu) = (stack.vendor(), stack.temu());
    let visit = Visit::begin(&stack).await;
    let page = visit.browser.open(&visit.session.connect_url).await.expect(200);
    let temu_link = page.links().into_iter().find(|link| link.ends_with("/temu")).expect("a way to Temu");
    let kinds = visit.browser.open(&temu_link).await.expect(200).links();
    for kind in ["?seller=local", "?seller=semi-managed"] {
        assert!(kinds.iter().any(|link| link.ends_with(kind)), "{kinds:?}");
    }

    let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    let orders = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
    let page = visit.paste_cross_border(&[("token_product", &product), ("token_us", &orders)]).await.expect(200);
    assert!(page.reasons().is_empty(), "{}", page.body);
    assert_eq!(page.body.matches("connected until").count(), 2, "{}", page.body);
    let back = page.way_back().unwrap();
    assert!(back.as_str().starts_with("https://vendor.example/shops/connected?session_id="), "{back}");
    assert!(back.query_pairs().any(|(name, value)| name == "status" && value == "connected"));
    for connection in [PRODUCT, US_ORDERS] {
        assert_eq!(vendor.token(connection).await.expect(409).code().as_deref(), Some("pending"));
    }

    let confirmed = visit.confirm(&page).await;
    assert_eq!(confirmed["status"], "finished");
    let connections = confirmed["connections"].as_array().unwrap();
    for connection in [PRODUCT, US_ORDERS] {
        let told = connections.iter().find(|told| told["connection"] == connection);
        assert!(told.is_some_and(|told| told["status"] == "active"), "{confirmed}");
    }
    assert_eq!(connections.len(), 2);
    for (connection, purpose, app, routers, pasted) in [
        (PRODUCT, "product", "product", &[Router::Pa, Router::Cn][..], product),
        (US_ORDERS, "order", "us", &[Router::Us][..], orders),
    ] {
        let token = vendor.token(connection).await.expect(200).json();
        assert_eq!(
            (&token["purpose"], &token["version"], &token["status"]),
            (&json!(purpose), &json!(1), &json!("active"))
        );
        assert_eq!(token["access_token"], pasted.as_str());
        let told = |router: &Router| json!({"name": router.name(), "base_url": temu.router_url(*router)});
        let told: Vec<_> = routers.iter().map(told).collect();
        let api = json!({"base_url": told[0]["base_url"], "routers": told, "app_key": stack.temu_app_key(app)});
        assert_eq!(token["api"], api);
        assert_eq!((&token["account_id"], &token["shops"][0]["id"]), (&json!("acme"), &json!("634418212002")));
        assert_eq!(token["expires_at"], token["authorization_expires_at"], "one clock");
    }
    assert_eq!(temu.calls_to(Route::TokenInfo).len(), 3, "one question per token and router");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_sellers_one_token() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin(&stack).await;
    let page = visit.paste_local(&token).await.expect(200);
    visit.confirm(&page).await;
    let served = stack.vendor().token(LOCAL).await.expect(200).json();
    assert_eq!((&served["purpose"], &served["access_token"]), (&json!("all"), &json!(token)));
    assert!(served["scopes"].as_array().unwrap().contains(&json!("bg.order.list.v2.get")), "{served}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_global_order_token_beside_a_product_token_of_the_same_mall() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    let orders = issue(&stack, "global", CROSS_BORDER_MALL, Purpose::Order);
    let visit = Visit::begin(&stack).await;
    let page = visit.paste_cross_border(&[("token_global", &orders), ("token_product", &product)]).await.expect(200);
    visit.confirm(&page).await;
    for (connection, purpose, token) in [(PRODUCT, "product", &product), (GLOBAL_ORDERS, "order", &orders)] {
        let served = stack.vendor().token(connection).await.expect(200).json();
        assert_eq!((&served["access_token"], &served["purpose"]), (&json!(token), &json!(purpose)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_good_and_one_bad_field() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    let visit = Visit::begin(&stack).await;
    let page = visit.paste_cross_border(&[("token_product", &product), ("token_us", "not my token")]).await.expect(422);
    assert_eq!(page.reasons(), ["not_a_token"]);
    assert!(page.body.contains("connected until") && !page.body.contains("not my token"), "{}", page.body);
    assert!(stack.item(US_ORDERS).await.is_none());
    assert_eq!(item(&stack, PRODUCT).await["token_version"], 1, "the good one is stored all the same");

    // The missing one is added in the same session, and one result confirms both.
    let orders = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
    let page = visit.paste_cross_border(&[("token_us", &orders)]).await.expect(200);
    assert_eq!(page.body.matches("connected until").count(), 2, "{}", page.body);
    visit.confirm(&page).await;
    for connection in [PRODUCT, US_ORDERS] {
        drop(stack.vendor().token(connection).await.expect(200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_again_changes_nothing() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = super::setting::connect_local(&stack).await;
    let before = item(&stack, LOCAL).await;
    stack.secrets_manager().front().forget_calls();
    for _ in 0..2 {
        let visit = Visit::begin(&stack).await;
        for _ in 0..2 {
            let page = visit.paste_local(&token).await.expect(200);
            assert!(page.body.contains("connected until"), "{}", page.body);
        }
    }
    assert_eq!(item(&stack, LOCAL).await, before);
    for operation in ["CreateSecret", "PutSecretValue"] {
        assert_eq!(stack.secrets_manager().front().count(operation), 0, "{operation}");
    }
    assert_eq!(stack.vendor().token(LOCAL).await.expect(200).json()["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_for_the_same_mall_replaces_the_old_one() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let old = super::setting::connect_local(&stack).await;
    let new = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let page = Visit::begin(&stack).await.paste_local(&new).await.expect(200);
    assert!(page.body.contains("connected until"), "{}", page.body);
    let served = stack.vendor().token(LOCAL).await.expect(200).json();
    assert_eq!((&served["access_token"], &served["version"]), (&json!(new), &json!(2)), "no second confirmation");
    assert!(stack.temu().accepts(&new) && !stack.temu().accepts(&old));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_along_does_not_matter() {
    let around = [
        ("  ", "\r\n"),
        ("\"", "\""),
        ("access_token:", ""),
        ("access_token: \"", "\","),
        ("“", "”"),
        ("\u{feff}", ""),
    ];
    let malls = (1..).map(|id| Mall::new(id, MallType::Local)).take(around.len());
    let seller = malls.fold(Seller::new("many"), Seller::with_mall);
    let stack = Stack::start(Options { temu_sellers: vec![seller], ..Options::default() }).await.unwrap();
    for ((before, after), mall) in around.into_iter().zip(1..) {
        let token = issue(&stack, "us", mall, Purpose::All);
        let visit = Visit::begin(&stack).await;
        let page = visit.paste_local(&format!("{before}{token}{after}")).await;
        visit.confirm(&page.expect(200)).await;
        let served = stack.vendor().token(&format!("temu/us/{mall}")).await.expect(200).json();
        assert_eq!(served["access_token"], token.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_confirmation_the_seller_agrees_at_the_form() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let body = json!({"account_id": "acme", "account_label": "Mia's shops", "confirm": false});
    let visit = Visit::begin_with(&stack, body).await;
    let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::Local).await;
    assert!(form.page.body.contains("Mia&#39;s shops"), "{}", form.page.body);
    assert_eq!(form.page.checkbox("agree").as_deref(), Some("yes"));

    let page = visit.paste_local(&token).await.expect(422);
    assert!(stack.item(LOCAL).await.is_none(), "not agreed: {}", page.body);
    assert_eq!(stack.temu().calls().len(), 0);
    let page = visit.paste(SellerKind::Local, &[("site", "us"), ("token", &token), ("agree", "yes")]).await.expect(200);
    assert!(page.body.contains("connected until"), "{}", page.body);
    assert_eq!(stack.vendor().token(LOCAL).await.expect(200).json()["status"], "active");
}
