//! What the functions themselves have stored: token sets in the vault, items in the tables. Inputs are JSON, also where
//! DynamoDB has its own form.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use shop_keyring::{
    connect_session::{ConnectSession, Visit, VisitRecord},
    connection::{
        Connection, FORMAT,
        due::Work,
        next::{Next, next},
    },
    secret::Secret,
    store::{Item, from_item, to_item},
    time::Timestamp,
    token_set::TokenSet,
};

use crate::names::{check_segment, reads_back};

/// A token set keeps all that it holds, and prints none of its secrets.
pub fn token_set(input: &[u8]) {
    let Ok(set) = serde_json::from_slice::<TokenSet>(input) else { return };
    let written = serde_json::to_string(&set).expect("it can be written");
    let again: TokenSet = serde_json::from_str(&written).expect("it can be read");
    assert!(again.access_token.same_as(&set.access_token));
    assert_eq!(again.refresh_token.as_ref().map(Secret::expose), set.refresh_token.as_ref().map(Secret::expose));
    // All that is no secret can be seen so.
    assert_eq!(format!("{again:?}"), format!("{set:?}"), "a field is lost");

    let others = TokenSet {
        access_token: Secret::new("other"),
        refresh_token: set.refresh_token.as_ref().map(|_| Secret::new("other")),
        ..set.clone()
    };
    assert_eq!(format!("{set:?}"), format!("{others:?}"), "a secret is printed");

    // A later release may have added a field.
    let mut later: Value = serde_json::from_str(&written).expect("JSON");
    later["from_the_future"] = true.into();
    let later: TokenSet = serde_json::from_value(later).expect("a field that is not known is passed over");
    assert_eq!(serde_json::to_string(&later).expect("it can be written"), written);
}

/// An item reads back the same, is of a form that this release knows, and is due exactly when there is something to do.
pub fn connection_item(input: &[u8]) {
    let Some(item) = item(input) else { return };
    let Ok(connection) = from_item(item) else { return };
    assert!(connection.format <= FORMAT, "of a later release");
    let again = from_item(to_item(&connection).expect("it can be written")).expect("it can be read");
    assert_eq!(again, connection);
    reads_back::<Connection>(&connection);
    for segment in connection.connection.to_string().split('/') {
        check_segment(segment);
    }
    connection.shops.iter().for_each(|shop| check_segment(shop.id.as_str()));

    let moments = [0, i64::MIN, i64::MAX, connection.granted_at.0, connection.updated_at.0];
    for work in Work::ALL {
        let due_at = work.due_at(&connection);
        for now in moments.into_iter().map(Timestamp).chain(due_at) {
            let is_due = due_at.is_some_and(|due_at| due_at <= now);
            assert_eq!(next(&connection, now, work) != Next::Nothing, is_due, "{work:?} at {now:?}: {connection:?}");
        }
    }
}

/// Sessions, visits and how they ended read back the same.
pub fn session_items(input: &[u8]) {
    let Some(item) = item(input) else { return };
    item_reads_back::<ConnectSession>(&item);
    item_reads_back::<VisitRecord>(&item);
    if let Some(visit) = item_reads_back::<Visit>(&item) {
        // Nobody who has not begun it, or is at another app's path, is let in.
        assert!(!visit.is_of(None) && !visit.is_of(Some(&Secret::new("somebody else"))));
    }
}

fn item_reads_back<T: Serialize + DeserializeOwned + Debug + PartialEq>(item: &Item) -> Option<T> {
    let value: T = serde_dynamo::from_item(item.clone()).ok()?;
    let written: Item = serde_dynamo::to_item(&value).expect("it can be written");
    assert_eq!(serde_dynamo::from_item::<_, T>(written).expect("it can be read"), value);
    reads_back(&value);
    Some(value)
}

/// JSON as an item of DynamoDB.
fn item(json: &[u8]) -> Option<Item> {
    let json: Value = serde_json::from_slice(json).ok().filter(Value::is_object)?;
    serde_dynamo::to_item(json).ok()
}
