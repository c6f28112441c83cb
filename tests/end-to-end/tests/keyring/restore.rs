//! The table of connections is restored from a backup: its items are older than the vault. Or a secret was deleted.

use end_to_end::{Function, Options, Stack, Table};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Rotation, Route};

use crate::{
    setting::{DUE, SELLER_1, connect, connected, item, next_sweep},
    temu::setting::{LOCAL, ROUND, connect_local},
};

const SECRET_1: &str = "shop-keyring/connections/tiktok-shop/us/seller-1/tokens";
const SELLER_2: &str = "tiktok-shop/us/seller-2";
const DAY: i64 = 86_400;

/// So many refreshes pass between the backup and the loss.
const REFRESHES: i64 = 3;

pub(crate) async fn backup(stack: &Stack) -> Vec<Value> {
    stack.items(Table::Connections).await
}

/// Time passes, and the schedule refreshes.
pub(crate) async fn refreshes(stack: &Stack, times: i64) {
    for _ in 0..times {
        stack.age(DUE).await;
        let swept = stack.invoke_sweep().await;
        assert_eq!((&swept["refreshed"], &swept["errors"]), (&json!(1), &json!(0)), "{swept}");
    }
}

/// The token that is served works, and so does the next refresh.
pub(crate) async fn works(stack: &Stack) {
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_vault_has_since_is_taken_up_by_the_sweep() {
    for rotation in [Rotation::Unchanged, Rotation::KeepOld, Rotation::Grace, Rotation::OneTime] {
        let stack = connected(Options::default()).await;
        stack.tiktok_shop().configure(|settings| settings.rotation = rotation);
        let backup = backup(&stack).await;
        refreshes(&stack, REFRESHES).await;
        let newest = item(&stack, SELLER_1).await["secret_version"].clone();

        stack.restore_connections(&backup, REFRESHES * DUE).await;
        let exchanges = stack.tiktok_shop().calls_to(Route::TokenRefresh).len();
        let swept = stack.invoke_sweep().await;
        assert_eq!((&swept["healed"], &swept["errors"]), (&json!(1), &json!(0)), "{rotation:?}: {swept}");
        assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), exchanges, "nothing old was spent");
        assert_eq!(item(&stack, SELLER_1).await["secret_version"], newest);
        works(&stack).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_vault_has_since_is_taken_up_by_a_lookup() {
    let stack = connected(Options::default()).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    let backup = backup(&stack).await;
    refreshes(&stack, REFRESHES).await;
    let newest = stack.vendor().token(SELLER_1).await.expect(200).json();
    stack.restore_connections(&backup, REFRESHES * DUE).await;
    let served = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert_eq!(served["access_token"], newest["access_token"]);
    works(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_authorization_is_taken_up_too() {
    let stack = connected(Options::default()).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    refreshes(&stack, 1).await;
    let backup = backup(&stack).await;
    connect(&stack, "us", "seller-1", "acme").await;
    let after = item(&stack, SELLER_1).await;
    refreshes(&stack, 1).await;
    stack.restore_connections(&backup, DUE).await;
    assert_eq!(stack.invoke_sweep().await["healed"], 1);
    assert_eq!(item(&stack, SELLER_1).await["granted_at"], after["granted_at"]);
    works(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_that_was_renewed_before_its_end_has_not_ended() {
    let lifetime = u64::try_from(10 * DAY).unwrap();
    let options = Options { authorization_lifetime: Some(lifetime), ..Options::default() };
    let stack = connected(options.with_access_lifetime(2 * lifetime)).await;
    let backup = backup(&stack).await;
    stack.age(8 * DAY).await;
    connect(&stack, "us", "seller-1", "acme").await;
    stack.age(3 * DAY).await;
    stack.restore_connections(&backup, 11 * DAY).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["healed"], &swept["refused"]), (&json!(1), &json!(0)), "{swept}");
    drop(stack.vendor().token(SELLER_1).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_pasted_since_is_taken_up_by_the_check() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let before = connect_local(&stack).await;
    let backup = backup(&stack).await;
    stack.age(DAY).await;
    let after = connect_local(&stack).await;
    stack.restore_connections(&backup, DAY).await;
    let checked = stack.temu().calls().len();
    assert_eq!(stack.vendor().token(LOCAL).await.expect(200).json()["access_token"], json!(before));
    assert_eq!(stack.invoke_sweep().await["healed"], 1);
    assert_eq!(stack.temu().calls().len(), checked, "there is nobody to ask");
    assert_eq!(stack.vendor().token(LOCAL).await.expect(200).json()["access_token"], json!(after));
    stack.age(ROUND).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn later_events_are_still_the_later_ones() {
    let stack = connected(Options::default().with_events()).await;
    let backup = backup(&stack).await;
    for _ in 0..3 {
        stack.age(DUE).await;
        drop(stack.invoke_sweep().await);
        drop(next_sweep(&stack).await);
    }
    let before: Vec<_> = sequences(&stack).collect();
    stack.restore_connections(&backup, 3 * (DUE + 2)).await;
    // The first run publishes once more what was published since, by the same ids.
    for _ in 0..3 {
        drop(next_sweep(&stack).await);
    }
    let after: Vec<_> = sequences(&stack).skip(before.len()).collect();
    let told: Vec<_> = after.iter().filter(|sequence| !before.contains(sequence)).collect();
    assert_eq!((after.len(), told.len()), (2, 1), "{before:?} {after:?}");
    assert!(before.iter().all(|sequence| sequence < told[0]), "{before:?} {after:?}");
}

fn sequences(stack: &Stack) -> impl Iterator<Item = u64> {
    stack.event_bus().events_after(0).into_iter().map(|event| event.detail["sequence"].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_disconnected_since_is_served_to_nobody() {
    let stack = connected(Options::default()).await;
    let backup = backup(&stack).await;
    drop(stack.vendor().token(SELLER_1).await.expect(200));
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    stack.restore_connections(&backup, 0).await;
    // The deployment that changes the table starts new processes.
    stack.kill(Function::TokenLookup);
    stack.start_process(Function::TokenLookup).unwrap();
    assert_eq!(item(&stack, SELLER_1).await["status"], "active");
    drop(stack.vendor().token(SELLER_1).await.expect(503));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["errors"], 1);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 0);

    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 1);
    drop(stack.vendor().token(SELLER_1).await.expect(410));
    stack.stop_functions();
    assert!(stack.output().contains("vault_fault"), "the operator was told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_backup_does_not_have_is_connected_once_more() {
    let stack = connected(Options::default()).await;
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let back = stack.browser().connect(&session.connect_url, "us", "seller-2").await;
    let mut backup = backup(&stack).await;
    drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
    backup.retain(|item| item["connection"] != SELLER_1);
    stack.restore_connections(&backup, 3_601).await;

    drop(stack.vendor().token(SELLER_1).await.expect(404));
    drop(stack.vendor().token(SELLER_2).await.expect(409));
    assert_eq!(stack.invoke_sweep().await["removed"], 1, "its hour to be confirmed is over");
    drop(stack.vendor().token(SELLER_2).await.expect(404));
    let left: Vec<_> = stack.kept_tokens().into_iter().map(|kept| (kept.connection, kept.deleted)).collect();
    assert_eq!(left, [(SELLER_1.to_owned(), false), (SELLER_2.to_owned(), true)]);
    for seller in ["seller-1", "seller-2"] {
        connect(&stack, "us", seller, "acme").await;
    }
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_deleted_is_restored() {
    let stack = connected(Options::default()).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    refreshes(&stack, 1).await;
    let secret = json!({ "SecretId": SECRET_1 });
    stack.aws_secrets_manager("DeleteSecret", &secret).await.unwrap();
    stack.age(DUE).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["errors"]), (&json!(0), &json!(1)), "{swept}");
    let marks = item(&stack, SELLER_1).await;
    assert_eq!((&marks["status"], &marks["refusals"]), (&json!("active"), &json!(0)), "nobody is blamed");
    stack.aws_secrets_manager("RestoreSecret", &secret).await.unwrap();
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    works(&stack).await;
    stack.stop_functions();
    assert!(stack.output().contains("vault_fault"), "the operator was told");
}
