//! What is due, oldest first over all shards, in pages read as they are needed.

use std::collections::VecDeque;

use futures_util::future::try_join_all;
use shop_keyring::{
    connection::due::SHARDS,
    store::{Connections, DueCursor, DueEntry, StoreError},
    time::Timestamp,
};

use crate::event::Partition;

/// Entries of a shard in memory at most: 16 shards of 100 keys.
const PAGE: i32 = 100;

/// One shard's entries.
#[derive(Debug)]
struct Shard {
    number: u8,
    entries: VecDeque<DueEntry>,
    next: Option<DueCursor>,
}

/// The due connections of a partition.
#[derive(Debug)]
pub(crate) struct DueQueue<'a> {
    connections: &'a Connections,
    now: Timestamp,
    mine: Vec<Shard>,
    oldest: Option<Timestamp>,
}

impl<'a> DueQueue<'a> {
    /// Probes all shards for the oldest due connection, the partition's own and the others'.
    pub(crate) async fn probe(
        connections: &'a Connections,
        partition: Partition,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let first_pages = (0..SHARDS).map(|number| async move {
            let limit = if partition.has(number) { PAGE } else { 1 };
            let page = connections.due(number, now, limit, None).await?;
            Ok::<_, StoreError>(Shard { number, entries: page.entries.into(), next: page.next })
        });
        let shards = try_join_all(first_pages).await?;
        let oldest = shards.iter().filter_map(|shard| shard.entries.front()).map(|entry| entry.due_at).min();
        let mine = shards.into_iter().filter(|shard| partition.has(shard.number)).collect();
        Ok(Self { connections, now, mine, oldest })
    }

    /// For how many seconds the oldest of all has been due; 0 if nothing is.
    pub(crate) fn oldest_due_seconds(&self) -> i64 {
        self.oldest.map_or(0, |oldest| self.now.since(oldest).max(0))
    }

    /// Takes the oldest of the partition. After an error the shard that failed is left out.
    pub(crate) async fn take(&mut self) -> Result<Option<DueEntry>, StoreError> {
        for shard in &mut self.mine {
            while shard.entries.is_empty()
                && let Some(cursor) = shard.next.take()
            {
                let page = self.connections.due(shard.number, self.now, PAGE, Some(cursor)).await?;
                shard.entries = page.entries.into();
                shard.next = page.next;
            }
        }
        let fronts = self.mine.iter_mut().filter(|shard| !shard.entries.is_empty());
        let oldest = fronts.min_by_key(|shard| shard.entries.front().map(|entry| entry.due_at));
        Ok(oldest.and_then(|shard| shard.entries.pop_front()))
    }
}
