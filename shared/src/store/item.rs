//! Between a connection and its item, and the smallest change that turns one item into another.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::StoreError;
use crate::connection::{
    Connection, FORMAT,
    attention::attention,
    due::{Lane, Work, part, shard},
};

/// An item as DynamoDB knows it.
pub type Item = HashMap<String, AttributeValue>;

/// The table's key attribute.
pub(super) const KEY: &str = "connection";

/// The partition in the index `listing`.
pub(super) const LIST_SHARD: &str = "list_shard";

/// The partition in the index `attention`.
pub(super) const ATTENTION_SHARD: &str = "attention_shard";

/// All that follows from the item: its place in the indexes.
pub(super) const DERIVED: [&str; 6] = [ATTENTION_SHARD, "chores_at", "chores_shard", "due_at", "due_lane", LIST_SHARD];

/// The attributes of the index that holds this kind of work: partition key and sort key.
pub(super) const fn index_keys(work: Work) -> (&'static str, &'static str) {
    match work {
        Work::Marketplace => ("due_lane", "due_at"),
        Work::Chore => ("chores_shard", "chores_at"),
    }
}

/// The item of a connection, with its place in the indexes: in `listing` always, in `due` while the marketplace is to be
/// asked at some time, in `chores` while there is one, in `attention` while it needs some.
///
/// # Errors
/// [`StoreError::Unreadable`].
pub fn to_item(connection: &Connection) -> Result<Item, StoreError> {
    let unreadable = |why: String| StoreError::Unreadable { key: connection.connection.to_string(), why };
    let mut item: Item = serde_dynamo::to_item(connection).map_err(|error| unreadable(error.to_string()))?;
    let shard = AttributeValue::N(shard(&connection.connection).to_string());
    item.insert(LIST_SHARD.into(), shard.clone());
    if !attention(connection).is_empty() {
        item.insert(ATTENTION_SHARD.into(), shard);
    }
    let part = part(&connection.connection);
    for lane in [Lane::App(connection.connection.app.clone()), Lane::Chores] {
        if let Some(due_at) = lane.work().due_at(connection) {
            let (partition_key, sort_key) = index_keys(lane.work());
            item.insert(partition_key.into(), AttributeValue::S(lane.partition_key(part)));
            item.insert(sort_key.into(), AttributeValue::N(due_at.0.to_string()));
        }
    }
    Ok(item)
}

/// The connection of an item. Attributes that this release does not know are passed over.
///
/// # Errors
/// [`StoreError::Unreadable`].
pub fn from_item(item: Item) -> Result<Connection, StoreError> {
    let key = match item.get(KEY) {
        Some(AttributeValue::S(key)) => key.clone(),
        _ => String::new(),
    };
    let unreadable = |why: String| StoreError::Unreadable { key: key.clone(), why };
    let connection: Connection = serde_dynamo::from_item(item).map_err(|error| unreadable(error.to_string()))?;
    if connection.format > FORMAT {
        return Err(unreadable(format!("it has format {}, this release reads up to {FORMAT}", connection.format)));
    }
    Ok(connection)
}

/// An update expression with its names and values.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Change {
    pub(super) expression: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Item,
}

