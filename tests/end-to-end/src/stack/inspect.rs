//! What is really stored, past the functions: for checks of everything at once, and to begin anew.

use serde_json::Value;

use super::{Stack, Table, vendor};

/// A connection's secret with all of its versions.
#[derive(Debug, Clone)]
pub struct KeptTokens {
    /// `{marketplace}/{app}/{seller_id}`
    pub connection: String,
    /// Whether the secret was deleted and can still be restored.
    pub deleted: bool,
    /// Version id and token set, oldest first.
    pub versions: Vec<(String, Value)>,
}

/// An entry of an index of what is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueEntry {
    /// Which connection.
    pub connection: String,
    /// In which partition.
    pub partition: String,
    /// Since when.
    pub at: i64,
}

impl DueEntry {
    /// As an item has it in these attributes; `None` if it has neither.
    pub fn of(item: &Value, partition: &str, at: &str) -> Option<Self> {
        let (partition, at) = (&item[partition], &item[at]);
        let is_there = !(partition.is_null() && at.is_null());
        is_there.then(|| Self {
            connection: item["connection"].as_str().unwrap_or_default().to_owned(),
            partition: partition.as_str().unwrap_or_default().to_owned(),
            at: at.as_i64().unwrap_or(i64::MIN),
        })
    }
}

impl Stack {
    /// The secrets of all connections, also deleted ones.
    pub fn kept_tokens(&self) -> Vec<KeptTokens> {
        let prefix = format!("{}/connections/", vendor::SECRET_PREFIX);
        let stored = self.secrets_manager.stored(&prefix).into_iter();
        let kept = stored.filter_map(|secret| {
            let connection = secret.name.strip_prefix(&prefix)?.strip_suffix("/tokens")?.to_owned();
            let versions = secret.versions.into_iter();
            let versions = versions.map(|(id, text)| (id, serde_json::from_str(&text).unwrap_or_default())).collect();
            Some(KeptTokens { connection, deleted: secret.deleted, versions })
        });
        kept.collect()
    }

    /// Both indexes of what is due, sorted.
    pub async fn due_indexes(&self) -> Vec<DueEntry> {
        let mut entries = Vec::new();
        for (index, partition, at) in [("due", "due_lane", "due_at"), ("chores", "chores_shard", "chores_at")] {
            entries
                .extend(self.tables.index(index).await.iter().filter_map(|entry| DueEntry::of(entry, partition, at)));
        }
        entries.sort();
        entries
    }

    /// Takes away all connections with their secrets, all sessions, and the logs of calls, as if nothing had been yet. The
    /// marketplaces remember what they have issued.
    pub async fn begin_anew(&self) {
        for table in Table::ALL {
            let items = self.tables.items(table).await;
            let keys: Vec<_> = items.iter().filter_map(|item| item[table.key()].as_str().map(str::to_owned)).collect();
            self.tables.delete_all(table, &keys).await;
        }
        self.secrets_manager.forget(&format!("{}/connections/", vendor::SECRET_PREFIX));
        self.tiktok_shop.forget_calls();
        for front in [self.dynamodb.front(), self.secrets_manager.front()] {
            front.forget_calls();
        }
    }
}
