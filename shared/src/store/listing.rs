//! Which connections there are: names from the indexes `account` (`account_id` + `connection`), `listing` (`list_shard`
//! + `connection`, with `status`) and, sparse, `attention` (`attention_shard` + `connection`).
//!
//! Each section of an index is in the order of the names, which never change. So a walk is complete and without repeats
//! whatever happens to the connections meanwhile. An index lags behind the items: it says where to look, the item decides.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Connections, StoreError,
    item::{ATTENTION_SHARD, Item, KEY, LIST_SHARD},
};
use crate::{
    connection::due::SHARDS,
    names::{AccountId, ConnectionKey},
};

const OPERATION: &str = "query an index of connections";

/// A part of an index that is read in one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section<'a> {
    /// The connections of an account.
    Account(&'a AccountId),
    /// Those of one shard (`0..`[`SHARDS`](crate::connection::due::SHARDS)) that need attention.
    Attention(u8),
    /// Those of one shard.
    Listing {
        /// Which shard.
        shard: u8,
        /// Only those with this status, as in [`Status::as_str`](crate::connection::Status::as_str).
        status: Option<&'static str>,
    },
}

impl Section<'_> {
    const fn index(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Attention(_) => "attention",
            Self::Listing { .. } => "listing",
        }
    }

    /// The partition's attribute and its value.
    fn partition(self) -> (&'static str, AttributeValue) {
        match self {
            Self::Account(account) => ("account_id", AttributeValue::S(account.to_string())),
            Self::Attention(shard) => (ATTENTION_SHARD, AttributeValue::N(shard.to_string())),
            Self::Listing { shard, .. } => (LIST_SHARD, AttributeValue::N(shard.to_string())),
        }
    }
}

/// Some of a section's names, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamePage {
    /// The names.
    pub names: Vec<ConnectionKey>,
    /// Entries of the index that were looked at for them.
    pub examined: usize,
    /// After which name the next page begins; `None` if nothing is left in the section.
    pub next: Option<ConnectionKey>,
}

impl Connections {
    /// Whether there are any, in whatever state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn exist(&self) -> Result<bool, StoreError> {
        for shard in 0..SHARDS {
            let first = self.names(Section::Listing { shard, status: None }, "", None, 1).await?;
            if first.examined > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names in a section that begin with `prefix` and come after `after`, which must be such a name of the section
    /// too; at most `limit` entries are looked at. One `Query`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn names(
        &self,
        section: Section<'_>,
        prefix: &str,
        after: Option<&ConnectionKey>,
        limit: i32,
    ) -> Result<NamePage, StoreError> {
        let (attribute, partition) = section.partition();
        let start = |name: &ConnectionKey| {
            Item::from([
                (attribute.to_owned(), partition.clone()),
                (KEY.to_owned(), AttributeValue::S(name.to_string())),
            ])
        };
        let mut condition = "#partition = :partition".to_owned();
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(section.index())
            .expression_attribute_names("#partition", attribute)
            .expression_attribute_values(":partition", partition.clone())
            .set_exclusive_start_key(after.map(start))
            .limit(limit);
        if !prefix.is_empty() {
            condition.push_str(" AND begins_with(#key, :prefix)");
            query = query
                .expression_attribute_names("#key", KEY)
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()));
        }
        if let Section::Listing { status: Some(status), .. } = section {
            query = query
                .filter_expression("#status = :status")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", AttributeValue::S(status.to_owned()));
        }
        let answer = query.key_condition_expression(condition).send().await;
        let answer = answer.map_err(|error| StoreError::unavailable(OPERATION, &error))?;
        let readable =
            |item: &Item| name(item).inspect_err(|error| tracing::error!(alarm = "unreadable_item", %error)).ok();
        Ok(NamePage {
            examined: answer.scanned_count.try_into().unwrap_or_default(),
            names: answer.items.unwrap_or_default().iter().filter_map(readable).collect(),
            next: answer.last_evaluated_key.as_ref().map(name).transpose()?,
        })
    }
}

fn name(entry: &Item) -> Result<ConnectionKey, StoreError> {
    let key = match entry.get(KEY) {
        Some(AttributeValue::S(key)) => key.as_str(),
        _ => "",
    };
    key.parse().map_err(|_| StoreError::Unreadable { key: key.to_owned(), why: "its entry in an index".into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::fixtures::key;

    #[test]
    fn an_entry_is_read_by_its_name() {
        let entry = |key: &str| Item::from([(KEY.to_owned(), AttributeValue::S(key.to_owned()))]);
        assert_eq!(name(&entry("tiktok-shop/us/a")), Ok(key("a")));
        assert!(name(&entry("shop/tiktok-shop/us/1")).is_err());
        assert!(name(&Item::new()).is_err());
    }
}
