//! How many connections of each app have which status, by the index `listing` (`list_shard` + `connection`, with `status`),
//! whose names begin with the marketplace. Only counts are kept.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Connections, StoreError,
    item::{Item, KEY, LIST_SHARD},
};
use crate::{
    connection::Status,
    names::{AppKeyPath, ConnectionKey, MarketplaceName},
};

/// Statuses that are in memory at a time, for each who counts.
const PAGE: i32 = 2_500;

/// Counts of some of a shard's connections.
#[derive(Debug, Default)]
pub struct StatusPage {
    /// By app and [`Status::NAMES`]; a status that nobody has is missing.
    pub counts: BTreeMap<(AppKeyPath, &'static str), u64>,
    /// With a name or a status that this release does not know.
    pub unknown: u64,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<StatusCursor>,
}

/// Where a next page begins.
#[derive(Debug, Clone)]
pub struct StatusCursor(Item);

impl Connections {
    /// The apps and statuses of a marketplace's connections in one shard (`0..`[`SHARDS`](crate::connection::due::SHARDS)), a
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
            .projection_expression("#key, #status")
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
            Some(place) => *page.counts.entry(place).or_default() += 1,
            None => page.unknown += 1,
        }
    }
    page
}

fn known(entry: &Item) -> Option<(AppKeyPath, &'static str)> {
    let Some(AttributeValue::S(status)) = entry.get("status") else { return None };
    let Some(AttributeValue::S(key)) = entry.get(KEY) else { return None };
    let connection: ConnectionKey = key.parse().ok()?;
    Some((connection.app, Status::NAMES.into_iter().find(|known| known == status)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_counts_once_known_or_not() {
        let entry = |app: &str, status: &str| {
            let attributes = [(KEY, format!("temu/{app}/1")), ("status", status.to_owned())];
            Item::from(attributes.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))))
        };
        let entries = [
            entry("us", "active"),
            entry("us", "pending"),
            entry("us", "active"),
            entry("eu", "active"),
            entry("us", "asleep"),
            Item::new(),
        ];
        let counted = page(&entries, Some(Item::new()));
        let [us, eu] = ["temu/us", "temu/eu"].map(|app| app.parse::<AppKeyPath>().unwrap());
        let counts = [((us.clone(), "active"), 2), ((us, "pending"), 1), ((eu, "active"), 1)];
        assert_eq!(counted.counts, BTreeMap::from(counts));
        assert_eq!((counted.unknown, counted.next.is_some()), (2, true));
        assert!(page(&[], None).next.is_none());
    }
}
