//! How long each example waits for a keyring that cannot answer now, and how long it remembers what it was told.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode};
use emulators::gateway::{Config, Credential, Gateway, Route};
use serde_json::json;
use tokio::net::TcpListener;

use super::{
    program::{Program, shell},
    setting::{MALL, SELLER},
};

const PROGRAMS: [Program; 3] = [Program::Python, Program::TypeScript, Program::Rust];
const ACCESS_KEY: &str = "AKIDORDERHUB";
const SECRET_KEY: &str = "any";

/// The variables for a keyring at this URL.
fn environment(keyring_url: String) -> Vec<(&'static str, String)> {
    vec![
        ("KEYRING_URL", keyring_url),
        ("AWS_REGION", "us-east-1".into()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.into()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.into()),
    ]
}

/// A keyring that answers everything alike; counts the requests.
async fn keyring(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: String,
) -> (Vec<(&'static str, String)>, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let router = Router::new().fallback(async move || {
        count.fetch_add(1, Ordering::Relaxed);
        let mut answer = axum::response::Response::new(axum::body::Body::from(body));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            answer.headers_mut().insert(*name, value.parse().unwrap());
        }
        answer
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (environment(url), requests)
}

fn problem(status: u16, code: &str) -> String {
    json!({ "status": status, "code": code, "detail": "As told." }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn some_attempts_are_made_and_none_that_is_far_away() {
    let cases: [(&'static [_], _); 2] = [(&[("retry-after", "1")], 3), (&[("retry-after", "900")], 1)];
    for (headers, attempts) in cases {
        for program in PROGRAMS {
            let (environment, requests) = keyring(503, headers, problem(503, "storage_unavailable")).await;
            let mut client = program.start(&environment);
            let said = client.call_one(SELLER).await;
            assert!(said.starts_with("storage_unavailable, try again later"), "{program:?}: {said}");
            assert_eq!(requests.load(Ordering::Relaxed), attempts, "{program:?}");
            drop(client.end().await);
        }
        let (environment, requests) = keyring(503, headers, problem(503, "storage_unavailable")).await;
        if let Some((well, said)) = shell(&environment, SELLER).await {
            assert!(!well && said.contains("storage_unavailable, try again later"), "{said}");
            assert_eq!(requests.load(Ordering::Relaxed), attempts);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_remembered_for_its_connection_and_a_fault_of_the_request_is_not() {
    let later: &[_] = &[("retry-after", "900")];
    for (status, headers, code, remembered) in [
        (404, &[] as &[_], "connection_not_found", true),
        (409, &[], "reauthorization_required", true),
        (410, &[], "disconnected", true),
        (503, later, "refresh_failed", true),
        (400, &[], "bad_request", false),
        // What is not in the table of docs/clients.md is not tried again, whatever it says.
        (501, later, "another", true),
        (501, &[], "another", false),
    ] {
        for program in PROGRAMS {
            let (environment, requests) = keyring(status, headers, problem(status, code)).await;
            let mut client = program.start(&environment);
            let said = client.call_one(SELLER).await;
            assert!(said.starts_with(code), "{program:?}: {said}");
            assert_eq!(requests.load(Ordering::Relaxed), 1, "{program:?} {code}");
            assert_eq!(client.call_one(SELLER).await, said, "{program:?}");
            assert_eq!(requests.load(Ordering::Relaxed), if remembered { 1 } else { 2 }, "{program:?} {code}");
            drop(client.call_one(MALL).await);
            assert_eq!(requests.load(Ordering::Relaxed), if remembered { 2 } else { 3 }, "{program:?} {code}");
            drop(client.end().await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_the_keyring_does_not_know_any_more_has_no_address() {
    let token = json!({
        "access_token": "token", "version": 1, "expires_at": "2100-01-01T00:00:00Z", "marketplace": "temu",
        "app": "us", "api": { "app_key": "key" },
    });
    let unknown = "call_failed, the keyring does not know the app";
    for program in PROGRAMS {
        let (environment, _) = keyring(200, &[("content-type", "application/json")], token.to_string()).await;
        let mut client = program.start(&environment);
        let said = client.call_one(MALL).await;
        assert!(said.starts_with(unknown), "{program:?}: {said}");
        drop(client.end().await);
    }
    let (environment, _) = keyring(200, &[], token.to_string()).await;
    if let Some((well, said)) = shell(&environment, MALL).await {
        assert!(!well && said.contains(unknown), "{said}");
    }
}

/// The keyring behind a path: what is signed is the path that arrives.
#[tokio::test(flavor = "multi_thread")]
async fn the_path_of_the_keyrings_address_is_signed_along() {
    // There is no function behind it, which only a well-signed request finds out.
    let mut config = Config::new("http://127.0.0.1:9");
    config.routes = vec![Route::iam("ANY /keyring/{proxy+}", "token-lookup")];
    config.credentials = vec![Credential::new(ACCESS_KEY, SECRET_KEY, "arn:aws:iam::123456789012:user/order-hub")];
    let gateway = Gateway::start(([127, 0, 0, 1], 0).into(), config).await.unwrap();
    let environment = environment(format!("{}/keyring/", gateway.url()));
    let mut forged = environment.clone();
    forged.push(("AWS_SECRET_ACCESS_KEY", "another".into()));
    let calls = PROGRAMS.map(async |program| {
        let said = program.start(&environment).call_one(SELLER).await;
        assert!(said.starts_with("http_500, see docs/errors.md"), "{program:?}: {said}");
        let said = program.start(&forged).call_one(SELLER).await;
        assert!(said.starts_with("http_403, see docs/errors.md"), "{program:?}: {said}");
    });
    futures_util::future::join_all(calls).await;
}
