//! Publishes the events that lie in the items, beside a run's work and never in its way: what the bus does not take, or
//! finds no place here, stays in its item and is due again.

use std::{
    collections::HashSet,
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use shop_keyring::{
    connection::{Connection, due::has_due_events, event},
    store::{ApplyError, Connections},
    time::Timestamp,
};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;
use uuid::Uuid;

use crate::bus::{EventBus, MOST_ENTRIES};

/// Items that are published together.
const TOGETHER: usize = 10;

/// Such batches under way at most.
const BATCHES: usize = 8;

/// Shortest wait before events are tried again that the bus did not take, in seconds.
const TRY_AGAIN_AFTER: i64 = 5 * 60;

/// Over how many seconds the next tries are spread.
const SPREAD: i64 = 10 * 60;

/// How long a run waits at its end for what is under way.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a run's events.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// The bus has taken them.
    pub(crate) published: u32,
    /// The bus has not.
    pub(crate) unpublished: u32,
    /// There is no bus.
    dropped: u32,
}

impl Told {
    const fn add(&mut self, more: Self) {
        self.published += more.published;
        self.unpublished += more.unpublished;
        self.dropped += more.dropped;
    }
}

/// One run's publishing.
#[derive(Debug)]
pub(crate) struct Publisher {
    outlet: Outlet,
    waiting: Vec<Connection>,
    batches: JoinSet<Told>,
    told: Told,
}

/// What a batch needs.
#[derive(Debug, Clone)]
struct Outlet {
    /// None: there is no bus any more, and what was written while there was one is dropped.
    bus: Option<EventBus>,
    connections: Connections,
    /// The bus takes nothing in this run: the others give way at once.
    down: Arc<AtomicBool>,
    /// The operator has been told that it did not take something.
    told: Arc<AtomicBool>,
}

impl Publisher {
    pub(crate) fn new(bus: Option<EventBus>, connections: Connections) -> Self {
        let outlet = Outlet { bus, connections, down: Arc::default(), told: Arc::default() };
        Self { outlet, waiting: Vec::new(), batches: JoinSet::new(), told: Told::default() }
    }

    /// Whether there is a place for another item.
    pub(crate) const fn has_room(&self) -> bool {
        self.waiting.len() < TOGETHER
    }

    /// Publishes the item's events soon, if they are due and there is a place.
    pub(crate) fn take(&mut self, item: &Connection, now: Timestamp) {
        if has_due_events(item, now) && self.has_room() {
            self.waiting.push(item.clone());
        }
        if !self.has_room() {
            self.begin();
        }
    }

    /// Begins to publish what waits, if there is a place.
    pub(crate) fn begin(&mut self) {
        while let Some(batch) = self.batches.try_join_next() {
            self.note(&batch);
        }
        if !self.waiting.is_empty() && self.batches.len() < BATCHES {
            let batch = self.outlet.clone().publish(std::mem::take(&mut self.waiting));
            self.batches.spawn(batch.in_current_span());
        }
    }

    /// Waits for a batch to be published, and begins with what waits. Never ends while none is under way.
    pub(crate) async fn makes_room(&mut self) {
        match self.batches.join_next().await {
            Some(batch) => {
                self.note(&batch);
                self.begin();
            }
            None => future::pending().await,
        }
    }

    /// Publishes what waits, and waits for what is under way, if it does not take long.
    pub(crate) async fn finish(mut self, until: Instant) -> Told {
        let patience = until.saturating_duration_since(Instant::now()).min(PATIENCE);
        let all = async {
            self.begin();
            while let Some(batch) = self.batches.join_next().await {
                self.note(&batch);
                self.begin();
            }
        };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!("events are still under way; they are published again if that was not written down");
        }
        if self.told.dropped > 0 {
            tracing::error!(
                alarm = "events_dropped",
                events = self.told.dropped,
                "items hold events, but this function has no EVENT_BUS: set it for all three functions, or for none"
            );
        }
        self.told
    }

    fn note(&mut self, batch: &Result<Told, JoinError>) {
        if let Ok(told) = batch {
            self.told.add(*told);
        } else {
            tracing::error!(alarm = "panic", "publishing broke off; the events stay due");
        }
    }
}

impl Outlet {
    async fn publish(self, items: Vec<Connection>) -> Told {
        let events: Vec<_> = items.iter().flat_map(|item| item.events.iter().map(move |event| (item, event))).collect();
        let mut taken = HashSet::new();
        for entries in events.chunks(MOST_ENTRIES) {
            taken.extend(self.put(entries).await);
        }
        let (done, left) = (count(taken.len()), count(events.len() - taken.len()));
        let told = match self.bus {
            Some(_) => Told { published: done, unpublished: left, dropped: 0 },
            None => Told { dropped: done, ..Told::default() },
        };
        join_all(items.iter().map(|item| self.write_down(item, &taken))).await;
        told
    }

    /// Answers which were taken.
    async fn put(&self, entries: &[(&Connection, &event::Event)]) -> Vec<Uuid> {
        let ids = entries.iter().map(|(_, event)| event.id);
        let Some(bus) = &self.bus else { return ids.collect() };
        if self.down.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let answer = bus.put(entries).await;
        let (first_refused, is_down) = match &answer {
            Ok(answers) => (answers.iter().find_map(|it| it.as_ref().err()), answers.iter().all(Result::is_err)),
            Err(error) => (Some(error), true),
        };
        if let Some(error) = first_refused
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::error!(alarm = "events_not_published", %error, "events wait in their items; they are tried again");
        }
        if is_down {
            self.down.store(true, Ordering::Relaxed);
        }
        let answers = answer.unwrap_or_default();
        ids.zip(answers).filter_map(|(id, taken)| taken.ok().map(|()| id)).collect()
    }

    /// Takes the published events out of the item, and puts it off if some are left that the bus did not take.
    async fn write_down(&self, item: &Connection, taken: &HashSet<Uuid>) {
        let tried: Vec<_> = item.events.iter().map(|event| event.id).collect();
        let failed = tried.iter().any(|id| !taken.contains(id));
        let taken: Vec<_> = tried.into_iter().filter(|id| taken.contains(id)).collect();
        let wait = TRY_AGAIN_AFTER + rand::random_range(0..=SPREAD);
        let written = self.connections.apply_to(Some(item.clone()), |item| {
            let (item, now) = (item.ok_or(())?, self.connections.now());
            let published = event::published(item, &taken, now);
            let left = published.as_ref().unwrap_or(item);
            let later = failed.then(|| event::publish_later(left, wait, now)).flatten();
            later.or(published).ok_or(())
        });
        if let Err(ApplyError::Store(error)) = written.await {
            tracing::warn!(connection = %item.connection, %error, "published events stay in their item, and are published again");
        }
    }
}

fn count(events: usize) -> u32 {
    u32::try_from(events).unwrap_or(u32::MAX)
}
