//! The gateway, with a fake Lambda API behind it.

mod events;
mod functions;
mod responses;
mod signatures;

use std::time::Duration;

use emulators::gateway::{Config, Credential, Gateway, Route};
use serde_json::Value;

use crate::clients;

pub(crate) const ACCESS_KEY_ID: &str = "AKIDGATEWAY";
pub(crate) const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const USER_ARN: &str = "arn:aws:iam::123456789012:user/order-hub";

pub(crate) fn known_credentials() -> Vec<Credential> {
    let temporary = Credential::new("ASIDGATEWAY", SECRET_ACCESS_KEY, USER_ARN).with_session_token("session/token+1==");
    vec![Credential::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, USER_ARN), temporary]
}

/// A gateway with the functions of [`functions`] behind it.
pub(crate) async fn gateway() -> Gateway {
    gateway_with_timeout(Duration::from_secs(30)).await
}

pub(crate) async fn gateway_with_timeout(timeout: Duration) -> Gateway {
    let mut config = Config::new(functions::start().await);
    config.integration_timeout = timeout;
    config.credentials = known_credentials();
    config.routes = vec![
        Route::iam("ANY /v1/{proxy+}", "echo"),
        Route::open("GET /connect/{session}", "echo"),
        Route::open("POST /connect/{session}/temu", "echo"),
        Route::open("GET /answers/{name}", "answers"),
        Route::open("GET /failing", "failing"),
        Route::open("GET /slow", "slow"),
        Route::open("GET /throttled", "throttled"),
    ];
    Gateway::start(clients::loopback(), config).await.unwrap()
}

/// The event as the echo function got it.
pub(crate) async fn event_in(response: reqwest::Response) -> Value {
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// Status and message of a refusal.
pub(crate) async fn refusal(response: reqwest::Response) -> (u16, String) {
    assert_eq!(response.headers()["content-type"], "application/json");
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["message"].as_str().unwrap().to_owned())
}
