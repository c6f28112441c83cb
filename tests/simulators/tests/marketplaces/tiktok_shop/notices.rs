//! What is said to an app, and when.

use serde_json::json;
use simulators::tiktok_shop::{Delivery, Notice, Refusal, Seller, Shop};
use tokio::time::sleep;

use super::client::{APP_KEY, APP_SECRET, Client, SELLER};
use super::receiver::{A_WHILE, Post, Receiver, SOON};

/// A receiver, and a seller with the shops s1 and s2 who has authorized the app; also the tokens.
async fn two_shops() -> (Receiver, Client, (String, String)) {
    let (receiver, client) = Receiver::with_client().await;
    client.simulator.add_shop(SELLER, Shop::new("s2", "US")).unwrap();
    let tokens = client.tokens().await;
    (receiver, client, tokens)
}

/// Everything that was sent, once it has arrived; by shop.
async fn arrived(receiver: &Receiver, client: &Client) -> Vec<Post> {
    for Delivery { notification_id, .. } in client.simulator.deliveries() {
        assert!(client.simulator.delivered(&notification_id, SOON).await);
    }
    let mut posts = receiver.posts();
    posts.sort_by_key(|post| post.text("shop_id"));
    posts
}

fn shops(posts: &[Post]) -> Vec<String> {
    posts.iter().map(|post| post.text("shop_id")).collect()
}

