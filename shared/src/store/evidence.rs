//! The items `evidence/{marketplace}/{app}`: what all processes have counted about an app's connections. They lie in the table
//! `connections` and in none of its indexes. A missing item says nothing, so deleting one is harmless.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{
    Connections, StoreError,
    connections::{TRIES, next_revision, pause},
    item::{Item, KEY},
};
use crate::{connection::evidence::Evidence, names::AppKeyPath};

/// Evidence as it was last seen in the table; the default before the first look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvidence {
    /// Its value.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// Absent: there was no item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
}

impl Connections {
    /// Reads an app's evidence, strongly consistent: one `GetItem`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn evidence(&self, app: &AppKeyPath) -> Result<StoredEvidence, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key(KEY, key(app));
        let response = get.consistent_read(true).send().await;
        let response = response.map_err(|error| StoreError::unavailable("get evidence", &error))?;
        response.item.map_or_else(|| Ok(StoredEvidence::default()), |item| from_item(app, item))
    }

    /// Adds a part to an app's evidence, and returns the sum. `seen` is what the table held when it was last looked at: if it
    /// still does, this is one `UpdateItem`.
    ///
    /// # Errors
    /// [`StoreError`]; whether the part was added is then unknown.
    pub async fn add_evidence(
        &self,
        app: &AppKeyPath,
        part: &Evidence,
        mut seen: StoredEvidence,
    ) -> Result<StoredEvidence, StoreError> {
        for tries in 1..=TRIES {
            let evidence = seen.evidence.plus(part);
            let sum = StoredEvidence { evidence, revision: Some(next_revision(seen.revision)) };
            match self.replace_evidence(app, &seen, &sum).await? {
                None => return Ok(sum),
                // A retry of a write whose response was lost.
                Some(stored) if stored == sum => return Ok(stored),
                Some(stored) => seen = stored,
            }
            // The partitions of the schedule write at the same time.
            pause(tries).await;
        }
        Err(StoreError::Unavailable { operation: "add evidence", code: "contention".into() })
    }

    /// Replaces what was seen; returns what the table holds instead, if that is something else.
    async fn replace_evidence(
        &self,
        app: &AppKeyPath,
        seen: &StoredEvidence,
        sum: &StoredEvidence,
    ) -> Result<Option<StoredEvidence>, StoreError> {
        let conflict = self.replace_shared(key(app), seen.revision, to_item(app, sum)?, "add evidence").await?;
        // Without an item: it was deleted, which resets it.
        conflict.map(|item| item.map_or_else(|| Ok(StoredEvidence::default()), |item| from_item(app, item))).transpose()
    }
}

fn key(app: &AppKeyPath) -> AttributeValue {
    AttributeValue::S(name(app))
}

fn name(app: &AppKeyPath) -> String {
    format!("evidence/{app}")
}

fn to_item(app: &AppKeyPath, evidence: &StoredEvidence) -> Result<Item, StoreError> {
    serde_dynamo::to_item(evidence).map_err(|error| StoreError::Unreadable { key: name(app), why: error.to_string() })
}

fn from_item(app: &AppKeyPath, item: Item) -> Result<StoredEvidence, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::Unreadable { key: name(app), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{
        evidence::Call,
        fixtures::{T0, active},
    };

    #[test]
    fn evidence_reads_back_as_it_was_written() {
        let app = active().connection.app;
        let mut evidence = Evidence::default();
        evidence.note_accepted(&active(), Call::Refresh, T0);
        evidence.note_refused(&active(), Call::Refresh, T0);
        let stored = StoredEvidence { evidence, revision: Some(7) };
        let mut item = to_item(&app, &stored).unwrap();
        item.insert(KEY.into(), key(&app));
        assert_eq!(from_item(&app, item).unwrap(), stored);
        assert_eq!(name(&app), "evidence/tiktok-shop/us");
    }
}
