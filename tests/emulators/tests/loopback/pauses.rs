//! Calls that are held at a point.

use std::time::Duration;

use emulators::front::{Fault, FaultKind, Moment};
use tokio::time::{sleep, timeout};

use crate::dynamodb::{exists, put, text, with_table};

const SOON: Duration = Duration::from_secs(5);

/// Long enough for a call to come through that should not.
const A_WHILE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_call_that_has_arrived_has_no_effect_until_released() {
    let (dynamodb, client) = with_table().await;
    let point = dynamodb.front().pause_when("PutItem", Moment::Arrived, |call| call.keys == ["held"]);
    put(&client, "other").await.unwrap();
    let held = tokio::spawn({
        let client = client.clone();
        async move { put(&client, "held").await }
    });
    let call = timeout(SOON, point.reached()).await.unwrap();
    assert_eq!(call.keys, ["held"]);
    sleep(A_WHILE).await;
    assert!(point.is_reached() && !held.is_finished());
    assert!(!exists(&client, "held").await);
    point.release();
    held.await.unwrap().unwrap();
    assert!(exists(&client, "held").await);
}

#[tokio::test]
async fn a_call_that_has_taken_effect_is_not_answered_until_released() {
    let (dynamodb, client) = with_table().await;
    let point = dynamodb.front().pause("PutItem", Moment::TakenEffect);
    let held = tokio::spawn({
        let client = client.clone();
        async move { put(&client, "a").await }
    });
    timeout(SOON, point.reached()).await.unwrap();
    assert!(exists(&client, "a").await);
    assert!(!held.is_finished());
    point.release();
    held.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_killed_client_had_sent_takes_effect_when_released() {
    let (dynamodb, client) = with_table().await;
    let point = dynamodb.front().pause("PutItem", Moment::Arrived);
    let killed = tokio::spawn({
        let client = client.clone();
        async move { put(&client, "a").await }
    });
    timeout(SOON, point.reached()).await.unwrap();
    killed.abort();
    sleep(A_WHILE).await;
    assert!(!exists(&client, "a").await);
    point.release();
    timeout(SOON, async {
        while !exists(&client, "a").await {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the write comes late, but it comes");
}

#[tokio::test]
async fn a_discarded_call_never_takes_effect() {
    let (dynamodb, client) = with_table().await;
    let point = dynamodb.front().pause("PutItem", Moment::Arrived);
    let held = tokio::spawn({
        let client = client.clone();
        async move { put(&client, "a").await }
    });
    timeout(SOON, point.reached()).await.unwrap();
    point.discard();
    held.await.unwrap().unwrap_err();
    assert!(!exists(&client, "a").await);
}

#[tokio::test]
async fn refused_calls_are_not_held_as_having_taken_effect() {
    let (dynamodb, client) = with_table().await;
    put(&client, "a").await.unwrap();
    let point = dynamodb.front().pause("PutItem", Moment::TakenEffect);
    let call = client.put_item().table_name("items").item("id", text("a"));
    call.condition_expression("attribute_not_exists(id)").send().await.unwrap_err();
    dynamodb.front().inject(Fault::new(FaultKind::ErrorBefore));
    put(&client, "b").await.unwrap_err();
    assert!(!point.is_reached());
}

#[tokio::test]
async fn a_dropped_point_holds_nothing() {
    let (dynamodb, client) = with_table().await;
    drop(dynamodb.front().pause("PutItem", Moment::Arrived));
    put(&client, "a").await.unwrap();
}
