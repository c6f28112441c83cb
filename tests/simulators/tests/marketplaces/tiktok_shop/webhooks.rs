//! Addresses that are registered per shop, and which notices go there.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault, Notice, Outcome, Refusal, Route, Seller, Shop, Trouble, When};

use super::client::{APP_KEY, Answer, Client, SELLER, WEBHOOKS_PATH};
use super::receiver::{self, Receiver, SOON};

const DEAUTHORIZED: &str = "SELLER_DEAUTHORIZATION";
const ENDS_SOON: &str = "UPCOMING_AUTHORIZATION_EXPIRATION";

/// The calls about one shop, by its id.
struct Shopkeeper<'a> {
    client: &'a Client,
    access_token: String,
    shop_id: &'a str,
}

impl<'a> Shopkeeper<'a> {
    async fn of(client: &'a Client, shop_id: &'a str) -> Self {
        Self { client, access_token: client.tokens().await.0, shop_id }
    }

    async fn call(&self, method: Method, body: &str) -> reqwest::Result<Answer> {
        let cipher = Shop::new(self.shop_id, "US").cipher;
        self.client.webhooks(method, &self.access_token, &cipher, body).await
    }

    async fn put(&self, event_type: &str, address: &str) -> reqwest::Result<Answer> {
        self.call(Method::PUT, &json!({ "address": address, "event_type": event_type }).to_string()).await
    }

    async fn register(&self, event_type: &str, address: &str) {
        assert_eq!(self.put(event_type, address).await.unwrap().code(), 0);
    }

    async fn remove(&self, event_type: &str) -> reqwest::Result<Answer> {
        self.call(Method::DELETE, &json!({ "event_type": event_type }).to_string()).await
    }

    async fn list(&self) -> Value {
        self.call(Method::GET, "").await.unwrap().json()["data"].take()
    }

    fn registered(&self) -> Vec<(&'static str, String)> {
        self.client.simulator.webhooks_of(APP_KEY, self.shop_id)
    }
}

/// Sends the notice and waits until it is taken; returns how many posts each receiver has by then.
async fn posted(client: &Client, notice: Notice, receivers: [&Receiver; 2]) -> [usize; 2] {
    let id = client.simulator.send_notice(APP_KEY, notice).unwrap();
    assert!(client.simulator.delivered(&id, SOON).await);
    receivers.map(|receiver| receiver.posts().len())
}

#[tokio::test]
async fn an_address_is_registered_replaced_listed_and_removed() {
    let client = Client::start().await;
    let shop = Shopkeeper::of(&client, "s1").await;
    assert_eq!(shop.list().await, json!({ "total_count": 0, "webhooks": [] }));

    let first = client.simulator.now();
    shop.register(ENDS_SOON, "https://example.com/first").await;
    shop.register(DEAUTHORIZED, "https://example.com").await;
    client.simulator.advance(100);
    let replaced = shop.put(ENDS_SOON, "https://example.com/second").await.unwrap();
    assert_eq!((replaced.status, &replaced.json()["data"]), (200, &json!({})));

    let list = shop.list().await;
    assert_eq!((&list["total_count"], list["webhooks"].as_array().unwrap().len()), (&json!(2), 2));
    let webhook = &list["webhooks"][1];
    assert_eq!(webhook["event_type"], ENDS_SOON);
    assert_eq!(webhook["address"], "https://example.com/second");
    let time = |field: &str| webhook[field].as_u64().unwrap();
    assert!(time("create_time") - first <= 5 && time("update_time") - time("create_time") >= 100);

    assert_eq!(shop.remove(ENDS_SOON).await.unwrap().code(), 0);
    assert_eq!(shop.remove(ENDS_SOON).await.unwrap().code(), 0, "also where none is registered");
    assert_eq!(shop.registered(), [(DEAUTHORIZED, "https://example.com".to_owned())], "as it was written");
}

#[tokio::test]
async fn events_have_the_names_that_clients_know() {
    let client = Client::start().await;
    let shop = Shopkeeper::of(&client, "s1").await;
    for event_type in ["AUTH_EXPIRE", "ORDER_STATUS_CHANGE", "CREATOR_DEAUTHORIZATION", DEAUTHORIZED] {
        shop.register(event_type, "https://example.com/").await;
    }
    let registered: Vec<_> = shop.registered().into_iter().map(|(event_type, _)| event_type).collect();
    assert_eq!(registered, ["CREATOR_DEAUTHORIZATION", "ORDER_STATUS_CHANGE", DEAUTHORIZED, ENDS_SOON]);
}

