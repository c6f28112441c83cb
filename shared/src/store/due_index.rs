//! The sparse index `due`: `due_shard` + `due_at`, keys only. An item without a future is not in it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Connections, StoreError,
    item::{Item, KEY},
};
use crate::{names::ConnectionKey, time::Timestamp};

const INDEX: &str = "due";

/// A connection that is due, as the index says. The index lags behind the item: the item decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEntry {
    /// Since when.
    pub due_at: Timestamp,
    /// Which one.
    pub connection: ConnectionKey,
}

/// Some of a shard's due connections, oldest first.
#[derive(Debug, Default)]
pub struct DuePage {
    /// The entries.
    pub entries: Vec<DueEntry>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<DueCursor>,
}

/// Where a next page begins.
#[derive(Debug, Clone)]
pub struct DueCursor(Item);

impl Connections {
    /// Up to `limit` connections of one shard that are due at `now`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: i32,
        from: Option<DueCursor>,
    ) -> Result<DuePage, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", AttributeValue::N(shard.to_string()))
            .expression_attribute_values(":now", AttributeValue::N(now.0.to_string()))
            .limit(limit)
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .send()
            .await
            .map_err(|error| StoreError::unavailable("query the due index", &error))?;
        // One entry that this release cannot read must not keep all others from being worked on.
        let readable = |item| entry(item).inspect_err(|error| tracing::error!(alarm = "unreadable_item", %error)).ok();
        let entries = answer.items.unwrap_or_default().iter().filter_map(readable).collect();
        Ok(DuePage { entries, next: answer.last_evaluated_key.map(DueCursor) })
    }
}

fn entry(item: &HashMap<String, AttributeValue>) -> Result<DueEntry, StoreError> {
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.as_str(),
        _ => "",
    };
    let unreadable = || StoreError::Unreadable { key: text(KEY).to_owned(), why: "its entry in the due index".into() };
    Ok(DueEntry {
        due_at: Timestamp(text("due_at").parse().map_err(|_| unreadable())?),
        connection: text(KEY).parse().map_err(|_| unreadable())?,
    })
}
