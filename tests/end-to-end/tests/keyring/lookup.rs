//! What the vendor's services get.

use end_to_end::{Function, Options, Stack};
use reqwest::Method;
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault, Route, Trouble, When};

use crate::setting::{SELLER_1, connect, connected, item};

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_lookup_costs_one_read() {
    let stack = connected(Options::default().with_processes(Function::TokenLookup, 1)).await;
    let vendor = stack.vendor();
    drop(vendor.token(SELLER_1).await.expect(200));
    stack.dynamodb().front().forget_calls();
    stack.secrets_manager().front().forget_calls();
    for _ in 0..10 {
        drop(vendor.token(SELLER_1).await.expect(200));
    }
    let calls: Vec<_> = stack.dynamodb().front().calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(calls, vec!["GetItem"; 10]);
    assert_eq!(stack.secrets_manager().front().calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lasts_as_long_as_was_asked_for() {
    let stack = connected(Options::default().with_access_lifetime(2_000)).await;
    let vendor = stack.vendor();
    stack.age(1_000).await;
    assert_eq!(vendor.token_for(SELLER_1, 900).await.expect(200).json()["version"], 1);
    let renewed = vendor.token_for(SELLER_1, 1_100).await.expect(200).json();
    assert_eq!(renewed["version"], 2);
    // A whole life is under it: no refresh would help.
    assert_eq!(vendor.token_for(SELLER_1, 86_400).await.expect(200).json()["version"], 2);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);

    // Soon after a refresh what is there is served, although it is under `min_ttl`.
    stack.age(200).await;
    assert_eq!(vendor.token_for(SELLER_1, 1_900).await.expect(200).json()["version"], 2);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_token_costs_one_refresh() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let recently = vendor.refresh(SELLER_1, 1).await.expect(200).json();
    assert_eq!((&recently["refresh"], &recently["version"]), (&json!("refreshed_recently"), &json!(1)));
    stack.age(1_000).await;
    let (one, other) = tokio::join!(vendor.refresh(SELLER_1, 1), vendor.refresh(SELLER_1, 1));
    for answer in [one, other] {
        assert_eq!(answer.expect(200).json()["version"], 2);
    }
    let late = vendor.refresh(SELLER_1, 1).await.expect(200).json();
    assert_eq!((&late["refresh"], &late["version"]), (&json!("superseded"), &json!(2)));
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);
    drop(vendor.refresh(SELLER_1, 9).await.expect(400));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_has_its_answer() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    assert_eq!(vendor.token("tiktok-shop/us/nobody").await.expect(404).code().as_deref(), Some("connection_not_found"));
    assert_eq!(
        vendor.token_by_shop("tiktok-shop/us/none").await.expect(404).code().as_deref(),
        Some("connection_not_found")
    );

    let good = item(&stack, SELLER_1).await;
    let with = |status: &str, reason: Option<&str>, left: i64| {
        let mut changed = good.clone();
        changed["status"] = json!(status);
        changed["access_expires_at"] = json!(good["refreshed_at"].as_i64().unwrap() + left);
        if let Some(reason) = reason {
            changed["reason"] = json!(reason);
        }
        changed
    };
    stack.put_item(&with("disconnected", None, 86_400)).await;
    assert_eq!(vendor.token(SELLER_1).await.expect(410).code().as_deref(), Some("disconnected"));
    stack.put_item(&with("pending", None, 86_400)).await;
    assert_eq!(vendor.token(SELLER_1).await.expect(409).code().as_deref(), Some("pending"));
    stack.put_item(&with("reauthorization_required", Some("authorization_expired"), 86_400)).await;
    assert_eq!(vendor.token(SELLER_1).await.expect(200).json()["status"], "reauthorization_required");
    stack.put_item(&with("reauthorization_required", Some("authorization_expired"), -1)).await;
    let problem = vendor.token(SELLER_1).await.expect(409);
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem.json()["reason"], "authorization_expired");
    assert_eq!((&problem.json()["status"], problem.header("cache-control")), (&json!(409), Some("no-store")));

    // Expired while the marketplace is down.
    stack.put_item(&good).await;
    stack.age(7 * 86_400 + 1).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::ServerError(When::BeforeEffect)));
    let down = vendor.token(SELLER_1).await.expect(503);
    assert_eq!(down.code().as_deref(), Some("refresh_failed"));
    let wait: i64 = down.header("retry-after").unwrap().parse().unwrap();
    assert!((5..=1_800).contains(&wait), "{wait}");
    drop(vendor.token(SELLER_1).await.expect(503));
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1, "the back-off holds for callers, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_renewed_is_served_while_it_works() {
    let stack = connected(Options::default()).await;
    stack.age(7 * 86_400 - 40).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Drop(When::BeforeEffect)));
    assert_eq!(stack.vendor().token(SELLER_1).await.expect(200).json()["version"], 1);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_refresh_is_waited_for_three_seconds() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let good = item(&stack, SELLER_1).await;
    let under_way = |left: i64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let mut held = good.clone();
        held["attempt"] = json!({"id": "0b0e7a4e-5d7c-4c5e-9a53-3f1d8a0f6a11", "until": now + 60});
        held["refreshed_at"] = json!(now - 6_000);
        held["access_expires_at"] = json!(now + left);
        held
    };
    for (left, status) in [(30, 200), (-1, 503)] {
        stack.put_item(&under_way(left)).await;
        let asked = std::time::Instant::now();
        let answer = vendor.token(SELLER_1).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let waited = asked.elapsed().as_secs();
        assert!((2..6).contains(&waited), "{waited}");
        assert_eq!(item(&stack, SELLER_1).await.get("wanted"), None, "it is being done");
    }
    assert_eq!(stack.lambda().front().calls().len(), 0);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 0, "nobody else is set to work meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marketplace_that_hangs_is_not_waited_for_beyond_the_limit() {
    let stack = connected(Options::default()).await;
    stack.age(7 * 86_400 + 1).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Hang(When::BeforeEffect)));
    let asked = std::time::Instant::now();
    let answer = stack.vendor().token(SELLER_1).await.expect(503);
    assert_eq!(answer.code().as_deref(), Some("refresh_failed"));
    assert!(asked.elapsed().as_secs() < 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_identity_nothing_is_served() {
    let stack = connected(Options::default()).await;
    let path = format!("/v1/connections/{SELLER_1}/token");
    let unsigned = stack.vendor().send_unsigned(Method::GET, &path, None).await;
    assert_eq!(unsigned.expect(403).body, r#"{"message":"Forbidden"}"#);

    // Past a gateway with a forgotten authorizer.
    let answer = stack.invoke(Function::TokenLookup, &event(&path, &json!({}))).await.unwrap().json();
    assert_eq!(answer["statusCode"], 403, "{answer}");
    assert!(!answer.to_string().contains("access_token"));
}

/// What API Gateway would invoke token-lookup with.
fn event(path: &str, authorizer: &Value) -> Value {
    json!({
        "version": "2.0", "routeKey": "ANY /v1/{proxy+}", "rawPath": path, "rawQueryString": "", "isBase64Encoded": false,
        "headers": {"host": "api.example.com"},
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api",
            "requestId": "id", "routeKey": "ANY /v1/{proxy+}", "stage": "$default", "time": "21/Nov/2026:00:00:00 +0000",
            "timeEpoch": 1_795_219_200_000_i64, "authorizer": authorizer,
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x"}
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_for_one_app_reaches_no_other_by_dots() {
    let stack = Stack::start(Options::default()).await.unwrap();
    connect(&stack, "global", "seller-2", "acme").await;
    let iam = json!({"iam": {"accessKey": "AKIA", "accountId": "123456789012", "callerId": "AIDA", "userId": "AIDA",
        "userArn": "arn:aws:iam::123456789012:user/order-hub"}});
    let plain = event("/v1/connections/tiktok-shop/global/seller-2/token", &iam);
    assert_eq!(stack.invoke(Function::TokenLookup, &plain).await.unwrap().json()["statusCode"], 200);
    for dots in ["..", "%2e%2e", ".%2E", "x/../.."] {
        let path = format!("/v1/connections/tiktok-shop/us/{dots}/global/seller-2/token");
        let answer = stack.invoke(Function::TokenLookup, &event(&path, &iam)).await.unwrap().json();
        assert_eq!(answer["statusCode"], 400, "{path}: {answer}");
        assert!(!answer.to_string().contains("access_token"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_told_what_is_wrong() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    for (path, status, code) in [
        ("/v1/connections/tiktok-shop/us/seller-1/token?min_ttl=86401", 400, "bad_request"),
        ("/v1/connections/tiktok-shop/us/seller-1/token?min_ttl=soon", 400, "bad_request"),
        ("/v1/connections/tiktok-shop/us/seller-1/token?minttl=5", 400, "bad_request"),
        ("/v1/connections/ebay/us/seller-1/token", 400, "bad_request"),
        ("/v1/connections/tiktok-shop/US/seller-1/token", 400, "bad_request"),
        ("/v1//connections/tiktok-shop/us/seller-1/token", 400, "path_not_canonical"),
        ("/v1/connections/tiktok-shop/us/seller-1/token/", 400, "path_not_canonical"),
        ("/v1/connections/tiktok-shop/us/seller-1/nothing", 404, "route_not_found"),
    ] {
        let answer = vendor.send(Method::GET, path, None).await;
        assert_eq!((answer.status, answer.code().as_deref()), (status, Some(code)), "{path}: {}", answer.body);
        assert!(answer.header("x-request-id").is_some());
    }
    let path = format!("/v1/connections/{SELLER_1}/token");
    let wrong_method = vendor.send(Method::DELETE, &path, None).await.expect(405);
    assert_eq!(wrong_method.code().as_deref(), Some("method_not_allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_and_app_secrets_leave_by_no_route() {
    let stack = Stack::start(Options::default()).await.unwrap();
    connect(&stack, "us", "seller-1", "acme").await;
    let vendor = stack.vendor();
    stack.age(1_000).await;
    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    let answers = [
        vendor.session(&session.session_id).await,
        vendor.confirm(&session.session_id, back.result()).await,
        vendor.token(SELLER_1).await,
        vendor.token_by_shop("tiktok-shop/us/shop-1").await,
        vendor.connection(SELLER_1).await,
        vendor.refresh(SELLER_1, 1).await,
        stack.invoke(Function::RefreshOnDemand, &json!({"connection": SELLER_1, "rejected_version": 1})).await.unwrap(),
    ];
    let refresh_token = stack.tiktok_shop().newest_refresh_token(crate::setting::US_APP_KEY, "seller-1").unwrap();
    let app: Value = stack.secret("shop-keyring/apps/tiktok-shop/us", None).await.unwrap();
    for answer in answers {
        let answer = answer.expect(200);
        assert!(!answer.body.contains(&refresh_token), "{}", answer.asked);
        assert!(!answer.body.contains(app["app_secret"].as_str().unwrap()), "{}", answer.asked);
        assert!(!answer.body.contains("refresh_token"), "{}", answer.asked);
    }
}
