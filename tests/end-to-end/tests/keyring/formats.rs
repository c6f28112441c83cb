//! An item that one release has written is read by the next one, and by the one before: upgrade and rollback.
//!
//! `formats/items-format-1.json` holds items as this release writes them in real runs. Where a change is meant, write it
//! anew with `WRITE_ITEMS=1 cargo test -p end-to-end --test keyring formats`, and read "Upgrade and rollback" in
//! `docs/runbooks.md` first: the release before must be able to read it, too.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use emulators::front::{Fault, FaultKind};
use end_to_end::{Options, Stack, Table};
use serde_json::{Map, Value, json};
use shop_keyring::connection::FORMAT;
use simulators::tiktok_shop::{Inactive, Notice};

use crate::setting::{DUE, SELLER_1, US_APP_KEY, connect, connected, item, next_second, next_sweep, with_sellers};

const SOON: Duration = Duration::from_secs(10);

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/keyring/formats/items-format-{FORMAT}.json"))
}

fn checked_in() -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(fixture()).unwrap()).unwrap()
}

fn key(item: &Value) -> &str {
    item["connection"].as_str().unwrap()
}

async fn notices_arrive(stack: &Stack) {
    for delivery in stack.tiktok_shop().deliveries() {
        assert!(stack.tiktok_shop().delivered(&delivery.notification_id, SOON).await);
    }
}

async fn leaves(stack: &Stack, seller: &str) {
    assert!(stack.tiktok_shop().deauthorize(US_APP_KEY, seller));
    notices_arrive(stack).await;
    assert_eq!(next_sweep(stack).await["refused"], 1);
}

/// A connection in each state in which an item may lie, with all attributes that there are.
async fn every_kind_of_item() -> (Stack, Vec<Value>) {
    let stack = Stack::start(with_sellers(8).with_events().with_webhooks_per_shop()).await.unwrap();
    let (vendor, platform) = (stack.vendor(), stack.tiktok_shop());
    for n in [0, 2, 3, 4, 5, 6, 7] {
        connect(&stack, "us", &format!("s-{n}"), "acme").await;
    }
    crate::temu::setting::connect_local(&stack).await;
    // Notices count for what is older than they are.
    stack.age(2).await;
    drop(vendor.patch("tiktok-shop/us/s-7", Some("*"), &json!({ "label": "Shelf 4" })).await.expect(200));

    assert_eq!(stack.invoke_sweep().await["webhooks_registered"], 7);
    leaves(&stack, "s-3").await;
    stack.age(901).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    leaves(&stack, "s-2").await;
    drop(vendor.disconnect("tiktok-shop/us/s-5").await.expect(200));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    drop(next_sweep(&stack).await);

    let end = Notice::ends_soon("shop-of-7", platform.now() + 40 * 86_400).with_timestamp(platform.now() + 2);
    platform.send_notice(US_APP_KEY, end).unwrap();
    notices_arrive(&stack).await;
    platform.update_seller("s-0", |seller| seller.inactive = Some(Inactive::Shop)).unwrap();
    drop(vendor.refresh("tiktok-shop/us/s-0", 1).await.expect(200));
    let lost = stack.dynamodb().front().inject(Fault::new(FaultKind::DropBefore).on("TransactWriteItems").always());
    drop(vendor.refresh("tiktok-shop/us/s-6", 1).await);
    lost.clear();
    stack.lambda().front().inject(Fault::new(FaultKind::Throttle));
    drop(vendor.refresh("tiktok-shop/us/s-7", 1).await.expect(503));
    drop(vendor.disconnect("tiktok-shop/us/s-4").await.expect(200));
    let session = vendor.connect_session(json!({ "account_id": "acme" })).await;
    drop(stack.browser().connect(&session.connect_url, "us", "s-1").await);
    next_second().await;
    drop(stack.browser().come_back(&platform.authorize(US_APP_KEY, "s-1", None).unwrap()).await);

    let mut items = stack.items(Table::Connections).await;
    items.sort_by(|some, other| key(some).cmp(key(other)));
    (stack, items)
}

