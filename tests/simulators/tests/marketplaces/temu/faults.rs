use std::time::{Duration, Instant};

use simulators::temu::{Fault, Mall, MallType, Outcome, Purpose, Route, Trouble, When, code};
use tokio::time::sleep;

use super::client::{APP_KEY, Client, MALL, SELLER};

fn once(trouble: Trouble) -> Fault {
    Fault::new(trouble).times(1)
}

#[tokio::test]
async fn errors_strike_before_or_after_the_effect() {
    let client = Client::start().await;
    for (when, survives) in [(When::BeforeEffect, true), (When::AfterEffect, false)] {
        for (trouble, status, code) in [
            (Trouble::ServerError(when), 500, None),
            (Trouble::internal(when), 200, Some(code::SYSTEM)),
            (Trouble::answer(when, 4711, "odd"), 200, Some(4711)),
            (Trouble::Answer { when, status: 503, code: 1, message: String::new() }, 503, Some(1)),
        ] {
            let authorization = client.code();
            client.simulator.inject(Route::TokenCreate, once(trouble.clone()));
            let answer = client.create(&authorization).await.unwrap();
            assert_eq!(answer.status, status, "{trouble:?}");
            if let Some(code) = code {
                assert_eq!(answer.code(), code);
            }
            let call = client.simulator.calls_to(Route::TokenCreate).pop().unwrap();
            assert_eq!(call.effect, (!survives).then_some(code::SUCCESS));
            assert_eq!(call.outcome, Outcome::Answered { status, code });
            let again = client.create(&authorization).await.unwrap().code();
            assert_eq!(again, if survives { code::SUCCESS } else { code::AUTHORIZE_AGAIN });
        }
    }
}

#[tokio::test]
async fn a_connection_drops_before_or_after_the_effect() {
    let client = Client::start().await;
    for (when, expected) in [(When::BeforeEffect, code::SUCCESS), (When::AfterEffect, code::AUTHORIZE_AGAIN)] {
        let authorization = client.code();
        client.simulator.inject(Route::TokenCreate, once(Trouble::Drop(when)));
        assert!(client.create(&authorization).await.unwrap_err().is_request());
        assert_eq!(client.create(&authorization).await.unwrap().code(), expected);
    }
}

#[tokio::test]
async fn known_errors_are_in_the_platforms_words() {
    let client = Client::start().await;
    let token = client.token();
    client.simulator.inject(Route::TokenInfo, once(Trouble::RateLimited { retry_after: Some(7) }));
    client.simulator.inject(Route::TokenInfo, once(Trouble::ip_not_allowed()));
    let limited = client.info(&token).await.unwrap();
    assert_eq!((limited.status, limited.code()), (200, code::RATE_LIMITED));
    assert_eq!(limited.retry_after.as_deref(), Some("7"));
    assert_eq!(client.info(&token).await.unwrap().code(), code::IP_NOT_ALLOWED);
    assert_eq!(client.info(&token).await.unwrap().code(), code::SUCCESS);
}

#[tokio::test]
async fn spoiled_bodies_are_no_json() {
    let client = Client::start().await;
    let token = client.token();
    client.simulator.inject(Route::TokenInfo, once(Trouble::Malformed));
    client.simulator.inject(Route::TokenInfo, once(Trouble::Truncated));
    let malformed = client.info(&token).await.unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&malformed.body).is_err());
    let truncated = client.info(&token).await.unwrap_err();
    assert!(truncated.is_body() || truncated.is_decode(), "the headers had arrived: {truncated:?}");
}

#[tokio::test]
async fn calls_are_late_or_hang() {
    let client = Client::start().await;
    let token = client.token();
    let delay = Duration::from_millis(150);
    client.simulator.inject(Route::TokenInfo, once(Trouble::Latency(When::AfterEffect, delay)));
    let started = Instant::now();
    assert_eq!(client.info(&token).await.unwrap().code(), code::SUCCESS);
    assert!(started.elapsed() >= delay);

    client.simulator.inject(Route::TokenInfo, Fault::new(Trouble::Hang(When::BeforeEffect)));
    let clearing = async {
        sleep(Duration::from_millis(200)).await;
        client.simulator.clear_faults(Route::TokenInfo);
    };
    let (answer, ()) = tokio::join!(client.info(&token), clearing);
    assert!(answer.is_err());
    assert_eq!(client.info(&token).await.unwrap().code(), code::SUCCESS);
}

#[tokio::test]
async fn faults_keep_to_their_route_their_number_and_their_mall() {
    let client = Client::start().await;
    client.simulator.add_mall(SELLER, Mall::new(77, MallType::Local)).unwrap();
    let token = client.token();
    let other = client.simulator.issue(APP_KEY, 77, Purpose::All).unwrap();
    let fault = Fault::new(Trouble::answer(When::BeforeEffect, code::SYSTEM, "System error"));
    client.simulator.inject(Route::TokenInfo, fault.for_seller("77").times(2));
    assert_eq!(client.info(&token).await.unwrap().code(), code::SUCCESS);
    for expected in [code::SYSTEM, code::SYSTEM, code::SUCCESS] {
        assert_eq!(client.info(&other).await.unwrap().code(), expected);
    }
    let create = Fault::new(Trouble::internal(When::BeforeEffect));
    client.simulator.inject(Route::TokenCreate, create.for_seller(MALL.to_string()).times(1));
    assert_eq!(client.create(&client.code()).await.unwrap().code(), code::SYSTEM);
}
