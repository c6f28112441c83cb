use std::time::{Duration, Instant};

use simulators::tiktok_shop::{Fault, Outcome, Rotation, Route, Seller, Trouble, When};
use tokio::time::{sleep, timeout};

use super::client::{APP_KEY, Client};

/// A client at a strict platform: whether a refresh took effect shows in the old token.
async fn strict() -> (Client, String) {
    let client = Client::start().await;
    client.simulator.configure(|settings| settings.rotation = Rotation::OneTime);
    let (_, refresh) = client.tokens().await;
    (client, refresh)
}

fn once(trouble: Trouble) -> Fault {
    Fault::new(trouble).times(1)
}

#[tokio::test]
async fn errors_strike_before_or_after_the_effect() {
    for (when, survives) in [(When::BeforeEffect, true), (When::AfterEffect, false)] {
        for (trouble, status, code) in [
            (Trouble::ServerError(when), 500, None),
            (Trouble::internal(when), 200, Some(36_009_003)),
            (Trouble::timed_out(when), 200, Some(36_009_007)),
            (Trouble::answer(when, 4711, "odd"), 200, Some(4711)),
        ] {
            let (client, refresh) = strict().await;
            client.simulator.inject(Route::TokenRefresh, once(trouble.clone()));
            let answer = client.refresh(&refresh).await.unwrap();
            assert_eq!(answer.status, status, "{trouble:?}");
            if let Some(code) = code {
                assert_eq!(answer.code(), code);
            }
            assert_eq!(client.simulator.accepts(&refresh), survives, "{trouble:?}");
            let call = client.simulator.calls_to(Route::TokenRefresh).remove(0);
            assert_eq!(call.effect, (!survives).then_some(0));
            assert_eq!(call.outcome, Outcome::Answered { status, code });
        }
    }
}

#[tokio::test]
async fn a_connection_drops_before_or_after_the_effect() {
    for (when, survives) in [(When::BeforeEffect, true), (When::AfterEffect, false)] {
        let (client, refresh) = strict().await;
        client.simulator.inject(Route::TokenRefresh, once(Trouble::Drop(when)));
        let error = client.refresh(&refresh).await.unwrap_err();
        assert!(error.is_request() && !error.is_timeout(), "{error:?}");
        assert_eq!(client.simulator.accepts(&refresh), survives);
        let calls = client.simulator.calls_to(Route::TokenRefresh);
        assert_eq!(calls.len(), 1, "the client's own retry would spoil every count");
        assert_eq!(calls[0].outcome, Outcome::Unanswered);
        let next = client.refresh(&refresh).await.unwrap();
        assert_eq!(next.code(), if survives { 0 } else { 36_004_005 });
    }
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let (client, refresh) = strict().await;
    let limited = |retry_after| once(Trouble::RateLimited { retry_after });
    client.simulator.inject(Route::TokenRefresh, limited(Some(17)));
    client.simulator.inject(Route::TokenRefresh, limited(None));
    let answer = client.refresh(&refresh).await.unwrap();
    assert_eq!((answer.status, answer.code()), (429, 36_009_002));
    assert_eq!(answer.retry_after.as_deref(), Some("17"));
    assert_eq!(client.refresh(&refresh).await.unwrap().retry_after, None);
    assert_eq!(client.refresh(&refresh).await.unwrap().code(), 0);
}

#[tokio::test]
async fn spoiled_bodies_come_after_the_effect() {
    let (client, refresh) = strict().await;
    client.simulator.inject(Route::TokenRefresh, once(Trouble::Malformed));
    let answer = client.refresh(&refresh).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_err());
    assert!(!client.simulator.accepts(&refresh));

    let (client, refresh) = strict().await;
    client.simulator.inject(Route::TokenRefresh, once(Trouble::Truncated));
    let error = client.refresh(&refresh).await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "the headers had arrived: {error:?}");
    assert!(!client.simulator.accepts(&refresh));
}

#[tokio::test]
async fn latency_before_the_effect_outlives_a_caller_who_hangs_up() {
    let (client, refresh) = strict().await;
    let latency = Trouble::Latency(When::BeforeEffect, Duration::from_millis(300));
    client.simulator.inject(Route::TokenRefresh, once(latency));
    let call = client.refresh(&refresh);
    assert!(timeout(Duration::from_millis(100), call).await.is_err());
    assert!(client.simulator.accepts(&refresh), "not yet");
    sleep(Duration::from_millis(500)).await;
    assert!(!client.simulator.accepts(&refresh));
    let call = client.simulator.calls_to(Route::TokenRefresh).remove(0);
    assert_eq!((call.effect, call.outcome), (Some(0), Outcome::Unanswered));
}

#[tokio::test]
async fn latency_delays_and_goes_together_with_other_troubles() {
    let (client, refresh) = strict().await;
    let latency = Trouble::Latency(When::AfterEffect, Duration::from_millis(150));
    client.simulator.inject(Route::TokenRefresh, once(latency));
    client.simulator.inject(Route::TokenRefresh, once(Trouble::ServerError(When::AfterEffect)));
    let started = Instant::now();
    assert_eq!(client.refresh(&refresh).await.unwrap().status, 500);
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_call_hangs_until_the_faults_are_cleared() {
    for (when, survives) in [(When::BeforeEffect, true), (When::AfterEffect, false)] {
        let (client, refresh) = strict().await;
        client.simulator.inject(Route::TokenRefresh, Fault::new(Trouble::Hang(when)));
        let clearing = async {
            sleep(Duration::from_millis(200)).await;
            assert_eq!(client.simulator.accepts(&refresh), survives);
            client.simulator.clear_faults(Route::TokenRefresh);
        };
        let started = Instant::now();
        let (answer, ()) = tokio::join!(client.refresh(&refresh), clearing);
        assert!(answer.is_err());
        assert!(started.elapsed() >= Duration::from_millis(200));
    }
}

#[tokio::test]
async fn faults_keep_to_their_route_their_number_and_their_seller() {
    let (client, refresh) = strict().await;
    client.simulator.add_seller(Seller::new("bob"));
    let internal = Fault::new(Trouble::internal(When::BeforeEffect));
    client.simulator.inject(Route::TokenGet, internal.clone().for_seller("bob").times(2));

    assert_eq!(client.refresh(&refresh).await.unwrap().code(), 0);
    assert_eq!(client.exchange(&client.code()).await.unwrap().code(), 0);
    let callback = client.simulator.authorize(APP_KEY, "bob", None).unwrap();
    let code = super::client::parameter(&callback, "code").unwrap();
    for expected in [36_009_003, 36_009_003, 0] {
        assert_eq!(client.exchange(&code).await.unwrap().code(), expected);
    }

    let (access, _) = client.tokens().await;
    client.simulator.inject(Route::Shops, internal);
    for _ in 0..3 {
        assert_eq!(client.shops(&access).await.unwrap().code(), 36_009_003);
    }
    client.simulator.clear_faults(Route::Shops);
    assert_eq!(client.shops(&access).await.unwrap().code(), 0);
}

#[tokio::test]
async fn an_address_off_the_list_is_told_so() {
    let (client, refresh) = strict().await;
    client.simulator.inject(Route::TokenRefresh, once(Trouble::ip_not_allowed()));
    assert_eq!(client.refresh(&refresh).await.unwrap().code(), 36_009_033);
    assert!(client.simulator.accepts(&refresh));
}
