//! What callers are answered, and what of it is logged.

use std::time::Duration;

use axum::http::Method;

use super::{functions, gateway, gateway_with_timeout, refusal};
use crate::clients::http;

#[tokio::test]
async fn a_whole_answer() {
    let gateway = gateway().await;
    let response = http().get(format!("{}/answers/whole", gateway.url())).send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/done");
    assert_eq!(response.headers()["x-number"], "7");
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; HttpOnly", "b=2"]);
    assert_eq!(response.text().await.unwrap(), "");
}

#[tokio::test]
async fn bodies() {
    let gateway = gateway().await;
    let cases: [(&str, u16, &str, &[u8]); 3] = [
        ("binary", 200, "image/png", &[0, 159, 146, 150]),
        ("text", 404, "text/plain;charset=UTF-8", b"no"),
        ("bare", 200, "application/json", br#"{"hello":"world"}"#),
    ];
    for (name, status, content_type, body) in cases {
        let response = http().get(format!("{}/answers/{name}", gateway.url())).send().await.unwrap();
        assert_eq!(response.status(), status, "{name}");
        assert_eq!(response.headers()["content-type"], content_type, "{name}");
        assert_eq!(response.bytes().await.unwrap(), body, "{name}");
    }
}

#[tokio::test]
async fn the_gateways_own_answers() {
    let gateway = gateway().await;
    let cases = [
        ("/nowhere", 404, "Not Found"),
        ("/connect/s/temu", 404, "Not Found"),
        ("/v1/connections", 403, "Forbidden"),
        ("/answers/malformed", 500, "Internal Server Error"),
        ("/failing", 500, "Internal Server Error"),
        ("/throttled", 503, "Service Unavailable"),
    ];
    for (path, status, message) in cases {
        let response = http().get(format!("{}{path}", gateway.url())).send().await.unwrap();
        assert_eq!(refusal(response).await, (status, message.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_function_that_takes_too_long() {
    let gateway = gateway_with_timeout(Duration::from_millis(100)).await;
    let response = http().get(format!("{}/slow", gateway.url())).send().await.unwrap();
    assert_eq!(refusal(response).await, (503, "Service Unavailable".to_owned()));
}

#[tokio::test]
async fn bodies_over_10_megabytes_are_refused() {
    let gateway = gateway().await;
    let post = |length: usize| {
        let request = http().post(format!("{}/connect/s/temu", gateway.url()));
        request.header("content-type", "text/plain").body("x".repeat(length)).send()
    };
    assert_eq!(post(10 * 1024 * 1024).await.unwrap().status(), 500, "the fake Lambda API takes 2 MB");
    // The rest of the body may still be under way when the gateway closes the connection.
    if let Ok(response) = post(10 * 1024 * 1024 + 1).await {
        assert_eq!(refusal(response).await, (413, "Request Entity Too Large".to_owned()));
    }
    assert_eq!(gateway.accesses().last().unwrap().status, 413);
}

#[tokio::test]
async fn a_runtime_that_is_gone_and_one_that_comes() {
    let gateway = gateway().await;
    gateway.set_invoke_endpoint("http://127.0.0.1:1");
    let call = || http().get(format!("{}/connect/s", gateway.url())).send();
    assert_eq!(call().await.unwrap().status(), 500);
    gateway.set_invoke_endpoint(&functions::start().await);
    assert_eq!(call().await.unwrap().status(), 200);
}

#[tokio::test]
async fn accesses_are_logged_without_paths() {
    let gateway = gateway().await;
    http().get(format!("{}/connect/secret-session", gateway.url())).send().await.unwrap();
    http().get(format!("{}/nowhere", gateway.url())).send().await.unwrap();
    let accesses = gateway.accesses();
    let seen: Vec<_> = accesses.iter().map(|a| (&a.method, a.route_key.as_deref(), a.status)).collect();
    assert_eq!(seen, [(&Method::GET, Some("GET /connect/{session}"), 200), (&Method::GET, None, 404)]);
    assert!(!format!("{gateway:?}").contains("secret-session"));
}
