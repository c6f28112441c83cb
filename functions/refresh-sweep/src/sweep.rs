//! One run: walks what is due and works on it, a bounded number at a time.

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use shop_keyring::{
    connection::{
        Connection,
        claim::{CLAIM_SECONDS, Trigger},
        next::Next,
    },
    marketplace::Marketplace,
    metrics,
    names::{AppKeyPath, ConnectionKey},
    protocol::{Protocol, outcome::Outcome},
    registry::AppRegistry,
    store::StoreError,
    time::Timestamp,
    vault::{PutPermits, Vault},
};
use tokio::{sync::Semaphore, task::JoinSet};
use tracing::Instrument;

use crate::{
    bus::EventBus,
    config::Config,
    event::Partition,
    evidence::EvidenceWriter,
    fleet::{Counting, is_counted},
    pace::{MOST_AT_WORK, Pace},
    publisher::Publisher,
    queue::{Due, DueQueue},
    registrar::Registrar,
    run::Run,
    summary::{Stop, Summary},
};

/// How long a run claims when it does not know its deadline.
const CLAIMING: Duration = Duration::from_mins(1);

/// When everything has to be over: a claim's time later, less what the answer takes.
const AFTER_CLAIMING: Duration = Duration::from_secs(CLAIM_SECONDS.unsigned_abs() - 2);

/// Connections that are taken at a time before what waits gets its turn.
const AT_ONCE: usize = 100;

/// When to stop claiming: what is left of the Lambda's time must cover a whole claim. A deadline that is past at the
/// start means that it is not known.
pub(crate) fn claims_until(deadline: SystemTime) -> Instant {
    let claim = Duration::from_secs(CLAIM_SECONDS.unsigned_abs());
    let left = deadline.duration_since(SystemTime::now()).map_or(CLAIMING, |left| left.saturating_sub(claim));
    Instant::now() + left
}

/// The apps that a run may meet. One that has nothing to do does not ask: a stack that was just deployed has no registry
/// yet, and that is no fault.
async fn apps_for(registry: &AppRegistry, has_nothing_to_do: bool) -> Vec<AppKeyPath> {
    if has_nothing_to_do {
        return Vec::new();
    }
    match registry.current().await {
        Ok(registry) => registry.iter().map(|(path, _)| path.clone()).collect(),
        // Its alarm is in the log. What needs no app is done.
        Err(_) => Vec::new(),
    }
}

