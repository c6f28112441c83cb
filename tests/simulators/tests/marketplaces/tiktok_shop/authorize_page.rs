use reqwest::header::{CONTENT_TYPE, LOCATION};
use simulators::tiktok_shop::{App, Refusal, Region, Seller};
use url::{Url, form_urlencoded};

use super::client::{APP_KEY, Client, SELLER, SERVICE_ID, parameter};

async fn post(client: &Client, form: &[(&str, &str)]) -> reqwest::Response {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    client
        .http
        .post(client.url("/open/authorize", &[]))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap()
}

fn location(response: &reqwest::Response) -> Url {
    assert_eq!(response.status(), 302);
    response.headers()[LOCATION].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_page_offers_the_sellers_and_keeps_the_state() {
    let client = Client::start().await;
    let mut sly = Seller::new("bob");
    sly.name = Some("<script>alert(1)</script>".to_owned());
    client.simulator.add_seller(sly);

    let query = [("service_id", SERVICE_ID), ("state", r#"a"b"#)];
    let page = client.get(client.url("/open/authorize", &query), None).await.unwrap();
    assert_eq!(page.status, 200);
    assert!(page.body.contains(r#"name="seller" value="ann""#));
    assert!(page.body.contains(r#"name="seller" value="bob""#));
    assert!(page.body.contains(r#"name="state" value="a&quot;b""#));
    assert!(page.body.contains(r#"value="authorize""#) && page.body.contains(r#"value="deny""#));
    assert!(!page.body.contains("<script"));
}

#[tokio::test]
async fn an_unknown_service_id_gets_no_form() {
    let client = Client::start().await;
    let query = [("service_id", "nobody")];
    let page = client.get(client.url("/open/authorize", &query), None).await.unwrap();
    assert_eq!(page.status, 404);
    assert!(!page.body.contains("<form"));
}

#[tokio::test]
async fn authorizing_leads_to_a_callback_whose_code_works() {
    let client = Client::start().await;
    let form = [("service_id", SERVICE_ID), ("state", "opaque+/="), ("seller", SELLER), ("decision", "authorize")];
    let callback = location(&post(&client, &form).await);
    assert!(callback.as_str().starts_with("http://localhost:9/callback?app_key=29a39d&code=TTP_"));
    assert_eq!(parameter(&callback, "locale").as_deref(), Some("en"));
    assert_eq!(parameter(&callback, "shop_region").as_deref(), Some("US"));
    assert_eq!(parameter(&callback, "state").as_deref(), Some("opaque+/="));

    let code = parameter(&callback, "code").unwrap();
    assert_eq!(client.exchange(&code).await.unwrap().data("open_id"), SELLER);
}

#[tokio::test]
async fn denying_leads_to_a_callback_with_the_text_null() {
    let client = Client::start().await;
    let form = [("service_id", SERVICE_ID), ("state", "s"), ("decision", "deny")];
    let callback = location(&post(&client, &form).await);
    assert_eq!(callback.as_str(), "http://localhost:9/callback?app_key=29a39d&code=null&error=auth_denied&state=s");
    assert_eq!(callback, client.simulator.deny(APP_KEY, Some("s")).unwrap());
    assert_eq!(client.exchange("null").await.unwrap().code(), 36_004_004);
}

#[tokio::test]
async fn an_install_from_the_platforms_store_has_no_state() {
    let client = Client::start().await;
    let form = [("service_id", SERVICE_ID), ("seller", SELLER), ("decision", "authorize")];
    let callback = location(&post(&client, &form).await);
    assert_eq!(parameter(&callback, "state"), None);
    let callback = client.simulator.authorize(APP_KEY, SELLER, None).unwrap();
    assert_eq!(parameter(&callback, "state"), None);
}

#[tokio::test]
async fn what_cannot_be_authorized_is_refused_with_a_reason() {
    let client = Client::start().await;
    let form = [("service_id", SERVICE_ID), ("seller", "nobody"), ("decision", "authorize")];
    assert_eq!(post(&client, &form).await.status(), 400);
    assert_eq!(post(&client, &[("service_id", SERVICE_ID), ("decision", "authorize")]).await.status(), 400);

    client.simulator.add_app(App::new("new", "new-secret", "7002", Region::Global));
    let refusal = client.simulator.authorize("new", SELLER, None).unwrap_err();
    assert_eq!(refusal, Refusal::NoRedirectUrl("new".to_owned()));
    client.simulator.update_app("new", |app| app.redirect_url = "http://localhost:9/new".parse().ok()).unwrap();
    let callback = client.simulator.authorize("new", SELLER, None).unwrap();
    assert!(callback.as_str().starts_with("http://localhost:9/new?app_key=new&code=ROW_"));
}