/// The names and types in an item, whatever the values.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(values) => values.iter().take(1).map(shape).collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => Value::Null,
    }
}

fn shapes(items: &[Value]) -> BTreeMap<&str, Value> {
    items.iter().map(|item| (key(item), shape(item))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn items_have_the_form_that_is_checked_in() {
    let (stack, items) = every_kind_of_item().await;
    let text = serde_json::to_string_pretty(&items).unwrap() + "\n";
    assert!(stack.secrets_in_play().iter().all(|secret| !text.contains(secret.as_str())), "no secret is in an item");
    if std::env::var_os("WRITE_ITEMS").is_some() {
        fs::create_dir_all(fixture().parent().unwrap()).unwrap();
        fs::write(fixture(), text).unwrap();
    }
    let expected = checked_in();
    assert_eq!(shapes(&items), shapes(&expected));
    let written: Map<_, _> = items.iter().flat_map(|item| item.as_object().unwrap().clone()).collect();
    let never = [
        "announced_end",
        "attempt",
        "attempts",
        "check_at",
        "confirm_by",
        "confirm_granted_at",
        "events",
        "fingerprint",
        "inactive_since",
        "label",
        "last_error",
        "wanted",
        "webhooks",
    ];
    assert_eq!(never.into_iter().find(|name| !written.contains_key(*name)), None, "the runs are to show them all");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_release_has_added_is_read_over_and_stays() {
    let (stack, mut items) = (Stack::start(with_sellers(0)).await.unwrap(), checked_in());
    items.retain(|item| !["shop/", "evidence/", "health/", "count/"].iter().any(|other| key(item).starts_with(other)));
    for item in &mut items {
        item["from_the_future"] = json!({ "any": ["thing"] });
        stack.put_item(item).await;
    }
    let (vendor, mut moved) = (stack.vendor(), 0);
    for before in &items {
        let connection = key(before);
        let shown = vendor.connection(connection).await.expect(200).json();
        assert_eq!(shown["status"], before["status"]);
        let answer = vendor.patch(connection, Some("*"), &json!({ "account_id": "another" })).await;
        let mut expected = before.clone();
        let after = item(&stack, connection).await;
        if answer.status == 200 {
            moved += 1;
            for changed in ["account_id", "revision", "updated_at"] {
                expected[changed] = after[changed].clone();
            }
            assert_eq!(after["account_id"], "another");
        } else {
            assert!([409, 410].contains(&answer.status), "{}", answer.body);
        }
        assert_eq!(after, expected, "{connection}");
    }
    assert!(moved >= 5, "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_later_format_is_left_alone() {
    let stack = connected(Options::default()).await;
    connect(&stack, "us", "seller-2", "acme").await;
    let mut later = item(&stack, SELLER_1).await;
    later["format"] = json!(FORMAT + 1);
    stack.put_item(&later).await;
    stack.age(DUE).await;
    let aged = item(&stack, SELLER_1).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!(swept["refreshed"], 1, "the others go on: {swept}");
    assert_eq!(item(&stack, SELLER_1).await, aged);
    drop(stack.vendor().token(SELLER_1).await.expect(503));
    stack.stop_functions();
    assert!(stack.output().contains("unreadable_item"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_release_has_added_to_a_token_set_is_read_over() {
    let stack = connected(Options::default()).await;
    let mut set = stack.token_set(SELLER_1, None).await.unwrap();
    set["from_the_future"] = json!({ "any": ["thing"] });
    let version = "00000000-0000-4000-8000-000000000001";
    let put = json!({
        "SecretId": format!("shop-keyring/connections/{SELLER_1}/tokens"),
        "ClientRequestToken": version, "SecretString": set.to_string(),
    });
    stack.aws_secrets_manager("PutSecretValue", &put).await.unwrap();
    let mut named = item(&stack, SELLER_1).await;
    named["secret_version"] = json!(version);
    stack.put_item(&named).await;
    drop(stack.vendor().token(SELLER_1).await.expect(200));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let set = stack.token_set(SELLER_1, None).await.unwrap();
    assert!(set.get("from_the_future").is_none(), "a refresh writes what this release knows");
}
