//! dynoxide behind the front: that it works at all, its log and its clock.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put, ScalarAttributeType,
        TransactWriteItem,
    },
};
use emulators::dynamodb::DynamoDb;

use crate::clients;

/// A fresh `DynamoDB` with the table `items`, key `id`, and nothing in its log.
pub(crate) async fn with_table() -> (DynamoDb, Client) {
    let dynamodb = DynamoDb::start(clients::loopback()).await.unwrap();
    let client = clients::dynamodb(&dynamodb.url());
    create_table(&client).await;
    dynamodb.front().forget_calls();
    (dynamodb, client)
}

async fn create_table(client: &Client) {
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let call = client.create_table().table_name("items").billing_mode(BillingMode::PayPerRequest);
    let call = call.attribute_definitions(id.build().unwrap()).key_schema(key.build().unwrap());
    call.send().await.unwrap();
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) async fn put(client: &Client, id: &str) -> Result<(), String> {
    let call = client.put_item().table_name("items").item("id", text(id)).item("value", text("x"));
    call.send().await.map(drop).map_err(|error| error.code().unwrap_or("no service error").to_owned())
}

pub(crate) async fn exists(client: &Client, id: &str) -> bool {
    let call = client.get_item().table_name("items").key("id", text(id)).consistent_read(true);
    call.send().await.unwrap().item.is_some()
}

#[tokio::test]
async fn calls_are_logged_with_table_and_key_and_counted() {
    let (dynamodb, client) = with_table().await;
    put(&client, "a").await.unwrap();
    assert!(exists(&client, "a").await);
    assert!(!exists(&client, "b").await);
    let calls = dynamodb.front().calls();
    let seen: Vec<_> = calls
        .iter()
        .map(|call| (call.operation.as_str(), call.resource.as_deref(), call.keys.join(","), call.status))
        .collect();
    assert_eq!(
        seen,
        [
            ("PutItem", Some("items"), "a".to_owned(), Some(200)),
            ("GetItem", Some("items"), "a".to_owned(), Some(200)),
            ("GetItem", Some("items"), "b".to_owned(), Some(200)),
        ]
    );
    assert_eq!(dynamodb.front().count("GetItem"), 2);
    assert_eq!(dynamodb.front().count("Query"), 0);
    assert_eq!(dynamodb.front().calls_of("PutItem").len(), 1);
}

#[tokio::test]
async fn queries_are_told_apart_by_what_they_read() {
    let (dynamodb, client) = with_table().await;
    let query = client.query().table_name("items").key_condition_expression("id = :id");
    let query = query.expression_attribute_values(":id", text("a"));
    query.clone().send().await.unwrap();
    for _ in 0..2 {
        // There is none; it was asked for.
        query.clone().index_name("by-day").send().await.unwrap_err();
    }
    let front = dynamodb.front();
    let counted = ["items", "items/index/by-day", "items/index/other"].map(|resource| front.queries_on(resource));
    assert_eq!((front.count("Query"), counted), (3, [1, 2, 0]));
    assert_eq!(front.calls_of("Query")[1].resource.as_deref(), Some("items/index/by-day"));
    assert_eq!(front.calls_of("Query")[1].keys, ["a"]);
    front.forget_calls();
    assert_eq!(front.queries_on("items"), 0);
}

#[tokio::test]
async fn a_transactions_keys_are_logged() {
    let (dynamodb, client) = with_table().await;
    let mut call = client.transact_write_items();
    for id in ["a", "b"] {
        let put = Put::builder().table_name("items").item("id", text(id)).build().unwrap();
        call = call.transact_items(TransactWriteItem::builder().put(put).build());
    }
    call.send().await.unwrap();
    let calls = dynamodb.front().calls();
    assert_eq!(calls[0].keys, ["a", "b"]);
    assert_eq!(calls[0].resource.as_deref(), Some("items"));
}

#[tokio::test]
async fn a_refused_condition_reaches_the_client_as_such() {
    let (dynamodb, client) = with_table().await;
    put(&client, "a").await.unwrap();
    let call = client.put_item().table_name("items").item("id", text("a"));
    let error = call.condition_expression("attribute_not_exists(id)").send().await.unwrap_err();
    assert!(error.into_service_error().is_conditional_check_failed_exception());
    assert_eq!(dynamodb.front().calls()[1].status, Some(400));
}

#[tokio::test]
async fn tables_in_a_file_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tables.sqlite");
    let first = DynamoDb::start_at(clients::loopback(), &path).await.unwrap();
    let client = clients::dynamodb(&first.url());
    create_table(&client).await;
    put(&client, "a").await.unwrap();
    first.server().stop();
    let second = DynamoDb::start_at(clients::loopback(), &path).await.unwrap();
    assert!(exists(&clients::dynamodb(&second.url()), "a").await);
}

async fn date_of_an_answer(url: &str) -> jiff::Timestamp {
    let answer = clients::http().get(url).send().await.unwrap();
    let date = answer.headers()[reqwest::header::DATE].to_str().unwrap();
    jiff::fmt::rfc2822::parse(date).unwrap().timestamp()
}

#[tokio::test]
async fn every_answer_has_a_date_and_the_front_can_shift_it() {
    let (dynamodb, _) = with_table().await;
    for offset in [0, 7_200, -600] {
        dynamodb.set_clock_offset(offset);
        let date = date_of_an_answer(&dynamodb.url()).await;
        let ahead = date.as_second() - jiff::Timestamp::now().as_second();
        assert!((offset - 10..=offset + 2).contains(&ahead), "{ahead} s instead of {offset} s");
    }
}

#[tokio::test]
async fn a_call_takes_milliseconds() {
    let (_dynamodb, client) = with_table().await;
    put(&client, "a").await.unwrap();
    let mut fastest = Duration::MAX;
    for _ in 0..50 {
        let start = Instant::now();
        exists(&client, "a").await;
        fastest = fastest.min(start.elapsed());
    }
    // Below 1 ms on a quiet machine; a Nagle delay would make it 40.
    assert!(fastest < Duration::from_millis(20), "{fastest:?}");
}
