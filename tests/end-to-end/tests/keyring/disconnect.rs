//! The vendor ends a connection: nothing is served from then on, the secret goes, and the seller may come back.

use std::time::Duration;

use emulators::front::{Fault, FaultKind, Moment};
use end_to_end::{Function, Options};
use serde_json::json;

use crate::setting::{DUE, SELLER_1, connect, connected, item};

/// Where its tokens are kept.
const SECRET_1: &str = "shop-keyring/connections/tiktok-shop/us/seller-1/tokens";

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_seller_is_served_to_nobody_and_the_secret_goes() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    drop(vendor.disconnect("tiktok-shop/us/nobody").await.expect(404));
    let ended = vendor.disconnect(SELLER_1).await.expect(200).json();
    assert_eq!(ended["status"], "disconnected");
    drop(vendor.token(SELLER_1).await.expect(410));
    drop(vendor.token_by_shop("tiktok-shop/us/shop-1").await.expect(410));
    drop(vendor.refresh(SELLER_1, 1).await.expect(410));
    drop(vendor.disconnect(SELLER_1).await.expect(200));

    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["secrets_deleted"], &swept["errors"]), (&json!(1), &json!(0)), "{swept}");
    let item = item(&stack, SELLER_1).await;
    assert!(item.get("due_at").is_none() && item.get("secret_version").is_none(), "{item}");
    assert_eq!(stack.secrets_manager().front().count("DeleteSecret"), 1);
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    drop(vendor.token(SELLER_1).await.expect(410));
    drop(vendor.token_by_shop("tiktok-shop/us/shop-1").await.expect(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_comes_back_is_connected_again_before_and_after_the_deletion() {
    let stack = connected(Options::default()).await;
    for swept_before in [false, true] {
        drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
        if swept_before {
            assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 1);
        }
        // Another account may have the seller now.
        connect(&stack, "us", "seller-1", "another").await;
        assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 0);
        let token = stack.vendor().token_by_shop("tiktok-shop/us/shop-1").await.expect(200).json();
        assert_eq!(token["account_id"], "another");
        assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnect_wins_over_the_refresh_under_way() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    let commit = stack.dynamodb().front().pause("TransactWriteItems", Moment::Arrived);
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), async {
        commit.reached().await;
        drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
        commit.release();
    });
    assert_eq!(swept["refreshed"], 0, "{swept}");
    assert_eq!(item(&stack, SELLER_1).await["status"], "disconnected");
    assert_eq!(stack.invoke_sweep().await["due"], 0, "not while something may still be kept");
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_comes_too_late_is_taken_back() {
    let stack = connected(Options::default()).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let deletion = stack.secrets_manager().front().pause("DeleteSecret", Moment::Arrived);
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), async {
        deletion.reached().await;
        connect(&stack, "us", "seller-1", "acme").await;
        deletion.release();
    });
    assert_eq!((&swept["secrets_deleted"], &swept["errors"]), (&json!(0), &json!(0)), "{swept}");
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1, "the secret takes new versions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_comes_too_late_is_taken_back_though_its_process_is_dead() {
    let stack = connected(Options::default().with_processes(Function::RefreshSweep, 1)).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let front = stack.secrets_manager().front();
    let (deletion, put) =
        (front.pause("DeleteSecret", Moment::Arrived), front.pause("PutSecretValue", Moment::TakenEffect));
    let input = json!({});
    let (_, ()) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(2), stack.invoke(Function::RefreshSweep, &input)),
        async {
            deletion.reached().await;
            tokio::join!(connect(&stack, "us", "seller-1", "acme"), async {
                put.reached().await;
                stack.kill(Function::RefreshSweep);
                deletion.release();
                while stack.secret_is_there(SECRET_1).await {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                put.release();
            });
        }
    );
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    stack.start_process(Function::RefreshSweep).unwrap();
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1, "the secret takes new versions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_fails_is_tried_again() {
    let stack = connected(Options::default()).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let front = stack.secrets_manager().front();
    let down = front.inject(Fault::new(FaultKind::Refuse("AccessDeniedException")).on("DeleteSecret").always());
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["secrets_deleted"], &swept["errors"]), (&json!(0), &json!(1)), "{swept}");
    down.clear();
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 1);
}
