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

/// An entry of the due index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueEntry {
    /// Which connection.
    pub connection: String,
    /// In which partition.
    pub shard: u64,
    /// Since when.
    pub at: i64,
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

    /// The whole due index, sorted.
    pub async fn due_index(&self) -> Vec<DueEntry> {
        let entry = |entry: &Value| DueEntry {
            connection: entry["connection"].as_str().unwrap_or_default().to_owned(),
            shard: entry["due_shard"].as_u64().unwrap_or(u64::MAX),
            at: entry["due_at"].as_i64().unwrap_or(i64::MIN),
        };
        let mut entries: Vec<_> = self.tables.index("due").await.iter().map(entry).collect();
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
