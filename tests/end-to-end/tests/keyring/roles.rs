//! The tests run under the roles of the template, and what a role does not allow is denied here as in AWS.

use end_to_end::{Aws, Function, Options};
use serde_json::{Value, json};

use crate::setting::{SELLER_1, connected};

const TOKENS: &str = "shop-keyring/connections/tiktok-shop/us/seller-1/tokens";
const APP: &str = "shop-keyring/apps/tiktok-shop/us";

fn update(expression: &str, attribute: &str) -> Value {
    json!({
        "TableName": "connections",
        "Key": { "connection": { "S": SELLER_1 } },
        "UpdateExpression": expression,
        "ExpressionAttributeNames": { "#a": attribute },
        "ExpressionAttributeValues": { ":a": { "S": "x" } },
    })
}

fn put(key: &str) -> Value {
    json!({ "TableName": "connections", "Item": { "connection": { "S": key }, "points_to": { "S": SELLER_1 } } })
}

fn delete(key: &str) -> Value {
    json!({ "TableName": "connections", "Key": { "connection": { "S": key } } })
}

fn due() -> Value {
    json!({
        "TableName": "connections",
        "IndexName": "due",
        "KeyConditionExpression": "due_lane = :lane",
        "ExpressionAttributeValues": { ":lane": { "S": "tiktok-shop/us#0" } },
    })
}

async fn is_denied(aws: &Aws, operation: &str, input: &Value) -> bool {
    match aws.try_call(operation, input).await {
        Ok(_) => false,
        Err(error) if error["__type"].as_str().is_some_and(|it| it.ends_with("AccessDeniedException")) => true,
        Err(error) => panic!("{operation} {input}: {error}"),
    }
}

#[tokio::test]
async fn each_function_may_do_its_job_and_nothing_else() {
    let stack = connected(Options::default()).await;
    let (pointer, item) = ("shop/tiktok-shop/us/another", "tiktok-shop/us/another");
    let [callback, on_demand, sweep, lookup] = Function::ALL.map(|function| stack.dynamodb_of(function));
    let transaction = |put| json!({ "TransactItems": [{ "Put": put }] });
    for (aws, operation, input, denied) in [
        (&lookup, "UpdateItem", update("SET #a = :a", "account_id"), false),
        (&lookup, "UpdateItem", update("SET #a = :a", "secret_version"), true),
        (&lookup, "UpdateItem", update("SET account_id = :a, #a = :a", "granted_at"), true),
        (&callback, "UpdateItem", update("SET #a = :a", "seller_name"), false),
        (&lookup, "PutItem", put(pointer), false),
        (&lookup, "PutItem", put(item), true),
        (&sweep, "TransactWriteItems", transaction(put(pointer)), false),
        (&sweep, "TransactWriteItems", transaction(put(item)), true),
        (&on_demand, "TransactWriteItems", transaction(put(pointer)), false),
        (&on_demand, "TransactWriteItems", transaction(put(item)), true),
        (&on_demand, "DeleteItem", delete(pointer), false),
        (&on_demand, "DeleteItem", delete(SELLER_1), true),
        (&on_demand, "Query", due(), true),
        (&sweep, "Query", due(), false),
        (&lookup, "Scan", json!({ "TableName": "connections" }), true),
        (&sweep, "Scan", json!({ "TableName": "connect-sessions" }), true),
    ] {
        assert_eq!(is_denied(aws, operation, &input).await, denied, "{operation} {input}");
    }

    let [callback, on_demand, sweep, lookup] = Function::ALL.map(|function| stack.secrets_manager_of(function));
    let forced = json!({ "SecretId": TOKENS, "ForceDeleteWithoutRecovery": true });
    let (app, tokens) = (json!({ "SecretId": APP }), json!({ "SecretId": TOKENS }));
    for (aws, operation, input, denied) in [
        (&lookup, "GetSecretValue", &tokens, false),
        (&lookup, "GetSecretValue", &app, true),
        (&callback, "GetSecretValue", &app, false),
        (&callback, "GetSecretValue", &tokens, true),
        (&lookup, "DeleteSecret", &tokens, true),
        (&on_demand, "DeleteSecret", &tokens, true),
        (&sweep, "DeleteSecret", &forced, true),
        (&sweep, "DeleteSecret", &app, true),
        (&sweep, "DeleteSecret", &tokens, false),
    ] {
        assert_eq!(is_denied(aws, operation, input).await, denied, "{operation} {input}");
    }
    assert_eq!(stack.take_denied().len(), 15);
}

#[tokio::test]
#[should_panic(expected = "what a role does not allow")]
async fn no_stack_ends_well_with_a_call_denied() {
    let stack = connected(Options::default()).await;
    let lookup = stack.dynamodb_of(Function::TokenLookup);
    assert!(is_denied(&lookup, "Scan", &json!({ "TableName": "connections" })).await);
}
