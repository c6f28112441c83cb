//! What is due, by lane: keys by the page, items by the batch, read ahead of the work but never far.
//!
//! The next connection comes from the lane with the fewest connections under way. Taking turns by starts would let one slow
//! lane fill every place in the end; taking the oldest of all would let one lane that does not get on keep all others waiting.
//! `docs/adr/0029-lanes-and-chores.md`.

use std::{
    collections::{HashMap, VecDeque},
    future,
};

use futures_util::{StreamExt, stream};
use shop_keyring::{
    connection::{
        Connection,
        due::{Lane, PARTS, Work},
    },
    names::{AppKeyPath, ConnectionKey},
    store::{Connections, DueCursor, DueEntry, DuePage, StoreError},
    time::Timestamp,
};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

use crate::{event::Partition, pace::Pace};

/// Entries of a part in memory at most.
const PAGE: i32 = 50;

/// Queries at a time at the start of a run.
const PROBES: usize = 32;

/// Lanes that are read at a time. Each asks one thing after another.
const READS: usize = 8;

/// Items in memory, about, over all lanes that have any; none is older than the time that three hundred refreshes take.
const ITEMS: usize = 300;

/// Items that a lane reads at a time, at least.
const FEWEST: usize = 10;

/// A lane's place in a [`LaneQueues`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaneId(usize);

/// One connection that is due.
#[derive(Debug)]
pub(crate) struct Due {
    /// Which one.
    pub(crate) connection: ConnectionKey,
    /// Its item as it was read some seconds ago. None, and it is to be read when its turn comes: it waits for a pace of
    /// its own, or the batch did not bring it.
    pub(crate) item: Option<Connection>,
    /// For which kind of work it is due.
    pub(crate) work: Work,
}

/// For how many seconds the oldest connections had been due when the run began; 0 where none was.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ages {
    /// The oldest of the chores and the lanes that are not stopped.
    pub(crate) oldest_due_seconds: i64,
    /// The oldest of the lanes that are.
    pub(crate) lane_stopped_seconds: i64,
}

/// A lane that could not be read, and is left out of the rest of the run.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) lane: Lane,
    pub(crate) error: StoreError,
}

/// The due connections of a partition, by lane. Reading ends when this is dropped.
#[derive(Debug)]
pub(crate) struct LaneQueues {
    connections: Connections,
    now: Timestamp,
    queues: Vec<LaneQueue>,
    ids: HashMap<Lane, LaneId>,
    reads: JoinSet<(LaneId, Result<Batch, StoreError>)>,
    /// Counts what was taken.
    turns: u64,
}

#[derive(Debug)]
struct LaneQueue {
    lane: Lane,
    /// Since when its oldest connection has been due, those of other partitions included.
    oldest: Option<Timestamp>,
    ready: VecDeque<Due>,
    /// What is not read yet; none while it is being read, and after the last one.
    parts: Option<Vec<Part>>,
    under_way: usize,
    last_turn: u64,
}

/// One part of a lane.
#[derive(Debug)]
struct Part {
    number: u8,
    entries: VecDeque<DueEntry>,
    next: Option<DueCursor>,
}

impl Part {
    fn new(number: u8, page: DuePage) -> Self {
        Self { number, entries: page.entries.into(), next: page.next }
    }

    fn has_more(&self) -> bool {
        !self.entries.is_empty() || self.next.is_some()
    }
}

/// What one read of a lane brings.
#[derive(Debug)]
struct Batch {
    dues: Vec<Due>,
    parts: Vec<Part>,
}

impl LaneQueue {
    fn new(lane: Lane) -> Self {
        Self { lane, oldest: None, ready: VecDeque::new(), parts: None, under_way: 0, last_turn: 0 }
    }

    fn probed(mut self, partition: Partition, pages: Vec<DuePage>) -> Self {
        self.oldest = pages.iter().filter_map(|page| page.entries.first()).map(|entry| entry.due_at).min();
        let parts = (0..PARTS).zip(pages).map(|(number, page)| Part::new(number, page));
        let mine: Vec<_> = parts.filter(|part| partition.has(part.number) && part.has_more()).collect();
        self.parts = Some(mine).filter(|mine| !mine.is_empty());
        self
    }

