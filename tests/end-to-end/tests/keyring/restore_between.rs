//! The table of connections is restored from a backup that was made in the middle of something, or before a connection
//! ended and began anew.

use emulators::front::Moment;
use end_to_end::Options;
use serde_json::json;
use simulators::tiktok_shop::{Rotation, Route};

use crate::{
    restore::{backup, works},
    setting::{DUE, SELLER_1, connect, connected, item, next_sweep},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_seller_has_given_to_another_account_since_stays_out() {
    for old_one_ends in [true, false] {
        let stack = connected(Options::default()).await;
        stack.tiktok_shop().configure(|settings| settings.new_grant_ends_old = old_one_ends);
        let backup = backup(&stack).await;
        drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
        assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
        connect(&stack, "us", "seller-1", "another").await;
        let theirs = item(&stack, SELLER_1).await["secret_version"].clone();
        stack.restore_connections(&backup, 2).await;
        stack.age(DUE).await;
        let swept = stack.invoke_sweep().await;
        assert_eq!((&swept["errors"], &swept["healed"]), (&json!(1), &json!(0)), "{swept}");
        assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 0, "what is over is not spent");
        let restored = item(&stack, SELLER_1).await;
        assert_eq!(restored["account_id"], "acme");
        assert_ne!(restored["secret_version"], theirs);

        // As the runbook says.
        drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
        connect(&stack, "us", "seller-1", "another").await;
        works(&stack).await;
        stack.stop_functions();
        assert!(stack.output().contains("given after this connection had ended"), "the operator was told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_after_an_attempt_in_the_backup_is_taken_up() {
    let stack = connected(Options::default()).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    stack.age(DUE).await;
    let commit = stack.dynamodb().front().pause("TransactWriteItems", Moment::Arrived);
    let (swept, backup) = tokio::join!(stack.invoke_sweep(), async {
        commit.reached().await;
        let backup = backup(&stack).await;
        commit.release();
        backup
    });
    assert_eq!(swept["refreshed"], 1, "{swept}");
    let midway = backup.iter().find(|item| item["connection"] == SELLER_1).unwrap();
    assert_eq!(midway["attempts"].as_array().map(Vec::len), Some(1), "{midway}");
    connect(&stack, "us", "seller-1", "acme").await;
    let newest = item(&stack, SELLER_1).await["secret_version"].clone();

    stack.restore_connections(&backup, 61).await;
    let exchanges = stack.tiktok_shop().calls_to(Route::TokenRefresh).len();
    assert_eq!(stack.invoke_sweep().await["healed"], 1);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), exchanges, "nothing old was spent");
    assert_eq!(item(&stack, SELLER_1).await["secret_version"], newest);
    works(&stack).await;
}
