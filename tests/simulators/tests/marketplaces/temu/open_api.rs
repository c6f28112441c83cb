use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use simulators::temu::{Mall, MallType, OptionalPermission, Purpose, Router, code};

use super::client::{APP_KEY, Client, GOODS, INFO, INFO_AT_PA, MALL, ORDERS, SELLER, SEMI_MALL};

#[tokio::test]
async fn token_information_is_as_published() {
    let client = Client::start().await;
    let token = client.token();
    let answer = client.info(&token).await.unwrap();
    let json = answer.json();
    assert_eq!((answer.status, answer.code()), (200, code::SUCCESS));
    assert_eq!(json["success"], true);
    assert!(json["requestId"].as_str().is_some_and(|id| !id.is_empty()));
    let result = answer.result();
    assert_eq!((&result["mallId"], &result["mallType"]), (&json!(MALL), &json!(100)));
    assert_eq!((&result["regionId"], &result["semiUniqueId"]), (&json!(211), &json!(null)));
    assert!(result["expiredTime"].as_u64().unwrap().abs_diff(client.simulator.now() + 90 * 86_400) <= 2);
    assert_eq!(result["apiScopeList"], json!(Purpose::All.default_permissions()));
    assert_eq!(result["appSubscribeStatus"], 0);
    assert!(result["appSubscribeEventCodeList"][0].is_string());
    assert_eq!(result["authEventCodeList"][0]["permitsStatus"], 1);
}

#[tokio::test]
async fn a_semi_managed_mall_has_a_token_for_each_purpose() {
    let client = Client::start().await;
    let issue = |app_key, purpose| client.simulator.issue(app_key, SEMI_MALL, purpose).unwrap();
    let product = issue("cross-border-app", Purpose::Product);
    let global_orders = issue("global-app", Purpose::Order);
    let us_orders = issue(APP_KEY, Purpose::Order);
    assert_eq!(client.call(Router::Cn, "cross-border-app", GOODS, &product).await.unwrap().code(), code::SUCCESS);
    for (router, app_key, token, fits, fails) in
        [(Router::Global, "global-app", global_orders, ORDERS, GOODS), (Router::Us, APP_KEY, us_orders, ORDERS, GOODS)]
    {
        let result = client.call(router, app_key, INFO, &token).await.unwrap().result();
        assert_eq!((&result["mallId"], &result["mallType"]), (&json!(SEMI_MALL), &json!(1)));
        assert_eq!(result["semiUniqueId"], "semi-634418213");
        assert_eq!(client.call(router, app_key, fits, &token).await.unwrap().code(), code::SUCCESS);
        assert_eq!(client.call(router, app_key, fails, &token).await.unwrap().code(), code::TOKEN_LACKS_CALL);
    }
}

#[tokio::test]
async fn some_gateways_word_it_differently() {
    let client = Client::start().await;
    let token = client.token();
    client.simulator.configure(|settings| settings.says_unique_id = true);
    client.simulator.update_app(APP_KEY, |app| app.events_stopped = true).unwrap();
    let result = client.info(&token).await.unwrap().result();
    assert_eq!(result["uniqueId"], MALL);
    assert_eq!(result["mallName"], "Ann's Attic");
    assert!(result.get("mallId").is_none());
    assert_eq!(result["appSubscribeStatus"], 1);
}