    fn has_more(&self) -> bool {
        !self.ready.is_empty() || self.parts.is_some()
    }
}

impl LaneQueues {
    /// Probes all parts of these lanes for their oldest due connections, the partition's own and the others'. A lane that
    /// cannot be probed is left out.
    ///
    /// # Errors
    /// That of the first lane, if no lane at all could be probed: then there is nothing to run for.
    pub(crate) async fn probe(
        connections: &Connections,
        lanes: Vec<Lane>,
        partition: Partition,
        now: Timestamp,
    ) -> Result<(Self, Vec<Unread>), StoreError> {
        let probes = lanes.iter().flat_map(|lane| (0..PARTS).map(move |number| (lane, number)));
        let probes = stream::iter(probes).map(|(lane, number)| async move {
            let limit = if partition.has(number) { PAGE } else { 1 };
            connections.due(lane, number, now, limit, None).await
        });
        let pages: Vec<_> = probes.buffered(PROBES).collect().await;
        let (mut queues, mut unread, mut pages) = (Vec::new(), Vec::new(), pages.into_iter());
        for lane in lanes {
            let pages: Vec<_> = pages.by_ref().take(PARTS.into()).collect();
            match pages.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(pages) => queues.push(LaneQueue::new(lane).probed(partition, pages)),
                Err(error) => unread.push(Unread { lane, error }),
            }
        }
        if queues.is_empty() && !unread.is_empty() {
            return Err(unread.swap_remove(0).error);
        }
        Ok((Self::new(connections.clone(), now, queues), unread))
    }

    fn new(connections: Connections, now: Timestamp, queues: Vec<LaneQueue>) -> Self {
        let ids = queues.iter().enumerate().map(|(id, queue)| (queue.lane.clone(), LaneId(id))).collect();
        Self { connections, now, queues, ids, reads: JoinSet::new(), turns: 0 }
    }

    /// The lane of work at this app's marketplace, if it is read.
    pub(crate) fn of_app(&self, app: &AppKeyPath) -> Option<LaneId> {
        self.ids.get(&Lane::App(app.clone())).copied()
    }

    /// For how many seconds each lane's oldest connection had been due.
    pub(crate) fn age_of_each(&self) -> impl Iterator<Item = (&Lane, i64)> {
        self.queues.iter().map(|queue| (&queue.lane, queue.oldest.map_or(0, |oldest| self.now.since(oldest).max(0))))
    }

    /// How old the oldest due connections were, given which lanes are stopped.
    pub(crate) fn ages(&self, is_stopped: impl Fn(&Lane) -> bool) -> Ages {
        let mut ages = Ages::default();
        for (lane, age) in self.age_of_each() {
            let oldest = if is_stopped(lane) { &mut ages.lane_stopped_seconds } else { &mut ages.oldest_due_seconds };
            *oldest = age.max(*oldest);
        }
        ages
    }

    /// Whether one of these lanes has more connections, taken or not yet read.
    pub(crate) fn has_more(&self, of: impl Fn(&Lane) -> bool) -> bool {
        !self.reads.is_empty() || self.queues.iter().any(|queue| queue.has_more() && of(&queue.lane))
    }

    /// How many connections were read and not taken; they stay due.
    pub(crate) fn left(&self) -> usize {
        self.queues.iter().map(|queue| queue.ready.len()).sum()
    }

    /// Begins to read those of these lanes of which little is left, those first that have waited longest.
    pub(crate) fn read_ahead(&mut self, of: impl Fn(&Lane) -> bool) {
        let lanes = self.queues.iter().filter(|queue| queue.has_more()).count().max(1);
        let batch = (ITEMS / lanes).clamp(FEWEST, Connections::BATCH);
        while self.reads.len() < READS {
            let low = self.queues.iter_mut().enumerate();
            let is_low = |queue: &LaneQueue| queue.parts.is_some() && queue.ready.len() <= batch / 2;
            let low = low.filter(|(_, queue)| is_low(queue) && of(&queue.lane));
            let Some((id, queue)) = low.min_by_key(|(_, queue)| (queue.ready.len(), queue.last_turn)) else { return };
            let Some(parts) = queue.parts.take() else { return };
            let read = read(self.connections.clone(), queue.lane.clone(), self.now, parts, batch);
            self.reads.spawn(async move { (LaneId(id), read.await) }.in_current_span());
        }
    }

    /// Waits for a read to end. Never ends while nothing is read.
    ///
    /// # Errors
    /// The lane that could not be read.
    pub(crate) async fn arrives(&mut self) -> Result<Option<Unread>, JoinError> {
        let Some(read) = self.reads.join_next().await else { return future::pending().await };
        let (LaneId(id), batch) = read?;
        let Some(queue) = self.queues.get_mut(id) else { return Ok(None) };
        Ok(match batch {
            Ok(Batch { dues, parts }) => {
                queue.ready.extend(dues);
                queue.parts = Some(parts).filter(|parts| !parts.is_empty());
                None
            }
            Err(error) => Some(Unread { lane: queue.lane.clone(), error }),
        })
    }

    /// Takes the oldest read connection of the lane with the fewest under way, of several such lanes that whose last turn was
    /// longest ago, among the lanes that `may` give one now, by how many of theirs are under way.
    pub(crate) fn take(&mut self, may: impl Fn(&Lane, usize) -> bool) -> Option<(LaneId, Due)> {
        let ready = self.queues.iter_mut().enumerate();
        let ready = ready.filter(|(_, queue)| !queue.ready.is_empty() && may(&queue.lane, queue.under_way));
        let (id, queue) = ready.min_by_key(|(_, queue)| (queue.under_way, queue.last_turn))?;
        self.turns += 1;
        queue.last_turn = self.turns;
        queue.ready.pop_front().map(|due| (LaneId(id), due))
    }

    /// A connection of this lane is under way.
    pub(crate) fn begin(&mut self, LaneId(id): LaneId) {
        if let Some(queue) = self.queues.get_mut(id) {
            queue.under_way += 1;
        }
    }

    /// A connection of this lane is no longer under way.
    pub(crate) fn end(&mut self, LaneId(id): LaneId) {
        if let Some(queue) = self.queues.get_mut(id) {
            queue.under_way = queue.under_way.saturating_sub(1);
        }
    }
}

