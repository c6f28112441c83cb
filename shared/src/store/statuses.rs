//! How many connections of each app have which status, by the index `listing` (`list_shard` + `connection`, with `status`),
//! whose names begin with the marketplace. Only counts are kept.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Connections, StoreError,
    item::{Item, KEY, LIST_SHARD},
};
use crate::{
    connection::{
        Status,
        fleet::{Position, StatusPage},
    },
    names::{AppKeyPath, ConnectionKey},
};

/// Statuses that are in memory at a time.
const PAGE: i32 = 2_500;

impl Connections {
    /// Counts the connections of a page by app and status, from this place of the index on. One `Query`, eventually
    /// consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statuses(&self, from: &Position) -> Result<StatusPage, StoreError> {
        let shard = AttributeValue::N(from.shard.to_string());
        let start = from.after.as_ref().map(|name| {
            Item::from([(LIST_SHARD.to_owned(), shard.clone()), (KEY.to_owned(), AttributeValue::S(name.clone()))])
        });
        let response = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("listing")
            .key_condition_expression("#shard = :shard AND begins_with(#key, :marketplace)")
            .projection_expression("#key, #status")
            .expression_attribute_names("#shard", LIST_SHARD)
            .expression_attribute_names("#key", KEY)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":shard", shard)
            .expression_attribute_values(":marketplace", AttributeValue::S(format!("{}/", from.marketplace)))
            .limit(PAGE)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::unavailable("count by the index listing", &error))?;
        Ok(page(&response.items.unwrap_or_default(), response.last_evaluated_key.as_ref()))
    }
}

fn page(entries: &[Item], last: Option<&Item>) -> StatusPage {
    let next = last.and_then(|last| last.get(KEY)?.as_s().ok()).cloned();
    let mut page = StatusPage { next, ..StatusPage::default() };
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
    use std::collections::BTreeMap;

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
        let counted = page(&entries, Some(&entries[3]));
        let [us, eu] = ["temu/us", "temu/eu"].map(|app| app.parse::<AppKeyPath>().unwrap());
        let counts = [((us.clone(), "active"), 2), ((us, "pending"), 1), ((eu, "active"), 1)];
        assert_eq!(counted.counts, BTreeMap::from(counts));
        assert_eq!((counted.unknown, counted.next.as_deref()), (2, Some("temu/eu/1")));
        assert!(page(&[], None).next.is_none());
    }
}
