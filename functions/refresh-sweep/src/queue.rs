//! What is due, oldest first over all shards: keys by the page, items by the batch, read ahead of the work but never
//! far.

use std::{
    collections::{HashMap, VecDeque},
    vec,
};

use futures_util::future::try_join_all;
use shop_keyring::{
    connection::{
        Connection,
        due::{SHARDS, has_due_events},
    },
    names::ConnectionKey,
    store::{Connections, DueCursor, DueEntry, StoreError},
    time::Timestamp,
};
use tokio::{sync::mpsc, task::JoinSet};
use tracing::Instrument;

use crate::{event::Partition, pace::Pace};

/// Entries of a shard in memory at most: 16 shards of 100 keys.
const PAGE: i32 = 100;

/// Batches that wait beside the one in work and the one being read: three hundred items in memory at most, and none
/// older than the time that three hundred refreshes take.
const AHEAD: usize = 1;

/// One connection that is due.
#[derive(Debug)]
pub(crate) struct Due {
    /// Which one.
    pub(crate) connection: ConnectionKey,
    /// Its item as it was read some seconds ago. None, and it is to be read when its turn comes: it waits for a pace of
    /// its own and has no events to be published, or the batch did not bring it.
    pub(crate) item: Option<Connection>,
}

/// The due connections of a partition. Reading ends when this is dropped.
#[derive(Debug)]
pub(crate) struct DueQueue {
    oldest_due_seconds: i64,
    is_empty: bool,
    batch: vec::IntoIter<Due>,
    batches: mpsc::Receiver<Result<Vec<Due>, StoreError>>,
    _reader: JoinSet<()>,
}

impl DueQueue {
    /// Probes all shards for the oldest due connection, the partition's own and the others', and begins to read.
    pub(crate) async fn probe(
        connections: &Connections,
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
        let mine: Vec<_> = shards.into_iter().filter(|shard| partition.has(shard.number)).collect();
        let is_empty = mine.iter().all(|shard| shard.entries.is_empty());
        let (sender, batches) = mpsc::channel(AHEAD);
        let mut reader = JoinSet::new();
        reader.spawn(Shards { connections: connections.clone(), now, mine }.read_into(sender).in_current_span());
        Ok(Self {
            oldest_due_seconds: oldest.map_or(0, |oldest| now.since(oldest).max(0)),
            is_empty,
            batch: Vec::new().into_iter(),
            batches,
            _reader: reader,
        })
    }

    /// Whether the probe found nothing due in the partition.
    pub(crate) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// For how many seconds the oldest of all has been due; 0 if nothing is.
    pub(crate) const fn oldest_due_seconds(&self) -> i64 {
        self.oldest_due_seconds
    }

    /// Takes the oldest of the partition. After an error the shard that failed is left out.
    pub(crate) async fn take(&mut self) -> Result<Option<Due>, StoreError> {
        loop {
            if let Some(due) = self.batch.next() {
                return Ok(Some(due));
            }
            match self.batches.recv().await {
                Some(batch) => self.batch = batch?.into_iter(),
                None => return Ok(None),
            }
        }
    }
}

/// One shard's entries.
#[derive(Debug)]
struct Shard {
    number: u8,
    entries: VecDeque<DueEntry>,
    next: Option<DueCursor>,
}

/// The reading side.
#[derive(Debug)]
struct Shards {
    connections: Connections,
    now: Timestamp,
    mine: Vec<Shard>,
}

impl Shards {
    /// Reads to the end, or until nobody wants more.
    async fn read_into(mut self, batches: mpsc::Sender<Result<Vec<Due>, StoreError>>) {
        loop {
            let batch = match self.keys().await {
                Ok(keys) if keys.is_empty() => return,
                Ok(keys) => Ok(self.with_items(keys).await),
                Err(error) => Err(error),
            };
            if batches.send(batch).await.is_err() {
                return;
            }
        }
    }

    /// The next keys, oldest first; none at the end. What was gathered before an error stays due.
    async fn keys(&mut self) -> Result<Vec<ConnectionKey>, StoreError> {
        let mut keys = Vec::with_capacity(Connections::BATCH);
        while keys.len() < Connections::BATCH {
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
            let Some(entry) = oldest.and_then(|shard| shard.entries.pop_front()) else { break };
            keys.push(entry.connection);
        }
        Ok(keys)
    }

    /// The keys with their items, as far as one read brings them. Who waits for a pace of its own may wait long: its
    /// item is left out, unless its events are to be published.
    async fn with_items(&self, keys: Vec<ConnectionKey>) -> Vec<Due> {
        let read = self.connections.get_batch(&keys).await;
        let mut read = read.unwrap_or_else(|error| {
            tracing::warn!(%error, "the items are read one by one");
            HashMap::new()
        });
        let of_use = |item: &Connection| !Pace::holds(&item.connection) || has_due_events(item, self.now);
        keys.into_iter().map(|connection| Due { item: read.remove(&connection).filter(of_use), connection }).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