#[tokio::test]
async fn a_notice_goes_to_the_address_of_its_shop_and_event_or_else_to_the_apps() {
    let (of_app, client) = Receiver::with_client().await;
    client.simulator.add_shop(SELLER, Shop::new("s2", "US")).unwrap();
    let registered = Receiver::start().await;
    let shop = Shopkeeper::of(&client, "s1").await;
    shop.register(DEAUTHORIZED, registered.url.as_str()).await;

    let both = [&of_app, &registered];
    assert_eq!(posted(&client, Notice::deauthorized("s1"), both).await, [0, 1]);
    assert!(registered.posts()[0].is_signed());
    assert_eq!(posted(&client, Notice::deauthorized("s2"), both).await, [1, 1]);
    assert_eq!(posted(&client, Notice::ends_soon("s1", 1), both).await, [2, 1]);
    shop.register(ENDS_SOON, registered.url.as_str()).await;
    assert_eq!(posted(&client, Notice::ends_soon("s1", 1), both).await, [2, 2]);
    shop.remove(DEAUTHORIZED).await.unwrap();
    assert_eq!(posted(&client, Notice::deauthorized("s1"), both).await, [3, 2]);
}

#[tokio::test]
async fn a_registered_address_needs_no_webhook_url_of_the_app() {
    let client = Client::start().await;
    let registered = Receiver::start().await;
    Shopkeeper::of(&client, "s1").await.register(DEAUTHORIZED, registered.url.as_str()).await;
    assert_eq!(posted(&client, Notice::deauthorized("s1"), [&registered; 2]).await, [1, 1]);
    let other = client.simulator.send_notice(APP_KEY, Notice::ends_soon("s1", 1));
    assert_eq!(other, Err(Refusal::NoWebhookUrl(APP_KEY.to_owned())));
}

#[tokio::test]
async fn deauthorization_is_told_at_the_registered_address_before_it_is_removed() {
    for of_shop_alone in [false, true] {
        let (of_app, client) = Receiver::with_client().await;
        client.simulator.add_shop(SELLER, Shop::new("s2", "US")).unwrap();
        let registered = Receiver::start().await;
        let shop = Shopkeeper::of(&client, "s1").await;
        shop.register(DEAUTHORIZED, registered.url.as_str()).await;
        Shopkeeper { shop_id: "s2", ..shop }.register(DEAUTHORIZED, registered.url.as_str()).await;
        registered.answer([receiver::Answer::Status(500); 2]);

        let told = if of_shop_alone {
            assert!(client.simulator.deauthorize_shop(APP_KEY, SELLER, "s1"));
            1
        } else {
            assert!(client.simulator.deauthorize(APP_KEY, SELLER));
            2
        };
        let left = ["s1", "s2"].map(|shop| client.simulator.webhooks_of(APP_KEY, shop).len());
        assert_eq!(left, if of_shop_alone { [0, 1] } else { [0, 0] });
        for delivery in client.simulator.deliveries() {
            assert!(client.simulator.delivered(&delivery.notification_id, SOON).await);
        }
        assert_eq!(registered.posts().len(), told + 2, "posted again at the same address");
        assert!(of_app.posts().is_empty());
    }
}

