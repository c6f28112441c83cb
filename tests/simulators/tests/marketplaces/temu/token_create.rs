use serde_json::json;
use simulators::temu::{Mall, MallType, Purpose, Route, Router, code};

use super::client::{APP_KEY, CREATE, Client, MALL, SELLER, parameter};

#[tokio::test]
async fn a_code_becomes_a_token_that_works() {
    let client = Client::start().await;
    let answer = client.create(&client.code()).await.unwrap();
    assert_eq!((answer.status, answer.code()), (200, code::SUCCESS));
    let token = answer.result()["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(client.simulator.token_of(APP_KEY, MALL, Purpose::All), Some(token.clone()));
    assert!(answer.result().get("associatedMallTokenList").is_none());
    assert_eq!(client.info(&token).await.unwrap().result()["mallId"], MALL);
}

#[tokio::test]
async fn several_local_malls_are_answered_together() {
    let client = Client::start().await;
    client.simulator.add_mall(SELLER, Mall::new(77, MallType::Local)).unwrap();
    let result = client.create(&client.code()).await.unwrap().result();
    assert_eq!(result["associatedMallTokenList"][0]["mallId"], 77);
    let token = result["associatedMallTokenList"][0]["accessToken"].as_str().unwrap();
    assert_eq!(client.info(token).await.unwrap().result()["mallId"], 77);
}

#[tokio::test]
async fn codes_are_for_once_and_for_ten_minutes() {
    let client = Client::start().await;
    let code = client.code();
    assert_eq!(client.create(&code).await.unwrap().code(), code::SUCCESS);
    assert_eq!(client.create(&code).await.unwrap().code(), code::AUTHORIZE_AGAIN);
    assert_eq!(client.simulator.effects(Route::TokenCreate), 1);
    let late = client.code();
    client.simulator.advance(601);
    assert_eq!(client.create(&late).await.unwrap().code(), code::AUTHORIZE_AGAIN);
    assert_eq!(client.create("unknown").await.unwrap().code(), code::INVALID_CODE);
}

#[tokio::test]
async fn the_code_stands_in_for_the_token() {
    let client = Client::start().await;
    let code = client.code();
    let without = client.send(Router::Us, APP_KEY, json!({ "type": CREATE, "code": code })).await.unwrap();
    assert_eq!(without.code(), code::TOKEN_MISSING);
    let code_only_as_token = json!({ "type": CREATE, "access_token": code });
    let answer = client.send(Router::Us, APP_KEY, code_only_as_token).await.unwrap();
    assert_eq!(answer.code(), code::INVALID_CODE);
    assert_eq!(client.info(&code).await.unwrap().code(), code::TOKEN_UNKNOWN);
    assert_eq!(client.create(&code).await.unwrap().code(), code::SUCCESS);
}

#[tokio::test]
async fn the_callback_names_app_state_and_host() {
    let client = Client::start().await;
    let callback = client.simulator.authorize(APP_KEY, SELLER, Some("opaque+/=")).unwrap();
    assert!(callback.as_str().starts_with("http://localhost:9/callback?app_key=us-app&code="));
    assert_eq!(parameter(&callback, "state").as_deref(), Some("opaque+/="));
    assert_eq!(parameter(&callback, "callback_host").as_deref(), Some("openapi-b-us.temu.com"));

    client.simulator.configure(|settings| settings.callback_host = Some("evil.example".to_owned()));
    let denied = client.simulator.deny(APP_KEY, Some("s")).unwrap();
    assert_eq!(parameter(&denied, "code"), None);
    assert_eq!(parameter(&denied, "callback_host").as_deref(), Some("evil.example"));
}
