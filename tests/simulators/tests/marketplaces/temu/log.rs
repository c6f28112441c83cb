use std::time::Duration;

use serde_json::json;
use simulators::temu::{App, Fault, Outcome, Region, Route, Router, Trouble, When, code};

use super::client::{APP_KEY, Client, GOODS, MALL, ORDERS, secret};

#[tokio::test]
async fn calls_are_logged_with_whose_they_were() {
    let client = Client::start().await;
    let code = client.code();
    let token = client.create(&code).await.unwrap().result()["accessToken"].as_str().unwrap().to_owned();
    client.info(&token).await.unwrap();
    client.call(Router::Us, APP_KEY, ORDERS, &token).await.unwrap();
    client.call(Router::Us, APP_KEY, GOODS, &token).await.unwrap();
    client.info("unknown").await.unwrap();
    client.call(Router::Us, "nobody", "bg.nonsense", &token).await.unwrap();

    let calls = client.simulator.calls();
    let routes: Vec<_> = calls.iter().map(|call| call.route).collect();
    let expected =
        [Route::TokenCreate, Route::TokenInfo, Route::OrderList, Route::GoodsList, Route::TokenInfo, Route::Other];
    assert_eq!(routes, expected);
    for call in &calls[..4] {
        assert_eq!(call.app_key.as_deref(), Some(APP_KEY));
        assert_eq!(call.seller, Some(MALL.to_string()));
        assert_eq!((call.effect, call.concurrent), (Some(code::SUCCESS), 1));
        assert_eq!(call.outcome, Outcome::Answered { status: 200, code: Some(code::SUCCESS) });
        assert!(call.at.abs_diff(client.simulator.now()) <= 2);
    }
    assert_eq!((calls[0].grant, calls[1].grant), (None, Some(1)));
    assert_eq!((calls[4].seller.as_deref(), calls[4].effect), (None, Some(code::TOKEN_UNKNOWN)));
    assert_eq!(calls[5].app_key, None, "what is no app key may be anything");
    assert_eq!(client.simulator.effects(Route::TokenInfo), 1);
}

#[tokio::test]
async fn the_peak_in_flight_is_seen() {
    let client = Client::start().await;
    let token = client.token();
    let latency = Trouble::Latency(When::BeforeEffect, Duration::from_secs(2));
    client.simulator.inject(Route::TokenInfo, Fault::new(latency).times(3));
    let _ = tokio::join!(client.info(&token), client.info(&token), client.info("unknown"));
    client.info(&token).await.unwrap();
    assert_eq!(client.simulator.peak_in_flight(Route::TokenInfo), 3);
    assert_eq!(client.simulator.peak_in_flight_for(Route::TokenInfo, MALL), 2);
    assert_eq!(client.simulator.peak_in_flight(Route::TokenCreate), 0);
    // The fourth came two seconds later.
    assert_eq!(client.simulator.busiest_second(APP_KEY), 3);
}

#[tokio::test]
async fn no_debug_output_holds_a_secret() {
    let client = Client::start().await;
    let code = client.code();
    client.create(&code).await.unwrap();
    client.info(&client.token()).await.unwrap();
    // A client that mixes its members up must not get its secret into the log.
    let mixed_up = json!({ "app_key": secret(APP_KEY), "type": secret(APP_KEY), "sign": code });
    client.post(Router::Us, mixed_up.to_string()).await.unwrap();

    let app = App::new(APP_KEY, secret(APP_KEY), Region::Us);
    let printed = format!("{:?} {:?} {app:?}", client.simulator, client.simulator.calls());
    let secrets = client.simulator.secrets();
    assert_eq!(secrets.len(), 7, "four app secrets, a code and two tokens");
    for secret in secrets {
        assert!(!printed.contains(&secret));
    }
}
