//! Connections as the product would have written them, put straight into the table.

use end_to_end::{
    Stack,
    stack::{Table, attributes},
};
use serde_json::{Value, json};
use shop_keyring::{
    connection::{Connection, FORMAT},
    store::to_item,
    time::Timestamp,
};

const DAY: i64 = 86_400;

/// A connection that works, refreshed just now.
pub(crate) fn row(name: &str, account: Option<&str>) -> Connection {
    let now = Timestamp::local_now();
    let item = json!({
        "connection": name, "format": FORMAT, "revision": 3, "app_key": "6us7a1k3q9", "user_type": "seller", "purpose": "all",
        "api": { "base_url": "https://open-api.tiktokglobalshop.com" },
        "account_id": account, "status": "active", "token_version": 1,
        "secret_version": "0b0e7a4e-5d7c-4c5e-9a53-3f1d8a0f6a11",
        "access_expires_at": now.plus(7 * DAY), "authorization_expires_at": now.plus(365 * DAY),
        "granted_at": now, "authorized_at": now, "refreshed_at": now, "created_at": now, "updated_at": now,
    });
    serde_json::from_value(item).unwrap()
}

/// The item, with its place in the indexes.
fn plain(row: &Connection) -> Value {
    serde_dynamo::from_item(to_item(row).unwrap()).unwrap()
}

/// Puts one, new or changed.
pub(crate) async fn put(stack: &Stack, row: &Connection) {
    // A whole item at once: what it had in an index before goes with it.
    stack.put_item(&plain(row)).await;
}

/// Puts many new ones.
pub(crate) fn import(stack: &Stack, rows: &[Connection]) {
    let items = rows.iter().map(|row| Value::Object(attributes(&plain(row)))).collect();
    stack.dynamodb().import(Table::Connections.name(), items).unwrap();
}
