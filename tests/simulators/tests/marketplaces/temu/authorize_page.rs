use reqwest::header::{CONTENT_TYPE, LOCATION};
use simulators::temu::{Mall, MallType, Seller};
use url::{Url, form_urlencoded};

use super::client::{APP_KEY, Client, MALL, SELLER, parameter};

const REDIRECT_URI: (&str, &str) = ("redirect_uri", "http://localhost:9/callback");

fn url(client: &Client, query: &[(&str, &str)]) -> Url {
    let base = client.simulator.seller_centre_url();
    let mut url: Url = format!("{base}/open-platform/client-manage/authorization").parse().unwrap();
    url.query_pairs_mut().extend_pairs(query);
    url
}

async fn page(client: &Client, query: &[(&str, &str)]) -> (u16, String) {
    let response = client.http.get(url(client, query)).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn post(client: &Client, form: &[(&str, &str)]) -> reqwest::Response {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs([("appKey", APP_KEY), REDIRECT_URI]).extend_pairs(form);
    let request = client.http.post(url(client, &[])).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(body.finish()).send().await.unwrap()
}

fn location(response: &reqwest::Response) -> Url {
    assert_eq!(response.status(), 302);
    response.headers()[LOCATION].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_page_offers_the_accounts_that_can_and_keeps_the_state() {
    let client = Client::start().await;
    client.simulator.add_seller(Seller::new("bob").with_mall(Mall::new(9, MallType::SemiManaged)));
    let (status, body) = page(&client, &[("appKey", APP_KEY), REDIRECT_URI, ("state", r#"a"b"#)]).await;
    assert_eq!(status, 200);
    assert!(body.contains(r#"name="seller" value="ann""#) && !body.contains(r#"value="bob""#));
    assert!(body.contains(r#"name="state" value="a&quot;b""#));
    assert!(body.contains(r#"value="approve""#) && body.contains(r#"value="deny""#));
}

#[tokio::test]
async fn only_the_registered_redirect_uri_gets_a_form() {
    let client = Client::start().await;
    for (query, expected) in [
        (vec![], 404),
        (vec![("appKey", "nobody"), REDIRECT_URI], 404),
        (vec![("appKey", APP_KEY)], 400),
        (vec![("appKey", APP_KEY), ("redirect_uri", "http://localhost:9/other")], 400),
        (vec![("appKey", APP_KEY), ("redirect_uri", "http://localhost:9/callback?x=1")], 400),
    ] {
        let (status, body) = page(&client, &query).await;
        assert_eq!(status, expected, "{query:?}");
        assert!(!body.contains("<form"));
    }
    client.simulator.update_app(APP_KEY, |app| app.redirect_url = None).unwrap();
    assert_eq!(page(&client, &[("appKey", APP_KEY), REDIRECT_URI]).await.0, 400);
    assert_eq!(post(&client, &[("seller", SELLER), ("decision", "approve")]).await.status(), 400);
}

#[tokio::test]
async fn approving_leads_to_a_callback_whose_code_works() {
    let client = Client::start().await;
    let form = [("state", "opaque+/="), ("seller", SELLER), ("decision", "approve")];
    let callback = location(&post(&client, &form).await);
    assert!(callback.as_str().starts_with("http://localhost:9/callback?app_key=us-app&code="));
    assert_eq!(parameter(&callback, "state").as_deref(), Some("opaque+/="));
    assert_eq!(parameter(&callback, "callback_host").as_deref(), Some("openapi-b-us.temu.com"));
    let result = client.create(&parameter(&callback, "code").unwrap()).await.unwrap().result();
    let token = result["accessToken"].as_str().unwrap();
    assert_eq!(client.info(token).await.unwrap().result()["mallId"], MALL);
}

#[tokio::test]
async fn denying_leads_to_a_callback_without_a_code() {
    let client = Client::start().await;
    let callback = location(&post(&client, &[("state", "s"), ("decision", "deny")]).await);
    assert_eq!(parameter(&callback, "code"), None);
    assert_eq!(callback, client.simulator.deny(APP_KEY, Some("s")).unwrap());
}

#[tokio::test]
async fn what_cannot_be_approved_is_refused_with_a_reason() {
    let client = Client::start().await;
    assert_eq!(post(&client, &[("decision", "approve")]).await.status(), 400);
    assert_eq!(post(&client, &[("seller", "nobody"), ("decision", "approve")]).await.status(), 404);
    let sub = post(&client, &[("seller", SELLER), ("sub_account", "yes"), ("decision", "approve")]).await;
    assert_eq!(sub.status(), 403);
    assert!(sub.text().await.unwrap().contains("Sub-accounts cannot authorize"));
    assert_eq!(client.simulator.secrets().len(), 4, "no code was minted");
}
