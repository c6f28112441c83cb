use std::time::Duration;

use simulators::tiktok_shop::{App, Fault, Outcome, Region, Route, Trouble, When};

use super::client::{APP_KEY, APP_SECRET, Client, SELLER};

#[tokio::test]
async fn calls_are_logged_with_whose_they_were() {
    let client = Client::start().await;
    let (access, refresh) = client.tokens().await;
    client.refresh(&refresh).await.unwrap();
    client.shops(&access).await.unwrap();
    client.refresh("unknown").await.unwrap();
    client.get(client.url("/api/v2/token/get", &[("app_key", "nobody")]), None).await.unwrap();

    let calls = client.simulator.calls();
    let routes: Vec<_> = calls.iter().map(|call| call.route).collect();
    let expected = [Route::TokenGet, Route::TokenRefresh, Route::Shops, Route::TokenRefresh, Route::TokenGet];
    assert_eq!(routes, expected);
    for call in &calls[..3] {
        assert_eq!(call.app_key.as_deref(), Some(APP_KEY));
        assert_eq!(call.seller.as_deref(), Some(SELLER));
        assert_eq!((call.effect, call.concurrent), (Some(0), 1));
        assert_eq!(call.outcome, Outcome::Answered { status: 200, code: Some(0) });
        assert!(call.at.abs_diff(client.simulator.now()) <= 2);
    }
    assert_eq!(calls[1].grant, Some(1));
    assert_eq!((calls[3].seller.as_deref(), calls[3].effect), (None, Some(36_004_005)));
    assert_eq!(calls[4].app_key, None, "what is no app key may be anything");
    assert_eq!(client.simulator.effects(Route::TokenRefresh), 1);
}

#[tokio::test]
async fn the_peak_in_flight_is_seen() {
    let client = Client::start().await;
    let (_, refresh) = client.tokens().await;
    let latency = Trouble::Latency(When::BeforeEffect, Duration::from_secs(2));
    client.simulator.inject(Route::TokenRefresh, Fault::new(latency).times(3));
    let _ = tokio::join!(client.refresh(&refresh), client.refresh(&refresh), client.refresh("unknown"),);
    client.refresh(&refresh).await.unwrap();
    assert_eq!(client.simulator.peak_in_flight(Route::TokenRefresh), 3);
    assert_eq!(client.simulator.peak_in_flight_for(Route::TokenRefresh, SELLER), 2);
    assert_eq!(client.simulator.calls_to(Route::TokenRefresh)[3].concurrent, 1);
    assert_eq!(client.simulator.peak_in_flight(Route::Shops), 0);
}

#[tokio::test]
async fn no_debug_output_holds_a_secret() {
    let client = Client::start().await;
    let (access, refresh) = client.tokens().await;
    client.refresh(&refresh).await.unwrap();
    client.shops(&access).await.unwrap();
    // A client that mixes its parameters up must not get its secret into the log.
    let mixed_up = [("app_key", APP_SECRET), ("app_secret", APP_KEY)];
    client.get(client.url("/api/v2/token/get", &mixed_up), None).await.unwrap();

    let app = App::new(APP_KEY, APP_SECRET, "1", Region::Us);
    let printed = format!("{:?} {:?} {app:?}", client.simulator, client.simulator.calls());
    let secrets = client.simulator.secrets();
    assert_eq!(secrets.len(), 6, "app secret, code and two pairs");
    for secret in secrets {
        assert!(!printed.contains(&secret));
    }
}
