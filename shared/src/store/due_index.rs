//! The sparse indexes of what is due, keys only: `due` (`due_lane` + `due_at`) for work that asks a marketplace, `chores`
//! (`chores_shard` + `chores_at`) for all other work. An item is in neither, one or both.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Connections, StoreError,
    item::{Item, KEY, index_keys},
};
use crate::{
    connection::due::{Lane, Work},
    names::ConnectionKey,
    time::Timestamp,
};

/// A connection that is due, as the index says. The index lags behind the item: the item decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEntry {
    /// Since when.
    pub due_at: Timestamp,
    /// Which one.
    pub connection: ConnectionKey,
}

/// Some due connections of one part of a lane, oldest first.
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

const fn index(work: Work) -> &'static str {
    match work {
        Work::Marketplace => "due",
        Work::Chore => "chores",
    }
}

impl Connections {
    /// Up to `limit` connections in part `0..`[`PARTS`](crate::connection::due::PARTS) of this lane that are due at `now`,
    /// oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(
        &self,
        lane: &Lane,
        part: u8,
        now: Timestamp,
        limit: i32,
        from: Option<DueCursor>,
    ) -> Result<DuePage, StoreError> {
        let work = lane.work();
        let (partition_key, sort_key) = index_keys(work);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index(work))
            .key_condition_expression("#partition = :partition AND #at <= :now")
            .expression_attribute_names("#partition", partition_key)
            .expression_attribute_names("#at", sort_key)
            .expression_attribute_values(":partition", AttributeValue::S(lane.partition_key(part)))
            .expression_attribute_values(":now", AttributeValue::N(now.0.to_string()))
            .limit(limit)
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .send()
            .await
            .map_err(|error| StoreError::unavailable("query what is due", &error))?;
        // One entry that this release cannot read must not keep all others from being worked on.
        let readable =
            |item| entry(item, work).inspect_err(|error| tracing::error!(alarm = "unreadable_item", %error)).ok();
        let entries = answer.items.unwrap_or_default().iter().filter_map(readable).collect();
        Ok(DuePage { entries, next: answer.last_evaluated_key.map(DueCursor) })
    }
}

fn entry(item: &HashMap<String, AttributeValue>, work: Work) -> Result<DueEntry, StoreError> {
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.as_str(),
        _ => "",
    };
    let why = || format!("its entry in the index {}", index(work));
    let unreadable = || StoreError::Unreadable { key: text(KEY).to_owned(), why: why() };
    let (_, sort_key) = index_keys(work);
    Ok(DueEntry {
        due_at: Timestamp(text(sort_key).parse().map_err(|_| unreadable())?),
        connection: text(KEY).parse().map_err(|_| unreadable())?,
    })
}