async fn listed(client: &Client, access_token: &str) -> Vec<String> {
    let answer = client.shops(access_token).await.unwrap().json();
    let shops = answer["data"]["shops"].as_array().unwrap().iter();
    shops.map(|shop| shop["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn taking_the_authorization_back_is_told_for_each_shop() {
    let (receiver, client, _) = two_shops().await;
    assert!(client.simulator.deauthorize(APP_KEY, SELLER));
    let posts = arrived(&receiver, &client).await;
    assert_eq!(shops(&posts), ["s1", "s2"]);
    for notice in &posts {
        assert_eq!((notice.method.as_str(), notice.path.as_str()), ("POST", "/webhooks"));
        assert_eq!(notice.content_type.as_deref(), Some("application/json"));
        assert!(notice.is_signed());
        let json = notice.json();
        assert_eq!(json["type"], 6);
        assert!(json["timestamp"].as_u64().unwrap().abs_diff(client.simulator.now()) <= 2);
        assert!(json["data"]["message"].is_string());
        assert_eq!(json.as_object().unwrap().len(), 5);
        assert!(notice.body.starts_with(br#"{"type":6,"tts_notification_id":""#), "not as serde_json would write it");
    }
    assert_ne!(posts[0].text("tts_notification_id"), posts[1].text("tts_notification_id"));

    assert!(!client.simulator.deauthorize(APP_KEY, SELLER), "there is none any more");
    sleep(A_WHILE).await;
    assert_eq!(receiver.posts().len(), 2);
}

#[tokio::test]
async fn a_shop_leaves_alone_and_the_last_one_takes_the_authorization_with_it() {
    let (receiver, client, (access, refresh)) = two_shops().await;
    let leave = |shop| client.simulator.deauthorize_shop(APP_KEY, SELLER, shop);
    assert!(leave("s1"));
    assert_eq!(listed(&client, &access).await, ["s2"]);
    assert!(client.simulator.accepts(&refresh));
    assert_eq!(shops(&arrived(&receiver, &client).await), ["s1"]);

    assert!(!leave("s1") && !leave("unknown"));
    assert!(!client.simulator.deauthorize_shop("other", SELLER, "s2"));
    assert!(!client.simulator.deauthorize_shop(APP_KEY, "nobody", "s2"));
    assert!(leave("s2"));
    assert!(!client.simulator.accepts(&refresh) && !client.simulator.accepts(&access));
    let posts = arrived(&receiver, &client).await;
    assert_eq!(shops(&posts), ["s1", "s2"]);
    assert!(posts.iter().all(|notice| notice.json()["type"] == 6 && notice.is_signed()));

    let (access, _) = client.tokens().await;
    assert_eq!(listed(&client, &access).await, ["s1", "s2"], "a new authorization is for all shops");
}

#[tokio::test]
async fn a_shop_that_left_is_no_longer_told_about() {
    let (receiver, client, _) = two_shops().await;
    client.simulator.deauthorize_shop(APP_KEY, SELLER, "s1");
    assert_eq!(client.simulator.announce_end(APP_KEY, SELLER).unwrap().len(), 1);
    client.simulator.deauthorize(APP_KEY, SELLER);
    let mut told: Vec<_> = arrived(&receiver, &client).await.iter().map(Post::json).collect();
    told.sort_by_key(|notice| notice["type"].as_i64());
    let told: Vec<_> = told.iter().map(|notice| (&notice["type"], &notice["shop_id"])).collect();
    assert_eq!(told, [(&json!(6), &json!("s1")), (&json!(6), &json!("s2")), (&json!(7), &json!("s2"))]);
}

#[tokio::test]
async fn two_authorizations_at_once_are_told_about_once() {
    let (receiver, client, (first, _)) = two_shops().await;
    client.simulator.configure(|settings| settings.new_grant_ends_old = false);
    client.simulator.deauthorize_shop(APP_KEY, SELLER, "s1");
    let (second, _) = client.tokens().await;
    assert_eq!((listed(&client, &first).await.len(), listed(&client, &second).await.len()), (1, 2));
    assert!(client.simulator.deauthorize_shop(APP_KEY, SELLER, "s2"));
    assert!(!client.simulator.accepts(&first) && client.simulator.accepts(&second));
    assert!(client.simulator.deauthorize(APP_KEY, SELLER));
    assert_eq!(shops(&arrived(&receiver, &client).await), ["s1", "s1", "s2"]);
}

#[tokio::test]
async fn closing_a_shop_and_authorizing_again_are_silent() {
    let (receiver, client, _) = two_shops().await;
    client.simulator.remove_shop(SELLER, "s1").unwrap();
    client.tokens().await;
    sleep(A_WHILE).await;
    assert!(receiver.posts().is_empty() && client.simulator.deliveries().is_empty());
}

#[tokio::test]
async fn the_end_is_announced_for_each_shop_as_a_string() {
    let (receiver, client, _) = two_shops().await;
    let ids = client.simulator.announce_end(APP_KEY, SELLER).unwrap();
    let posts = arrived(&receiver, &client).await;
    assert_eq!(shops(&posts), ["s1", "s2"]);
    let real_end = client.simulator.now() + 31_536_000;
    for notice in &posts {
        assert_eq!(notice.json()["type"], 7);
        assert!(notice.is_signed() && ids.contains(&notice.text("tts_notification_id")));
        let end: u64 = notice.json()["data"]["expiration_time"].as_str().unwrap().parse().unwrap();
        assert!(end.abs_diff(real_end) <= 5);
    }

    client.simulator.announce_end_at(APP_KEY, SELLER, 1_800_000_000).unwrap();
    arrived(&receiver, &client).await;
    for notice in &receiver.posts()[2..] {
        assert_eq!(notice.json()["data"]["expiration_time"], "1800000000");
    }
}

#[tokio::test]
async fn what_cannot_be_announced_is_refused_with_a_reason() {
    let (_receiver, client) = Receiver::with_client().await;
    let announced = |app, seller| client.simulator.announce_end(app, seller).unwrap_err();
    assert_eq!(announced("other", SELLER), Refusal::UnknownApp("other".to_owned()));
    assert_eq!(announced(APP_KEY, "nobody"), Refusal::UnknownSeller("nobody".to_owned()));
    assert_eq!(announced(APP_KEY, SELLER), Refusal::NotAuthorized(SELLER.to_owned()));
    client.simulator.add_seller(Seller::new("shopless"));
    assert_eq!(client.simulator.announce_end_at(APP_KEY, "shopless", 1), Ok(Vec::new()));
}

#[tokio::test]
async fn without_a_webhook_url_nothing_is_sent() {
    let (receiver, client, _) = two_shops().await;
    client.simulator.update_app(APP_KEY, |app| app.webhook_url = None).unwrap();
    let refusal = Refusal::NoWebhookUrl(APP_KEY.to_owned());
    assert_eq!(client.simulator.announce_end(APP_KEY, SELLER), Err(refusal.clone()));
    assert_eq!(client.simulator.send_notice(APP_KEY, Notice::deauthorized("s1")), Err(refusal));
    assert!(client.simulator.deauthorize_shop(APP_KEY, SELLER, "s1"));
    assert!(client.simulator.deauthorize(APP_KEY, SELLER));
    sleep(A_WHILE).await;
    assert!(receiver.posts().is_empty() && client.simulator.deliveries().is_empty());
}

#[tokio::test]
async fn a_notice_can_be_as_odd_as_a_test_likes() {
    let (receiver, client) = Receiver::with_client().await;
    let send = async |notice: Notice| {
        let id = client.simulator.send_notice(APP_KEY, notice).unwrap();
        assert!(client.simulator.delivered(&id, SOON).await);
        (id, receiver.posts().pop().unwrap())
    };
    let odd = Notice::new(-4711, r#"s"1"#).with_timestamp(17).with_notification_id("n").with_data(json!([1]));
    let (id, post) = send(odd).await;
    let expected =
        json!({ "type": -4711, "tts_notification_id": "n", "shop_id": r#"s"1"#, "timestamp": 17, "data": [1] });
    assert_eq!((id.as_str(), post.json()), ("n", expected));
    assert!(post.is_signed());

    let (id, post) = send(Notice::deauthorized("s1").signed_with("previous")).await;
    assert!(post.is_signed_with("previous") && post.text("tts_notification_id") == id);

    let (_, post) = send(Notice::deauthorized("s1").unsigned()).await;
    assert_eq!(post.authorization, None);

    let (_, post) = send(Notice::deauthorized("s1").with_spoiled_signature()).await;
    assert_eq!(post.authorization.as_ref().unwrap().len(), 64);
    assert!(!post.is_signed());

    let bytes = b"{\"type\":6,\xff".to_vec();
    let (_, post) = send(Notice::deauthorized("s1").with_body(bytes.clone())).await;
    assert!(post.is_signed() && post.body == bytes);
    let (_, post) = send(Notice::deauthorized("s1").with_body(bytes.clone()).unsigned()).await;
    assert!(post.authorization.is_none() && post.body == bytes);
}

#[tokio::test]
async fn notices_are_stamped_by_the_clock_that_signatures_go_by() {
    let (receiver, client) = Receiver::with_client().await;
    let machine_time = client.simulator.now();
    client.simulator.advance(1_000_000);
    for (by_machine, time) in [(false, machine_time + 1_000_000), (true, machine_time)] {
        client.simulator.configure(|settings| settings.timestamps_by_machine_clock = by_machine);
        let id = client.simulator.send_notice(APP_KEY, Notice::deauthorized("s1")).unwrap();
        assert!(client.simulator.delivered(&id, SOON).await);
        let stamped = receiver.posts().pop().unwrap().json()["timestamp"].as_u64().unwrap();
        assert!(stamped.abs_diff(time) <= 5);
    }
}

#[tokio::test]
async fn no_debug_output_of_notices_holds_a_secret() {
    let (receiver, client) = Receiver::with_client().await;
    let notice = Notice::deauthorized("s1").signed_with("previous-secret");
    let printed = format!("{notice:?}");
    let id = client.simulator.send_notice(APP_KEY, notice).unwrap();
    assert!(client.simulator.delivered(&id, SOON).await);
    let printed = format!("{printed} {:?} {:?}", client.simulator, client.simulator.deliveries());
    let signature = receiver.posts()[0].authorization.clone().unwrap();
    for secret in [APP_SECRET, "previous-secret", &signature] {
        assert!(!printed.contains(secret));
    }
}