#[tokio::test]
async fn nested_values_are_signed_in_the_order_sent() {
    let client = Client::start().await;
    let (token, now) = (client.token(), client.simulator.now());
    let nested = r#"{"zebra":1,"apple":[{"b":"é","a":2}]}"#;
    let text = format!(
        "us-app-secretaccess_token{token}app_keyus-appdeeptruelist{nested}timestamp{now}type{ORDERS}us-app-secret"
    );
    let sign = hex::encode_upper(<md5::Md5 as md5::Digest>::digest(text));
    let body = format!(
        r#"{{"type":"{ORDERS}","app_key":"us-app","access_token":"{token}","timestamp":{now},"deep":true,"list":{nested},"sign":"{sign}"}}"#
    );
    assert_eq!(client.post(Router::Us, body.clone()).await.unwrap().code(), code::SUCCESS);
    let reordered = body.replace(r#"{"b":"é","a":2}"#, r#"{"a":2,"b":"é"}"#);
    assert_eq!(client.post(Router::Us, reordered).await.unwrap().code(), code::BAD_SIGN);
}

#[tokio::test]
async fn errors_come_with_http_200() {
    let client = Client::start().await;
    for body in ["", "[]", "{}"] {
        let answer = client.post(Router::Us, body.to_owned()).await.unwrap();
        assert_eq!((answer.status, answer.code()), (200, code::APP_KEY_MISSING));
    }
    let answer = client.info("unknown").await.unwrap();
    let json = answer.json();
    assert_eq!((answer.status, answer.code()), (200, code::TOKEN_UNKNOWN));
    assert_eq!((&json["success"], &json["result"]), (&json!(false), &json!(null)));
    assert!(json["errorMsg"].as_str().is_some_and(|message| !message.is_empty()));
}

#[tokio::test]
async fn regions_know_nothing_of_each_other() {
    let client = Client::start().await;
    let token = client.token();
    for (router, app, info, app_unknown, token_unknown) in [
        (Router::Eu, "eu-app", INFO, 3_000_026, 3_000_031),
        (Router::Global, "global-app", INFO, 3_000_026, 3_000_031),
        (Router::Pa, "cross-border-app", INFO_AT_PA, 7_000_005, 7_000_018),
        (Router::Cn, "cross-border-app", INFO, 7_000_005, 7_000_018),
    ] {
        assert_eq!(client.call(router, APP_KEY, info, &token).await.unwrap().code(), app_unknown);
        assert_eq!(client.call(router, app, info, &token).await.unwrap().code(), token_unknown);
    }
    assert_eq!(client.info(&token).await.unwrap().code(), code::SUCCESS);
}

#[tokio::test]
async fn one_product_token_serves_two_routers_with_calls_of_their_own() {
    let client = Client::start().await;
    let app = "cross-border-app";
    let token = client.simulator.issue(app, SEMI_MALL, Purpose::Product).unwrap();
    let code = async |router, call, token: &str| client.call(router, app, call, token).await.unwrap().code();
    let listed =
        async |router, call, list| client.call(router, app, call, &token).await.unwrap().result()[list].clone();
    let (pa, cn) = (listed(Router::Pa, INFO_AT_PA, "apiScopeList").await, listed(Router::Cn, INFO, "apiList").await);
    assert!(pa.as_array().unwrap().contains(&json!("bg.goods.price.update.global")), "{pa}");
    assert!(cn.as_array().unwrap().contains(&json!(GOODS)), "{cn}");
    assert!(pa.as_array().unwrap().iter().all(|call| !cn.as_array().unwrap().contains(call)));
    for (router, call) in [(Router::Pa, INFO), (Router::Cn, INFO_AT_PA), (Router::Pa, GOODS)] {
        assert_eq!(code(router, call, &token).await, 7_000_016, "{call} is on the other gateway");
    }

    let old = vec![INFO.to_owned(), GOODS.to_owned()];
    let old = client.simulator.issue_with(app, SEMI_MALL, Purpose::Product, old, 600).unwrap();
    assert_eq!(code(Router::Pa, INFO_AT_PA, &old).await, 7_000_019, "from before the call migrated");
    assert_eq!(code(Router::Cn, INFO, &old).await, code::SUCCESS);
    assert_eq!(code(Router::Cn, INFO, &token).await, 7_000_007, "replaced");
}

#[tokio::test]
async fn tokens_end_in_their_several_ways() {
    let client = Client::start().await;
    let first = client.token();
    let second = client.token();
    assert_eq!(client.info(&first).await.unwrap().code(), code::TOKEN_EXPIRED);
    assert_eq!(client.simulator.token_of(APP_KEY, MALL, Purpose::All), Some(second.clone()));
    client.simulator.expire(APP_KEY, MALL, Purpose::All).unwrap();
    assert_eq!(client.info(&second).await.unwrap().code(), code::TOKEN_EXPIRED);

    let permissions = vec![ORDERS.to_owned()];
    let short = client.simulator.issue_with(APP_KEY, MALL, Purpose::All, permissions, 60).unwrap();
    assert_eq!(client.call(Router::Us, APP_KEY, GOODS, &short).await.unwrap().code(), code::TOKEN_LACKS_CALL);
    client.simulator.set_permissions(APP_KEY, MALL, Purpose::All, vec![GOODS.to_owned()]).unwrap();
    assert_eq!(client.call(Router::Us, APP_KEY, GOODS, &short).await.unwrap().code(), code::SUCCESS);
    client.simulator.advance(61);
    assert!(!client.simulator.accepts(&short));
    assert_eq!(client.info(&short).await.unwrap().code(), code::TOKEN_EXPIRED);
    let later = client.simulator.now() + 600;
    client.simulator.set_expiry(APP_KEY, MALL, Purpose::All, later).unwrap();
    assert_eq!(client.info(&short).await.unwrap().result()["expiredTime"], later);

    assert!(client.simulator.revoke(APP_KEY, MALL) && !client.simulator.revoke(APP_KEY, MALL));
    assert_eq!(client.info(&short).await.unwrap().code(), code::NOT_AUTHORIZED);
    assert!(client.simulator.set_expiry("eu-app", MALL, Purpose::All, 0).is_err());
}

#[tokio::test]
async fn one_purpose_can_be_revoked_alone() {
    let client = Client::start().await;
    let [product, order] = [Purpose::Product, Purpose::Order]
        .map(|purpose| client.simulator.issue("global-app", SEMI_MALL, purpose).unwrap());
    assert!(client.simulator.revoke_only("global-app", SEMI_MALL, Purpose::Order));
    assert!(client.simulator.accepts(&product) && !client.simulator.accepts(&order));
    assert!(client.simulator.revoke("global-app", SEMI_MALL));
    assert!(!client.simulator.accepts(&product));
}

#[tokio::test]
async fn a_label_left_out_is_missing_from_the_list() {
    let client = Client::start().await;
    let mut permissions = Purpose::All.default_permissions();
    permissions.retain(|call| !OptionalPermission::Aftersales.calls().contains(&call.as_str()));
    let token = client.simulator.issue_with(APP_KEY, MALL, Purpose::All, permissions.clone(), 60).unwrap();
    assert_eq!(client.info(&token).await.unwrap().result()["apiScopeList"], json!(permissions));
    let call = OptionalPermission::Aftersales.calls()[0];
    assert_eq!(client.call(Router::Us, APP_KEY, call, &token).await.unwrap().code(), code::TOKEN_LACKS_CALL);
}

#[tokio::test]
async fn calls_are_rationed_by_app() {
    let client = Client::start().await;
    let token = client.token();
    client.simulator.configure(|settings| settings.calls_per_second = Some(3));
    // All at once, for a second is soon over on a busy machine.
    let codes = async |count| {
        let answers = join_all((0..count).map(|_| client.info(&token))).await;
        answers.into_iter().map(|answer| answer.unwrap().code()).collect::<Vec<_>>()
    };
    let rationed = codes(4).await;
    assert_eq!(rationed.iter().filter(|code| **code == code::SUCCESS).count(), 3, "{rationed:?}");
    assert!(rationed.contains(&code::RATE_LIMITED), "{rationed:?}");
    let other = client.call(Router::Eu, "eu-app", INFO, "unknown").await.unwrap();
    assert_eq!(other.code(), code::TOKEN_UNKNOWN);
    client.simulator.configure(|settings| settings.calls_per_second = None);
    assert_eq!(codes(30).await, [code::SUCCESS; 30]);
    assert!(client.simulator.busiest_second(APP_KEY) >= 10);
    assert_eq!(client.simulator.busiest_second("eu-app"), 1);
}

#[tokio::test]
async fn post_is_the_only_method() {
    let client = Client::start().await;
    for method in [Method::GET, Method::PUT] {
        let response = client.http.request(method, client.simulator.router_url(Router::Us)).send().await.unwrap();
        assert_eq!(response.status(), 404);
    }
    assert!(client.simulator.calls().is_empty());
}

#[tokio::test]
async fn malls_and_apps_must_be_there_for_a_token() {
    let client = Client::start().await;
    assert!(client.simulator.issue("nobody", MALL, Purpose::All).is_err());
    assert!(client.simulator.issue(APP_KEY, 1, Purpose::All).is_err());
    client.simulator.add_mall(SELLER, Mall::new(1, MallType::Local)).unwrap();
    assert!(client.simulator.issue(APP_KEY, 1, Purpose::All).is_ok());
}
