//! Every kind of fault, seen through the SDK's client.

use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use emulators::{
    front::{Fault, FaultKind},
    secrets_manager::SecretsManager,
};

use crate::{
    clients,
    dynamodb::{exists, put, with_table},
};

#[tokio::test]
async fn faults_do_what_they_say() {
    let (dynamodb, client) = with_table().await;
    let cases = [
        (FaultKind::ErrorBefore, Err("InternalServerError"), false),
        (FaultKind::ErrorAfter, Err("InternalServerError"), true),
        (FaultKind::DropBefore, Err("no service error"), false),
        (FaultKind::DropAfter, Err("no service error"), true),
        (FaultKind::Throttle, Err("ThrottlingException"), false),
        (FaultKind::Garbage, Err("no service error"), true),
        (FaultKind::Refuse("AccessDeniedException"), Err("AccessDeniedException"), false),
        (FaultKind::Latency(Duration::from_millis(50)), Ok(()), true),
    ];
    for (number, (kind, answer, effect)) in cases.into_iter().enumerate() {
        let (id, name) = (number.to_string(), format!("{kind:?}"));
        let injected = dynamodb.front().inject(Fault::new(kind).on("PutItem"));
        assert!(!exists(&client, &id).await, "{name}: GetItem is another operation");
        assert_eq!(put(&client, &id).await, answer.map_err(str::to_owned), "{name}");
        assert_eq!(exists(&client, &id).await, effect, "{name}: effect");
        assert!(injected.is_spent(), "{name}");
        assert_eq!(put(&client, &id).await, Ok(()), "{name}: once only");
    }
}

#[tokio::test]
async fn a_dropped_connection_is_no_timeout() {
    let (dynamodb, client) = with_table().await;
    dynamodb.front().inject(Fault::new(FaultKind::DropAfter).on("PutItem"));
    let start = Instant::now();
    put(&client, "a").await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(dynamodb.front().calls_of("PutItem")[0].status, None);
}

#[tokio::test]
async fn faults_choose_their_calls() {
    let (dynamodb, client) = with_table().await;
    let about_b = |call: &emulators::front::Call| call.keys == ["b"];
    let fault = Fault::new(FaultKind::ErrorBefore).on("PutItem").when(about_b).after(1).times(2);
    let injected = dynamodb.front().inject(fault);
    let mut failed = Vec::new();
    for id in ["a", "b", "a", "b", "b", "b"] {
        failed.push(put(&client, id).await.is_err());
    }
    assert_eq!(failed, [false, false, false, true, true, false]);
    assert_eq!(injected.fired(), 2);
}

#[tokio::test]
async fn everything_can_be_refused_until_cleared() {
    let (dynamodb, client) = with_table().await;
    let injected = dynamodb.front().inject(Fault::new(FaultKind::Refuse("AccessDeniedException")).always());
    for _ in 0..3 {
        assert_eq!(put(&client, "a").await, Err("AccessDeniedException".to_owned()));
    }
    injected.clear();
    put(&client, "a").await.unwrap();
    dynamodb.front().inject(Fault::new(FaultKind::Throttle).always());
    put(&client, "a").await.unwrap_err();
    dynamodb.front().clear_faults();
    put(&client, "a").await.unwrap();
    assert_eq!(injected.fired(), 3);
}

#[tokio::test]
async fn secrets_managers_front_is_the_same() {
    let emulator = SecretsManager::start(clients::loopback()).await.unwrap();
    let client = clients::secrets_manager(&emulator.url());
    let create = client.create_secret().name("a/b").secret_string("hush");
    emulator.front().inject(Fault::new(FaultKind::Throttle).when(|call| call.resource.as_deref() == Some("a/b")));
    let error = create.clone().send().await.unwrap_err();
    assert_eq!(error.code(), Some("ThrottlingException"));
    let arn = create.send().await.unwrap().arn.unwrap();
    client.get_secret_value().secret_id(arn).send().await.unwrap();
    let calls = emulator.front().calls();
    let seen: Vec<_> = calls.iter().map(|call| (call.operation.as_str(), call.resource.as_deref())).collect();
    assert_eq!(seen, [("CreateSecret", Some("a/b")), ("CreateSecret", Some("a/b")), ("GetSecretValue", Some("a/b"))]);
    assert!(!format!("{emulator:?}").contains("hush"));
}