/// Reads a lane's next connections, oldest first, with their items as far as one read brings them.
async fn read(
    connections: Connections,
    lane: Lane,
    now: Timestamp,
    mut parts: Vec<Part>,
    batch: usize,
) -> Result<Batch, StoreError> {
    let mut keys = Vec::with_capacity(batch);
    while keys.len() < batch {
        for part in &mut parts {
            while part.entries.is_empty()
                && let Some(cursor) = part.next.take()
            {
                *part = Part::new(part.number, connections.due(&lane, part.number, now, PAGE, Some(cursor)).await?);
            }
        }
        parts.retain(Part::has_more);
        let oldest = parts.iter_mut().min_by_key(|part| part.entries.front().map(|entry| entry.due_at));
        let Some(entry) = oldest.and_then(|part| part.entries.pop_front()) else { break };
        keys.push(entry.connection);
    }
    parts.retain(Part::has_more);
    let work = lane.work();
    let waits = |connection: &ConnectionKey| Pace::holds(connection, work);
    let mut items = HashMap::new();
    if !keys.iter().all(waits) {
        items = connections.get_batch(&keys).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the items are read one by one");
            HashMap::new()
        });
    }
    let dues = keys.into_iter().map(|connection| Due { item: items.remove(&connection), connection, work }).collect();
    Ok(Batch { dues, parts })
}

#[cfg(test)]
pub(crate) mod tests;
