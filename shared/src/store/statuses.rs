//! How many connections have which status, by the index `listing` (`list_shard` + `connection`, with `status`), whose
//! names begin with the marketplace. Only the statuses are read, and only counts are kept of them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Connections, StoreError,
    item::{Item, KEY, LIST_SHARD},
};
use crate::{connection::Status, names::MarketplaceName};

/// Statuses that are in memory at a time, for each who counts.
const PAGE: i32 = 2_500;

/// Counts of some of a shard's connections.
#[derive(Debug, Default)]
pub struct StatusPage {
    /// By [`Status::NAMES`]; a status that nobody has is missing.
    pub counts: BTreeMap<&'static str, u64>,
    /// With a status that this release does not know.
    pub unknown: u64,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<StatusCursor>,
}

/// Where a next page begins.
#[derive(Debug, Clone)]
pub struct StatusCursor(Item);

impl Connections {
    /// The statuses of a marketplace's connections in one shard (`0..`[`SHARDS`](crate::connection::due::SHARDS)), a
    /// page of them. One `Query`, eventually consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statuses(
        &self,
        marketplace: MarketplaceName,
        shard: u8,
        from: Option<StatusCursor>,
    ) -> Result<StatusPage, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("listing")
            .key_condition_expression("#shard = :shard AND begins_with(#key, :marketplace)")
            .projection_expression("#status")
            .expression_attribute_names("#shard", LIST_SHARD)
            .expression_attribute_names("#key", KEY)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":shard", AttributeValue::N(shard.to_string()))
            .expression_attribute_values(":marketplace", AttributeValue::S(format!("{marketplace}/")))
            .limit(PAGE)
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .send()
            .await
            .map_err(|error| StoreError::unavailable("count by the index listing", &error))?;
        Ok(page(&answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}

fn page(entries: &[Item], last: Option<Item>) -> StatusPage {
    let mut page = StatusPage { next: last.map(StatusCursor), ..StatusPage::default() };
    for entry in entries {
        match known(entry) {
            Some(status) => *page.counts.entry(status).or_default() += 1,
            None => page.unknown += 1,
        }
    }
    page
}

fn known(entry: &Item) -> Option<&'static str> {
    let Some(AttributeValue::S(status)) = entry.get("status") else { return None };
    Status::NAMES.into_iter().find(|known| known == status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_counts_once_known_or_not() {
        let entry = |status: &str| Item::from([("status".to_owned(), AttributeValue::S(status.to_owned()))]);
        let entries = [entry("active"), entry("pending"), entry("active"), entry("asleep"), Item::new()];
        let counted = page(&entries, Some(Item::new()));
        assert_eq!(counted.counts, BTreeMap::from([("active", 2), ("pending", 1)]));
        assert_eq!((counted.unknown, counted.next.is_some()), (2, true));
        assert!(page(&[], None).next.is_none());
    }
}