#[tokio::test]
async fn a_wrong_token_scope_or_shop_is_refused() {
    let client = Client::start().await;
    client.simulator.add_shop(SELLER, Shop::new("s2", "US")).unwrap();
    client.simulator.add_seller(Seller::new("bob").with_shop(Shop::new("s3", "US")));
    let shop = Shopkeeper::of(&client, "s1").await;
    client.simulator.deauthorize_shop(APP_KEY, SELLER, "s2");
    let code = async |token: &str, cipher: &str| {
        let body = json!({ "address": "https://example.com/", "event_type": DEAUTHORIZED }).to_string();
        let mut codes = Vec::new();
        for (method, body) in [(Method::GET, ""), (Method::PUT, &body), (Method::DELETE, &body)] {
            codes.push(client.webhooks(method, token, cipher, body).await.unwrap().code());
        }
        codes
    };
    assert_eq!(code(&shop.access_token, "US_cipher_s1").await, [0; 3]);
    for cipher in ["US_cipher_s2", "US_cipher_s3", "s1"] {
        assert_eq!(code(&shop.access_token, cipher).await, [101_000; 3], "{cipher}");
    }
    assert_eq!(code(&shop.access_token, "").await, [106_013; 3]);
    assert_eq!(code("ROW_unknown", "US_cipher_s1").await, [36_009_004; 3]);
    client.simulator.update_seller(SELLER, |seller| seller.scopes.clear()).unwrap();
    let (without_scope, _) = client.tokens().await;
    assert_eq!(code(&without_scope, "US_cipher_s1").await, [105_005; 3]);
    client.simulator.advance(8 * 24 * 60 * 60);
    assert_eq!(code(&without_scope, "US_cipher_s1").await, [105_002; 3]);
}

#[tokio::test]
async fn a_wrong_request_is_refused_and_changes_nothing() {
    let client = Client::start().await;
    let shop = Shopkeeper::of(&client, "s1").await;
    shop.register(DEAUTHORIZED, "https://example.com/").await;
    let kept = shop.registered();

    let longest = format!("https://example.com/{}", "x".repeat(235));
    for address in ["example.com/webhooks", "ftp://example.com/", "", &format!("{longest}x")] {
        let answer = shop.put(DEAUTHORIZED, address).await.unwrap();
        assert_eq!((answer.status, answer.code()), (400, 36_009_004), "{address}");
    }
    for body in ["", "[]", r#"{"address":"https://example.com/2"}"#, r#"{"event_type":"SELLER_DEAUTHORIZATION"}"#] {
        assert_eq!(shop.call(Method::PUT, body).await.unwrap().code(), 36_009_004, "{body}");
    }
    assert_eq!(shop.put("6", "https://example.com/2").await.unwrap().code(), 36_009_004);
    assert_eq!(shop.remove("UNKNOWN").await.unwrap().code(), 36_009_004);

    let body = json!({ "event_type": DEAUTHORIZED }).to_string();
    let delete = |signed_body| {
        let url = client.signed_url(WEBHOOKS_PATH, &[("shop_cipher", "US_cipher_s1")], signed_body);
        client.webhooks_request(Method::DELETE, url, &shop.access_token, &body)
    };
    let answer = Client::send(delete("")).await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, 106_001), "the body is part of the signature");
    let plain_text = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
    let answer = Client::send(delete(&body).headers(plain_text)).await.unwrap();
    assert_eq!(answer.code(), 36_009_004);
    assert_eq!(shop.call(Method::POST, &body).await.unwrap().status, 404);
    assert_eq!(shop.registered(), kept);

    shop.register(DEAUTHORIZED, &longest).await;
}

#[tokio::test]
async fn each_method_has_its_own_faults_and_its_own_count() {
    let client = Client::start().await;
    let shop = Shopkeeper::of(&client, "s1").await;
    client.simulator.inject(Route::WebhookPut, Fault::new(Trouble::Drop(When::AfterEffect)).times(1));
    client.simulator.inject(Route::WebhookDelete, Fault::new(Trouble::ServerError(When::BeforeEffect)).times(1));

    shop.list().await;
    assert!(shop.put(DEAUTHORIZED, "https://example.com/").await.is_err());
    assert_eq!(shop.registered().len(), 1, "it was registered all the same");
    assert_eq!(shop.remove(DEAUTHORIZED).await.unwrap().status, 500);
    assert_eq!(shop.registered().len(), 1);
    assert_eq!(shop.remove(DEAUTHORIZED).await.unwrap().code(), 0);
    assert!(shop.registered().is_empty());

    let calls = |route| client.simulator.calls_to(route).len();
    assert_eq!([Route::WebhookList, Route::WebhookPut, Route::WebhookDelete].map(calls), [1, 1, 2]);
    assert_eq!(client.simulator.effects(Route::WebhookDelete), 1);
    let put = client.simulator.calls_to(Route::WebhookPut).remove(0);
    assert_eq!((put.effect, put.outcome), (Some(0), Outcome::Unanswered));
    assert_eq!((put.app_key.as_deref(), put.seller.as_deref()), (Some(APP_KEY), Some(SELLER)));
}
