use simulators::tiktok_shop::{SellerType, Shop, UserType};

use super::client::{APP_KEY, Client, SELLER, SHOPS_PATH};

#[tokio::test]
async fn shops_are_listed_as_they_come_and_go() {
    let client = Client::start().await;
    let (access, _) = client.tokens().await;
    let mut second = Shop::new("s2", "GB");
    second.seller_type = SellerType::CrossBorder;
    client.simulator.add_shop(SELLER, second).unwrap();

    let json = client.shops(&access).await.unwrap().json();
    let shops = json["data"]["shops"].as_array().unwrap();
    assert_eq!(shops.len(), 2);
    assert_eq!(shops[0]["seller_type"], "LOCAL");
    assert_eq!(shops[1]["seller_type"], "CROSS_BORDER");
    for field in ["id", "name", "region", "cipher", "code"] {
        assert!(shops[1][field].as_str().is_some_and(|value| !value.is_empty()), "{field}");
    }

    client.simulator.remove_shop(SELLER, "s1").unwrap();
    let json = client.shops(&access).await.unwrap().json();
    assert_eq!(json["data"]["shops"][0]["id"], "s2");
    assert!(client.simulator.remove_shop("nobody", "s1").is_err());
}

#[tokio::test]
async fn an_expired_access_token_is_told_from_an_invalid_one() {
    let client = Client::start().await;
    client.simulator.configure(|settings| settings.access_lifetime = 60);
    let (access, refresh) = client.tokens().await;
    client.simulator.advance(61);
    assert_eq!(client.shops(&access).await.unwrap().code(), 105_002);
    let renewed = client.refresh(&refresh).await.unwrap().data("access_token");
    assert_eq!(client.shops(&renewed).await.unwrap().code(), 0);

    let unknown = client.shops("ROW_unknown").await.unwrap();
    assert_eq!(unknown.code(), 36_009_004);
    assert!(unknown.body.contains("x-tts-access-token"));
}

#[tokio::test]
async fn a_bad_sign_is_http_401() {
    let client = Client::start().await;
    let (access, _) = client.tokens().await;
    let now = client.simulator.now().to_string();
    let query = [("app_key", APP_KEY), ("timestamp", &now), ("sign", "00")];
    let answer = client.get(client.url(SHOPS_PATH, &query), Some(&access)).await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, 106_001));

    client.simulator.update_app(APP_KEY, |app| app.app_secret = "renewed".to_owned()).unwrap();
    assert_eq!(client.shops(&access).await.unwrap().code(), 106_001);
}

#[tokio::test]
async fn scopes_count_as_they_were_when_granted() {
    let client = Client::start().await;
    let (access, _) = client.tokens().await;
    client.simulator.update_seller(SELLER, |seller| seller.scopes.clear()).unwrap();
    assert_eq!(client.shops(&access).await.unwrap().code(), 0);
    let (access, _) = client.tokens().await;
    assert_eq!(client.shops(&access).await.unwrap().code(), 105_005);
}

#[tokio::test]
async fn creators_and_partners_have_no_shops() {
    let client = Client::start().await;
    for (kind, number) in [(UserType::Creator, 1), (UserType::Partner, 3)] {
        client.simulator.update_seller(SELLER, |seller| seller.user_type = kind).unwrap();
        let answer = client.exchange(&client.code()).await.unwrap();
        assert_eq!(answer.json()["data"]["user_type"], number);
        assert_eq!(client.shops(&answer.data("access_token")).await.unwrap().code(), 101_000);
    }
}

#[tokio::test]
async fn only_get_lists() {
    let client = Client::start().await;
    let response = client.http.post(client.url(SHOPS_PATH, &[])).send().await.unwrap();
    assert_eq!(response.status(), 404);
}
