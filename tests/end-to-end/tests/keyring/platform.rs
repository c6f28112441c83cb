//! TikTok Shop as it really is: what only some sellers, some apps or some moments show.

use std::time::Duration;

use end_to_end::{Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Expiries, Fault, Inactive, Notice, ResponseForm, Route, Trouble, UserType, When, code};

use crate::setting::{DUE, SELLER_1, US_APP_KEY, connect, connected, item, next_second, next_sweep};

async fn attention(stack: &Stack, connection: &str) -> Vec<Value> {
    let seen = stack.vendor().connection(connection).await.expect(200).json();
    seen["needs_attention"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_shop_is_told_and_its_token_goes_on() {
    let stack = connected(Options::default()).await;
    let refreshes = || stack.tiktok_shop().calls_to(Route::TokenRefresh).len();
    for inactive in [Inactive::Shop, Inactive::Seller] {
        stack.tiktok_shop().update_seller("seller-1", |seller| seller.inactive = Some(inactive)).unwrap();
        let before = refreshes();
        stack.age(DUE).await;
        assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
        assert_eq!(attention(&stack, SELLER_1).await, ["shop_inactive"]);
        let after = item(&stack, SELLER_1).await;
        assert_eq!((&after["refusals"], &after["failures"]), (&json!(0), &json!(0)), "{after}");
        assert_eq!(refreshes(), before + 1, "it costs no refresh of its own");
        assert!(after["shops"].as_array().is_some_and(|shops| shops.len() == 1), "those known stay: {after}");
        let token = stack.vendor().token(SELLER_1).await.expect(200).json();
        assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));

        stack.tiktok_shop().update_seller("seller-1", |seller| seller.inactive = None).unwrap();
        stack.age(DUE).await;
        assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
        assert_eq!(attention(&stack, SELLER_1).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_shop_that_has_used_up_its_calls_holds_up_nobody_else() {
    let stack = connected(Options::default().with_webhooks()).await;
    connect(&stack, "us", "seller-2", "acme").await;
    let limited = || {
        let message = "The sandbox shop has reached 1000 requests an hour".into();
        let code = code::SANDBOX_SHOP_LIMITED;
        Fault::new(Trouble::Answer { when: When::BeforeEffect, status: 429, code, message }).for_seller("seller-1")
    };
    stack.tiktok_shop().inject(Route::Shops, limited());
    stack.age(DUE).await;
    let before = stack.tiktok_shop().calls_to(Route::Shops).len();
    assert_eq!(stack.invoke_sweep().await["refreshed"], 2);
    assert_eq!(stack.tiktok_shop().calls_to(Route::Shops).len(), before + 2, "it is asked once");
    let after = item(&stack, SELLER_1).await;
    assert_eq!(after["shops"].as_array().map(Vec::len), Some(1), "those known stay: {after}");
    assert!(!stack.output().contains("shops_not_listed"), "nothing for an operator to do");

    // A check of it is put off, and that of another goes on.
    for shop in ["shop-1", "shop-2"] {
        let id = stack.tiktok_shop().send_notice(US_APP_KEY, Notice::deauthorized(shop)).unwrap();
        assert!(stack.tiktok_shop().delivered(&id, Duration::from_secs(10)).await);
    }
    assert_eq!(next_sweep(&stack).await["verified"], 1);
    let deferred = item(&stack, SELLER_1).await;
    assert_eq!((&deferred["refusals"], &deferred["failures"]), (&json!(0), &json!(0)), "{deferred}");
    assert!(deferred["not_before"].as_i64() > deferred["updated_at"].as_i64());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_of_global_selling_connects_whatever_the_units() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let platform = stack.tiktok_shop();
    for (n, expiries) in
        [Expiries::UnixSeconds, Expiries::UnixMilliseconds, Expiries::SecondsFromNow].into_iter().enumerate()
    {
        platform
            .update_seller("seller-1", |seller| {
                seller.user_type = if n == 0 { UserType::GlobalSeller } else { UserType::GlobalSubSeller };
            })
            .unwrap();
        platform.configure(|settings| {
            settings.expiries = expiries;
            settings.form = if n == 0 { ResponseForm::Published } else { ResponseForm::Variant };
        });
        next_second().await;
        connect(&stack, "us", "seller-1", "acme").await;
        let stored = item(&stack, SELLER_1).await;
        let life = |field: &str| stored[field].as_i64().unwrap() - stored["granted_at"].as_i64().unwrap();
        assert!((life("access_expires_at") - 7 * 86_400).abs() < 5, "{expiries:?}: {stored}");
        assert!((life("authorization_expires_at") - 365 * 86_400).abs() < 5, "{expiries:?}: {stored}");
        assert_eq!(stored["scopes"], json!(["seller.authorization.info"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_of_a_hundred_years_has_no_end() {
    let options = Options { authorization_lifetime: Some(100 * 365 * 86_400), ..Options::default() };
    let stack = connected(options).await;
    assert_eq!(item(&stack, SELLER_1).await["authorization_expires_at"], Value::Null);
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert_eq!(token["authorization_expires_at"], Value::Null);
    assert_eq!(attention(&stack, SELLER_1).await, [""; 0]);

    // Also where an end was known before: the seller has extended it in the platform's seller center.
    stack.tiktok_shop().configure(|settings| settings.refresh_lifetime = 20 * 86_400);
    next_second().await;
    connect(&stack, "us", "seller-2", "acme").await;
    let seller_2 = "tiktok-shop/us/seller-2";
    assert_eq!(attention(&stack, seller_2).await, ["expiring"]);
    assert!(item(&stack, seller_2).await["authorization_expires_at"].is_number());
    assert!(stack.tiktok_shop().extend_authorization(US_APP_KEY, "seller-2", 100 * 365 * 86_400));
    stack.age(DUE).await;
    stack.invoke_sweep().await;
    assert_eq!(item(&stack, seller_2).await["authorization_expires_at"], Value::Null);
    assert_eq!(attention(&stack, seller_2).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_refresh_token_is_refused_and_then_needs_the_seller() {
    let stack = connected(Options::default()).await;
    let expired = Trouble::answer(When::BeforeEffect, code::REFRESH_TOKEN_EXPIRED, "rt has expired");
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(expired));
    for (seconds, refusals) in [(DUE, 1), (16 * 60, 2), (86_400, 2)] {
        stack.age(seconds).await;
        assert_eq!(stack.invoke_sweep().await["refused"], 1);
        assert_eq!(item(&stack, SELLER_1).await["refusals"], refusals);
    }
    let ended = item(&stack, SELLER_1).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("reauthorization_required"), &json!("refused")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_allowed_is_our_configuration_under_any_code_and_status() {
    let stack = connected(Options::default()).await;
    let refused = Trouble::Answer {
        when: When::BeforeEffect,
        status: 403,
        code: 40_300,
        message: "Request IP 203.0.113.7 is not in the app's IP allow list".into(),
    };
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(refused).times(1));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["misconfigured"], 1);
    let deferred = item(&stack, SELLER_1).await;
    assert_eq!((&deferred["refusals"], &deferred["failures"]), (&json!(0), &json!(0)), "{deferred}");
    assert_eq!(deferred["attempts"], Value::Null, "nothing was spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_with_the_older_form_of_link_connects() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let registry = stack.registry().await.to_string();
    stack.put_registry(&registry.replace("/open/authorize", "/oauth/authorize")).await;
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let browser = stack.browser();
    let link = browser.leave(&session.connect_url, "us").await;
    assert_eq!(link.path(), "/oauth/authorize");
    assert!(link.query_pairs().any(|(name, value)| name == "app_key" && value == US_APP_KEY), "{link}");
    let callback = browser.authorize(&link, "seller-1").await;
    assert_eq!(browser.come_back(&callback).await.parameter("status").as_deref(), Some("connected"));
}
