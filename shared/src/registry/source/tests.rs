//! When the registry is read, and which requests wait for it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};

use super::*;

#[test]
fn a_request_waits_only_where_no_copy_exists() {
    let seconds = |seconds: Option<u64>| seconds.map(Duration::from_secs);
    for (copy, tried, expected) in [
        (None, None, Plan::Read),
        (None, Some(9), Plan::Fail),
        (None, Some(10), Plan::Read),
        (Some(0), Some(0), Plan::Use),
        (Some(299), Some(299), Plan::Use),
        (Some(300), Some(300), Plan::UseAndRead),
        (Some(305), Some(5), Plan::Use),
        (Some(86_400), Some(10), Plan::UseAndRead),
    ] {
        assert_eq!(plan(seconds(copy), seconds(tried)), expected, "{copy:?} {tried:?}");
    }
}

/// Secrets Manager with one secret. Each read waits until the test releases it with the text to respond with.
struct OneSecret {
    url: String,
    release: mpsc::Sender<&'static str>,
    reads: mpsc::Receiver<()>,
}

impl OneSecret {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (release, released) = mpsc::channel();
        let (read, reads) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                receive(&stream);
                read.send(()).unwrap();
                // The test is over when it no longer releases anything.
                let Ok(text) = released.recv() else { return };
                respond(&stream, text);
            }
        });
        Self { url, release, reads }
    }

    fn registry(&self) -> AppRegistry {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKID", "secret", None, None, "tests",
            )))
            .endpoint_url(&self.url)
            .retry_config(RetryConfig::disabled())
            .build();
        AppRegistry::new(Client::new(&config), "shop-keyring")
    }
}

fn receive(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
}

fn respond(mut stream: &TcpStream, text: &str) {
    let body = serde_json::json!({ "Name": "shop-keyring/apps", "SecretString": text }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).unwrap();
}

/// As if so much time had passed since the last read.
fn age(registry: &AppRegistry, by: Duration) {
    let mut state = registry.state();
    let earlier = |at: Instant| at.checked_sub(by).unwrap();
    state.copy = state.copy.take().map(|(at, copy)| (earlier(at), copy));
    state.tried = state.tried.take().map(|(at, error)| (earlier(at), error));
}

async fn count(registry: &AppRegistry) -> usize {
    let current = tokio::time::timeout(Duration::from_secs(5), registry.current());
    current.await.expect("no request waits").unwrap().iter().count()
}

async fn until(holds: impl Fn() -> bool) {
    let holds = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), holds).await.expect("it happens");
}

const ONE: &str = r#"{"temu/us":{"name":"A","gateway":"us"}}"#;
const TWO: &str = r#"{"temu/us":{"name":"A","gateway":"us"},"temu/eu":{"name":"A","gateway":"eu"}}"#;

#[tokio::test]
async fn an_old_copy_is_replaced_in_the_background_and_kept_when_that_fails() {
    let secret = OneSecret::start();
    let registry = secret.registry();
    secret.release.send(ONE).unwrap();
    assert_eq!(count(&registry).await, 1);
    assert!(secret.reads.try_recv().is_ok());

    age(&registry, FRESH);
    // The read is not released yet, and neither request waits for it or starts another one.
    assert_eq!((count(&registry).await, count(&registry).await), (1, 1));
    until(|| secret.reads.try_recv().is_ok()).await;
    secret.release.send(TWO).unwrap();
    until(|| registry.copy().is_some_and(|copy| copy.iter().count() == 2)).await;
    assert!(secret.reads.try_recv().is_err(), "one read for all requests");

    age(&registry, FRESH);
    secret.release.send("{").unwrap();
    assert_eq!(count(&registry).await, 2);
    until(|| registry.state().tried.as_ref().is_some_and(|(_, error)| error.is_some())).await;
    assert_eq!(count(&registry).await, 2);
}

#[tokio::test]
async fn an_unknown_name_is_looked_up_at_once_but_not_twice_in_ten_seconds() {
    let secret = OneSecret::start();
    let registry = secret.registry();
    let eu: AppKeyPath = "temu/eu".parse().unwrap();
    secret.release.send(ONE).unwrap();
    assert!(registry.find(&eu).await.unwrap().is_none(), "it was read just now");
    age(&registry, PAUSE);
    secret.release.send(TWO).unwrap();
    assert!(registry.find(&eu).await.unwrap().is_some());
    assert!(registry.find(&"temu/global".parse().unwrap()).await.unwrap().is_none());
    assert_eq!(secret.reads.try_iter().count(), 2);
}

#[tokio::test]
async fn without_a_copy_the_error_is_told_and_reads_are_no_more_frequent() {
    let secret = OneSecret::start();
    let registry = secret.registry();
    secret.release.send(" ").unwrap();
    assert!(matches!(registry.current().await, Err(RegistryError::Empty { .. })));
    assert!(matches!(registry.current().await, Err(RegistryError::Empty { .. })));
    assert_eq!(secret.reads.try_iter().count(), 1);
    age(&registry, PAUSE);
    secret.release.send("[]").unwrap();
    assert!(matches!(registry.current().await, Err(RegistryError::Malformed { .. })));
    age(&registry, PAUSE);
    secret.release.send("{}").unwrap();
    assert_eq!(count(&registry).await, 0, "no app is no error");
}
