use reqwest::Method;
use simulators::tiktok_shop::{Rotation, Route};

use super::client::{APP_KEY, Client, SELLER};

#[tokio::test]
async fn an_exchange_answers_as_published() {
    let client = Client::start().await;
    let answer = client.exchange(&client.code()).await.unwrap();
    let (json, now) = (answer.json(), client.simulator.now());
    assert_eq!((answer.status, answer.code()), (200, 0));
    assert_eq!(json["message"], "success");
    assert_eq!(json["request_id"].as_str().unwrap().len(), 34);
    let data = &json["data"];
    assert!(data["access_token_expire_in"].as_u64().unwrap().abs_diff(now + 604_800) <= 2);
    assert!(data["refresh_token_expire_in"].as_u64().unwrap().abs_diff(now + 31_536_000) <= 2);
    assert_eq!(data["open_id"], SELLER);
    assert_eq!(data["seller_name"], "Seller ann");
    assert_eq!(data["seller_base_region"], "US");
    assert_eq!(data["user_type"], 0);
    assert_eq!(data["granted_scopes"][0], "seller.authorization.info");
}

#[tokio::test]
async fn get_is_the_only_method() {
    let client = Client::start().await;
    for path in ["/api/v2/token/get", "/api/v2/token/refresh"] {
        for method in [Method::POST, Method::HEAD, Method::PUT] {
            let mut url = client.exchange_url(&client.code());
            url.set_path(path);
            let response = client.http.request(method.clone(), url).send().await.unwrap();
            assert_eq!(response.status(), 404, "{method} {path}");
            let kind = response.headers()["content-type"].to_str().unwrap();
            assert!(kind.starts_with("text/plain"));
        }
    }
    assert!(client.simulator.calls().is_empty());
}

#[tokio::test]
async fn errors_come_with_http_200() {
    let client = Client::start().await;
    let code = client.code();
    let missing = client.get(client.url("/api/v2/token/get", &[]), None).await.unwrap();
    assert_eq!((missing.status, missing.code()), (200, 36_009_004));
    assert_eq!(missing.json()["message"], "Invalid app_key");

    let query = [("app_key", APP_KEY), ("app_secret", "wrong"), ("auth_code", &code)];
    let secret = client.get(client.url("/api/v2/token/get", &query), None).await.unwrap();
    assert_eq!((secret.status, secret.code()), (200, 36_009_004));

    assert_eq!(client.exchange(&code).await.unwrap().code(), 0);
    let again = client.exchange(&code).await.unwrap();
    assert_eq!((again.status, again.code()), (200, 36_004_004));
    assert!(again.json()["request_id"].is_string());
    assert_eq!(client.refresh("unknown").await.unwrap().code(), 36_004_005);
}

#[tokio::test]
async fn codes_and_authorizations_age_with_the_simulators_clock() {
    let client = Client::start().await;
    let code = client.code();
    client.simulator.advance(30 * 60 + 1);
    assert_eq!(client.exchange(&code).await.unwrap().code(), 36_004_004);

    client.simulator.configure(|settings| settings.refresh_lifetime = 1000);
    let (_, refresh) = client.tokens().await;
    assert_eq!(client.refresh(&refresh).await.unwrap().code(), 0);
    client.simulator.advance(1001);
    assert_eq!(client.refresh(&refresh).await.unwrap().code(), 36_004_001);
}

#[tokio::test]
async fn strict_rotation_takes_a_refresh_token_once() {
    let client = Client::start().await;
    client.simulator.configure(|settings| settings.rotation = Rotation::OneTime);
    let (_, first) = client.tokens().await;
    let second = client.refresh(&first).await.unwrap().data("refresh_token");
    assert_eq!(client.refresh(&first).await.unwrap().code(), 36_004_005);
    assert_eq!(client.simulator.newest_refresh_token(APP_KEY, SELLER), Some(second.clone()));
    assert!(client.simulator.accepts(&second) && !client.simulator.accepts(&first));
    assert_eq!(client.simulator.effects(Route::TokenRefresh), 1);
}

#[tokio::test]
async fn grace_ends_with_the_first_use_at_the_open_api() {
    let client = Client::start().await;
    client.simulator.configure(|settings| settings.rotation = Rotation::Grace);
    let (_, first) = client.tokens().await;
    let second = client.refresh(&first).await.unwrap();
    assert!(client.simulator.accepts(&first));
    client.shops(&second.data("access_token")).await.unwrap();
    assert_eq!(client.refresh(&first).await.unwrap().code(), 36_004_005);
}

#[tokio::test]
async fn a_seller_can_take_the_authorization_back() {
    let client = Client::start().await;
    let (access, refresh) = client.tokens().await;
    assert!(client.simulator.deauthorize(APP_KEY, SELLER));
    assert_eq!(client.refresh(&refresh).await.unwrap().code(), 36_004_005);
    assert_eq!(client.shops(&access).await.unwrap().code(), 36_009_004);
    let (_, refresh) = client.tokens().await;
    assert_eq!(client.refresh(&refresh).await.unwrap().code(), 0);
}