/// Works on everything that is due in the partition. Each connection is worked on in a task of its own, so that nothing
/// that this loop waits for can stall an exchange under way.
pub(crate) async fn sweep<M, V>(
    protocol: &Arc<Protocol<M, V>>,
    bus: Option<EventBus>,
    config: &Config,
    partition: Partition,
    claims_until: Instant,
) -> Result<Summary, StoreError>
where
    M: Marketplace + 'static,
    V: Vault + 'static,
{
    if claims_until <= Instant::now() {
        tracing::error!(alarm = "deadline_too_short", "the function's timeout does not cover a claim: set two minutes");
    }
    let now = protocol.connections.now();
    let mut queue = DueQueue::probe(&protocol.connections, partition, now).await?;
    // By the table's time, which the probe's answers have told.
    let is_counted = is_counted(protocol.connections.now(), partition);
    let apps = apps_for(protocol.apps.registry(), queue.is_empty() && !is_counted).await;
    let marketplaces = apps.iter().map(|app| app.marketplace);
    let counting = Counting::begin(&protocol.connections, marketplaces, partition, claims_until);
    let rate = share(config.puts_per_second, partition.count);
    let permits = Arc::new(PutPermits::per_second(rate));
    // More at a time would wait for permits until their claims run out.
    let concurrency = config.concurrency.get().min(rate.get().saturating_mul(5));
    metrics::oldest_due(queue.oldest_due_seconds());
    let mut run = Run::new(apps.into_iter(), concurrency as usize, queue.oldest_due_seconds());
    let mut lanes = Lanes {
        at_work: AtWork::new(protocol, permits),
        pace: Pace::new(config.temu_calls_per_second, partition),
        publisher: Publisher::new(bus, protocol.connections.clone()),
        registrar: Registrar::new(protocol, claims_until),
    };
    let mut evidence = EvidenceWriter::begin(protocol).await;
    let mut taken = 0_usize;
    loop {
        while lanes.at_work.unpaced() < run.limit() && run.goes_on() {
            if claims_until <= Instant::now() {
                run.stop(Stop::Deadline);
                break;
            }
            if lanes.at_work.tasks.is_empty() && lanes.pace.is_empty() {
                lanes.publisher.make_room().await;
            }
            match queue.take().await {
                Ok(Some(due)) => {
                    lanes.assign(due, now, &mut run);
                    taken += 1;
                    // Those that wait must not wait for the whole index to be read.
                    if taken.is_multiple_of(AT_ONCE) && !(lanes.at_work.tasks.is_empty() && lanes.pace.is_empty()) {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => run.record_unread_index(&error),
            }
        }
        let over = !run.goes_on();
        let left = lanes.pace.drop_lanes(|app| over || run.leaves_alone(app));
        run.leave(left);
        if lanes.at_work.tasks.is_empty() && lanes.pace.is_empty() {
            break;
        }
        lanes.publisher.begin();
        tokio::select! {
            Some(worked) = lanes.at_work.tasks.join_next() => match worked {
                Ok((connection, outcome)) => {
                    run.record(&connection, &outcome);
                    match outcome {
                        Ok(Outcome::OnlyEvents(item)) => {
                            lanes.publisher.take(&item, now);
                        }
                        Ok(Outcome::OnlyWebhooks(item)) => {
                            lanes.publisher.take(&item, now);
                            lanes.register(*item, &run);
                        }
                        _ => {}
                    }
                }
                Err(_) => run.record_panic(),
            },
            connection = lanes.pace.next(), if lanes.at_work.has_room_for_paced() => {
                if claims_until <= Instant::now() {
                    run.stop(Stop::Deadline);
                    run.leave(1);
                } else {
                    lanes.at_work.begin(connection, None);
                }
            }
            () = evidence.is_due() => evidence.begin_write(),
        }
    }
    if run.leaves_events() {
        publish_what_is_left(&mut queue, &mut lanes.publisher, now, claims_until).await;
    }
    let until = claims_until + AFTER_CLAIMING;
    let (told, registered, ()) =
        tokio::join!(lanes.publisher.finish(until), lanes.registrar.finish(until), evidence.finish(until));
    run.record_webhooks(registered);
    metrics::events(told.published, told.unpublished);
    run.record_events(told);
    counting.finish().await;
    let summary = run.into_summary();
    tracing::info!(summary = %serde_json::json!(summary), partition = partition.index, "sweep");
    Ok(summary)
}

/// What stops the work is no reason to keep the events of what is due behind it.
async fn publish_what_is_left(queue: &mut DueQueue, publisher: &mut Publisher, now: Timestamp, until: Instant) {
    while Instant::now() < until {
        publisher.make_room().await;
        match queue.take().await {
            Ok(Some(Due { item: Some(item), .. })) => {
                publisher.take(&item, now);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return,
        }
    }
}

/// Where the work on a due connection is done.
struct Lanes<'a, M, V> {
    at_work: AtWork<'a, M, V>,
    /// Connections that wait for a pace of their own before they are worked on.
    pace: Pace,
    publisher: Publisher,
    registrar: Registrar<'a, M, V>,
}

impl<M: Marketplace + 'static, V: Vault + 'static> Lanes<'_, M, V> {
    /// Hands a due connection to where its work is done, unless a breaker says to leave it alone.
    fn assign(&mut self, Due { connection, item }: Due, now: Timestamp, run: &mut Run) {
        match (item.as_ref().map(|item| self.publisher.take(item, now)), item) {
            (Some(Next::Publish), _) => run.admit_unclaimed(),
            (Some(Next::RegisterWebhooks), Some(item)) => {
                run.admit_unclaimed();
                self.register(item, run);
            }
            // The deletion of a secret needs no marketplace; without one its webhooks stay registered.
            (Some(Next::DeleteSecret), item) if run.leaves_alone(&connection.app) => {
                self.at_work.protocol.removals.pause();
                run.admit_unclaimed();
                self.at_work.begin(connection, item);
            }
            (_, item) if run.admit(&connection) => {
                if Pace::holds(&connection) {
                    run.leave(usize::from(!self.pace.push(connection)));
                } else {
                    self.at_work.begin(connection, item);
                }
            }
            _ => {}
        }
    }

    fn register(&mut self, item: Connection, run: &Run) {
        let is_stopped = run.leaves_alone(&item.connection.app);
        self.registrar.take(item, is_stopped);
    }
}

/// The connections that are being worked on, each in a task of its own.
struct AtWork<'a, M, V> {
    protocol: &'a Arc<Protocol<M, V>>,
    permits: Arc<PutPermits>,
    tasks: JoinSet<(ConnectionKey, Result<Outcome, StoreError>)>,
    /// One for each that has a pace of its own; these do not count towards the run's limit.
    paced: Arc<Semaphore>,
}

impl<'a, M: Marketplace + 'static, V: Vault + 'static> AtWork<'a, M, V> {
    fn new(protocol: &'a Arc<Protocol<M, V>>, permits: Arc<PutPermits>) -> Self {
        Self { protocol, permits, tasks: JoinSet::new(), paced: Arc::new(Semaphore::new(MOST_AT_WORK)) }
    }

    fn unpaced(&self) -> usize {
        (self.tasks.len() + self.paced.available_permits()).saturating_sub(MOST_AT_WORK)
    }

    fn has_room_for_paced(&self) -> bool {
        self.paced.available_permits() > 0
    }

    fn begin(&mut self, connection: ConnectionKey, item: Option<Connection>) {
        // Given back with the task, even if it panics.
        let place = Pace::holds(&connection).then(|| Arc::clone(&self.paced).try_acquire_owned());
        let (protocol, permits) = (Arc::clone(self.protocol), Arc::clone(&self.permits));
        let work = async move {
            let _place = place;
            let outcome = protocol.work(&connection, item, Trigger::Schedule, &permits).await;
            (connection, outcome)
        };
        self.tasks.spawn(work.in_current_span());
    }
}

/// A partition's share of the permits.
fn share(puts_per_second: NonZeroU32, partitions: u8) -> NonZeroU32 {
    NonZeroU32::new(puts_per_second.get() / u32::from(partitions)).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_in_the_past_is_unknown_and_a_short_one_leaves_no_claim() {
        let left = |deadline| claims_until(deadline).saturating_duration_since(Instant::now()).as_secs();
        assert!((59..=60).contains(&left(SystemTime::UNIX_EPOCH + Duration::from_mins(10))));
        assert_eq!(left(SystemTime::now() + Duration::from_secs(59)), 0);
        assert!((38..=40).contains(&left(SystemTime::now() + Duration::from_secs(100))));
    }

    #[test]
    fn permits_are_shared_and_never_none() {
        let rate = |n| NonZeroU32::new(n).unwrap();
        assert_eq!(share(rate(30), 1), rate(30));
        assert_eq!(share(rate(30), 4), rate(7));
        assert_eq!(share(rate(3), 16), rate(1));
    }
}
