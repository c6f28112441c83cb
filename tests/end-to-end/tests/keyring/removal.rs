//! A seller's data is removed on request, and the seller may come back.

use end_to_end::{Options, Stack};
use serde_json::{Value, json};

use crate::setting::{DUE, SELLER_1, connect, connected, item, next_sweep};

const SECRET_1: &str = "shop-keyring/connections/tiktok-shop/us/seller-1/tokens";

/// `aws dynamodb delete-item` as the runbook has it.
async fn delete_item(stack: &Stack) -> Result<Value, Value> {
    let input = json!({
        "TableName": "connections",
        "Key": { "connection": { "S": SELLER_1 } },
        "ConditionExpression": "#status = :disconnected AND attribute_not_exists(secret_version) \
            AND attribute_not_exists(not_before) AND attribute_not_exists(#attempt) AND attribute_not_exists(#events)",
        "ExpressionAttributeNames": { "#status": "status", "#attempt": "attempt", "#events": "events" },
        "ExpressionAttributeValues": { ":disconnected": { "S": "disconnected" } },
    });
    stack.aws_dynamodb("DeleteItem", &input).await
}

fn refused(answer: Result<Value, Value>) -> bool {
    answer.is_err_and(|error| error.to_string().contains("ConditionalCheckFailed"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_seller_goes_in_the_order_of_the_runbook() {
    let stack = connected(Options::default().with_events()).await;
    assert!(refused(delete_item(&stack).await), "a working connection stays");
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    assert!(refused(delete_item(&stack).await), "its secret is still there, and its end is not told");
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    if item(&stack, SELLER_1).await.get("events").is_some() {
        assert!(refused(delete_item(&stack).await), "its end is not told");
        drop(next_sweep(&stack).await);
    }
    let sequence = stack.event_bus().events_after(0).last().unwrap().detail["sequence"].as_u64().unwrap();
    delete_item(&stack).await.unwrap();
    let at_once = json!({ "SecretId": SECRET_1, "ForceDeleteWithoutRecovery": true });
    stack.aws_secrets_manager("DeleteSecret", &at_once).await.unwrap();

    assert!(stack.item(SELLER_1).await.is_none());
    assert!(stack.item("shop/tiktok-shop/us/shop-1").await.is_none());
    assert!(stack.kept_tokens().is_empty());
    drop(stack.vendor().token(SELLER_1).await.expect(404));
    assert_eq!(stack.invoke_sweep().await["due"], 0);

    // Who comes back is new.
    connect(&stack, "us", "seller-1", "another").await;
    let token = stack.vendor().token_by_shop("tiktok-shop/us/shop-1").await.expect(200).json();
    assert_eq!((&token["version"], &token["account_id"]), (&json!(1), &json!("another")));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    drop(next_sweep(&stack).await);
    let later = stack.event_bus().events_after(0).last().unwrap().detail["sequence"].as_u64().unwrap();
    assert!(later > sequence, "who follows the events sees the later ones as later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_has_come_back_meanwhile_is_not_removed() {
    let stack = connected(Options::default()).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    assert!(refused(delete_item(&stack).await), "it waits for its confirmation");
    drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
    assert!(refused(delete_item(&stack).await));
    drop(stack.vendor().token(SELLER_1).await.expect(200));
}