/// What turns `before` into `after`. Attributes that neither names are left alone: a newer release may have them.
pub(super) fn change(before: &Item, after: &Item) -> Change {
    let mut change = Change::default();
    let mut set = Vec::new();
    let mut remove = Vec::new();
    let mut attributes: Vec<_> = before.keys().chain(after.keys()).collect();
    attributes.sort_unstable();
    attributes.dedup();
    for (n, attribute) in attributes.into_iter().enumerate() {
        let name = format!("#a{n}");
        match (before.get(attribute), after.get(attribute)) {
            (before, Some(after)) if before != Some(after) => {
                set.push(format!("{name} = :a{n}"));
                change.values.insert(format!(":a{n}"), after.clone());
            }
            (Some(_), None) => remove.push(name.clone()),
            _ => continue,
        }
        change.names.insert(name, attribute.clone());
    }
    let clauses = [("SET", set), ("REMOVE", remove)];
    let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
    change.expression =
        clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect::<Vec<_>>().join(" ");
    change
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        connection::{
            Claim, Reason, Status,
            fixtures::{T0, active, arbitrary, fault},
        },
        names::AttemptId,
    };

    proptest! {
        #[test]
        fn a_connection_reads_back_as_it_was_written(connection in arbitrary()) {
            let connection = Connection {
                last_error: Some(crate::connection::LastError { at: crate::time::Timestamp(5), fault: fault() }),
                ..connection
            };
            prop_assert_eq!(from_item(to_item(&connection).unwrap()).unwrap(), connection);
        }
    }

    #[test]
    fn an_item_is_in_the_index_of_each_kind_of_work_that_it_has() {
        let places = |item: &Connection| {
            let item = to_item(item).unwrap();
            let place = |name: &str| item.get(name).map(|value| value.as_s().unwrap().clone());
            assert_eq!(
                (item.contains_key("due_lane"), item.contains_key("chores_shard")),
                (item.contains_key("due_at"), item.contains_key("chores_at"))
            );
            (place("due_lane"), place("chores_shard"))
        };
        let item = Connection { authorization_expires_at: None, ..active() };
        let part = part(&item.connection);
        let (lane, chores) = (format!("tiktok-shop/us#{part}"), format!("chores#{part}"));
        assert_eq!(places(&item), (Some(lane.clone()), None));
        assert_eq!(places(&active()), (Some(lane), Some(chores.clone())), "it is to be reminded of its end");
        let held = Claim { id: AttemptId::random(), until: T0 };
        assert_eq!(places(&Connection { attempt: Some(held), ..item }), (None, Some(chores)));
        let ended = Connection { status: Status::ReauthorizationRequired { reason: Reason::Refused }, ..active() };
        assert_eq!(places(&ended), (None, None), "it has no future");
    }

    #[test]
    fn every_item_is_listed_and_only_what_needs_attention_is_in_its_index() {
        let good = to_item(&active()).unwrap();
        assert!(good.contains_key(LIST_SHARD) && !good.contains_key(ATTENTION_SHARD));
        let ended = Connection { status: Status::ReauthorizationRequired { reason: Reason::Refused }, ..active() };
        let ended = to_item(&ended).unwrap();
        assert_eq!(ended.get(ATTENTION_SHARD), good.get(LIST_SHARD));
        assert_eq!(change(&ended, &good).names.values().filter(|name| *name == ATTENTION_SHARD).count(), 1);
    }

    #[test]
    fn a_later_form_is_refused_and_unknown_attributes_are_not() {
        let mut item = to_item(&active()).unwrap();
        item.insert("from_the_future".into(), AttributeValue::Bool(true));
        assert!(from_item(item.clone()).is_ok());
        item.insert("format".into(), AttributeValue::N((FORMAT + 1).to_string()));
        assert!(from_item(item).unwrap_err().to_string().contains("format 2"));
    }

    #[test]
    fn a_change_names_only_what_differs() {
        let before = Item::from([
            ("same".into(), AttributeValue::Bool(true)),
            ("moved".into(), AttributeValue::N("1".into())),
            ("gone".into(), AttributeValue::S("x".into())),
        ]);
        let after = Item::from([
            ("same".into(), AttributeValue::Bool(true)),
            ("moved".into(), AttributeValue::N("2".into())),
            ("new".into(), AttributeValue::S("y".into())),
        ]);
        let change = change(&before, &after);
        assert_eq!(change.expression, "SET #a1 = :a1, #a2 = :a2 REMOVE #a0");
        assert_eq!(change.names.len(), 3);
        assert_eq!(change.values.len(), 2);
    }
}
