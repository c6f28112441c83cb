//! How long each example waits for a keyring that cannot answer now.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode};
use tokio::net::TcpListener;

use crate::{
    program::{Program, shell},
    setting::SELLER,
};

/// A keyring that answers everything with 503 and this `Retry-After`; counts the requests.
async fn out_of_order(retry_after: &'static str) -> (Vec<(&'static str, String)>, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let router = Router::new().fallback(async move || {
        count.fetch_add(1, Ordering::Relaxed);
        let headers = [("retry-after", retry_after), ("content-type", "application/problem+json")];
        (StatusCode::SERVICE_UNAVAILABLE, headers, r#"{"status":503,"code":"storage_unavailable","detail":"Later."}"#)
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let environment = [
        ("KEYRING_URL", url.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDORDERHUB"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
    ];
    (environment.map(|(name, value)| (name, value.to_owned())).into(), requests)
}

#[tokio::test(flavor = "multi_thread")]
async fn some_attempts_are_made_and_none_that_is_far_away() {
    for (retry_after, attempts) in [("1", 3), ("900", 1)] {
        for program in [Program::Python, Program::TypeScript, Program::Rust] {
            let (environment, requests) = out_of_order(retry_after).await;
            let mut client = program.start(&environment);
            let said = client.call_one(SELLER).await;
            assert!(said.starts_with("storage_unavailable, try again later"), "{program:?}: {said}");
            assert_eq!(requests.load(Ordering::Relaxed), attempts, "{program:?}");
            drop(client.end().await);
        }
        let (environment, requests) = out_of_order(retry_after).await;
        if let Some((well, said)) = shell(&environment, SELLER).await {
            assert!(!well && said.contains("storage_unavailable, try again later"), "{said}");
            assert_eq!(requests.load(Ordering::Relaxed), attempts);
        }
    }
}
