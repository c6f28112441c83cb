//! The item `count/fleet`: the hourly count of the connections while it is under way. It lies in the table `connections` and in
//! none of its indexes. A missing item begins a new round, so deleting it is harmless.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::{
    Connections, StoreError,
    connections::next_revision,
    item::{Item, KEY},
};
use crate::connection::fleet::Round;

const NAME: &str = "count/fleet";

const REVISION: &str = "revision";

/// A round as it was last seen in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRound {
    /// Absent: there is no item, or it is not in a form that this release can read.
    pub round: Option<Round>,
    revision: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Revised<'a> {
    #[serde(flatten)]
    round: &'a Round,
    revision: u64,
}

impl Connections {
    /// Reads the round of the fleet count, strongly consistent: one `GetItem`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fleet_round(&self) -> Result<StoredRound, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key(KEY, key());
        let response = get.consistent_read(true).send().await;
        let response = response.map_err(|error| StoreError::unavailable("get the fleet count", &error))?;
        Ok(response.item.map_or(StoredRound { round: None, revision: None }, from_item))
    }

    /// Replaces the round that was seen; returns whether the table still held that one (optimistic locking). One
    /// `UpdateItem`.
    ///
    /// # Errors
    /// [`StoreError`]; whether the round was replaced is then unknown.
    pub async fn replace_fleet_round(&self, seen: &StoredRound, round: &Round) -> Result<bool, StoreError> {
        const OPERATION: &str = "write the fleet count";
        let revision = next_revision(seen.revision);
        match self.replace_shared(key(), seen.revision, to_item(round, revision)?, OPERATION).await? {
            None => Ok(true),
            // The stored revision is this write's own: it was retried after its response was lost.
            Some(item) => Ok(item.as_ref().and_then(revision_of) == Some(revision)),
        }
    }
}

fn key() -> AttributeValue {
    AttributeValue::S(NAME.to_owned())
}

fn revision_of(item: &Item) -> Option<u64> {
    item.get(REVISION)?.as_n().ok()?.parse().ok()
}

fn to_item(round: &Round, revision: u64) -> Result<Item, StoreError> {
    let unreadable = |why: String| StoreError::Unreadable { key: NAME.to_owned(), why };
    serde_dynamo::to_item(Revised { round, revision }).map_err(|error| unreadable(error.to_string()))
}

/// An item that another release has written otherwise costs one round, not all further ones.
fn from_item(item: Item) -> StoredRound {
    let revision = revision_of(&item);
    let round = serde_dynamo::from_item(item);
    let round =
        round.inspect_err(|error| tracing::warn!(%error, "the fleet count begins again: its item is unreadable"));
    StoredRound { round: round.ok(), revision }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::fleet::StatusPage, time::Timestamp};

    fn round(next: Option<&str>) -> Round {
        let counts = [(("tiktok-shop/us".parse().unwrap(), "active"), 7)];
        let mut round = Round::begun_at(Timestamp(1_795_222_800));
        round.add(
            StatusPage { counts: counts.into(), unknown: 1, next: next.map(str::to_owned) },
            Timestamp(1_795_222_805),
        );
        round
    }

    #[test]
    fn a_round_reads_back_as_it_was_written() {
        for next in [Some("tiktok-shop/us/1"), None] {
            let round = round(next);
            let mut item = to_item(&round, 7).unwrap();
            item.insert(KEY.into(), key());
            assert_eq!(from_item(item), StoredRound { round: Some(round), revision: Some(7) });
        }
    }

    #[test]
    fn an_item_of_another_form_is_no_round_and_can_be_replaced() {
        let mut item = to_item(&round(None), 7).unwrap();
        item.insert("counts".into(), AttributeValue::Bool(true));
        assert_eq!(from_item(item), StoredRound { round: None, revision: Some(7) });
    }
}
