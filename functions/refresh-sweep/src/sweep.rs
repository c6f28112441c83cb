//! One run: walks the lanes and the chores and works on what is due, a bounded number at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use shop_keyring::{
    connection::{
        Connection,
        claim::CLAIM_SECONDS,
        due::{Lane, Work},
        evidence::Call,
        next::{Next, next},
    },
    health::Admission,
    marketplace::Marketplace,
    metrics,
    names::AppKeyPath,
    protocol::{Protocol, outcome::Outcome},
    registry::{AppConfig, AppRegistry, RegistryError},
    store::{Connections, StoreError},
    time::Timestamp,
    vault::{PutPermits, Vault},
};

use crate::{
    at_work::{AtWork, Ended, Kind, Worked},
    bus::EventBus,
    config::Config,
    event::Partition,
    fleet::Counting,
    pace::{MOST_AT_WORK, Pace},
    publisher::Publisher,
    queue::{Due, LaneId, LaneQueues},
    registrar::Registrar,
    run::Run,
    shared_items::SharedItems,
    summary::{Stop, Summary},
};

/// How long a run claims when it does not know its deadline.
const CLAIMING: Duration = Duration::from_mins(1);

/// From how many seconds on a lane is behind and has a figure of its own: each costs money.
const BEHIND: i64 = 120;

/// When everything has to be over: a claim's time later, less what the answer takes.
const AFTER_CLAIMING: Duration = Duration::from_secs(CLAIM_SECONDS.unsigned_abs() - 2);

/// When to stop claiming: what is left of the Lambda's time must cover a whole claim. A deadline that is past at the
/// start means that it is not known.
pub(crate) fn claims_until(deadline: SystemTime) -> Instant {
    let claim = Duration::from_secs(CLAIM_SECONDS.unsigned_abs());
    let left = deadline.duration_since(SystemTime::now()).map_or(CLAIMING, |left| left.saturating_sub(claim));
    Instant::now() + left
}

/// The apps whose lanes a run reads; `None` if they are not known, so that nobody can say how old the oldest due connection is.
///
/// A stack that was just deployed has no registry yet, and that is no fault as long as it has no connections.
async fn apps_for(registry: &AppRegistry, connections: &Connections) -> Option<BTreeMap<AppKeyPath, AppConfig>> {
    match registry.current_if_set_up().await {
        Ok(registry) => Some(registry.iter().map(|(path, config)| (path.clone(), config.clone())).collect()),
        Err(RegistryError::Empty { .. }) if matches!(connections.exist().await, Ok(false)) => Some(BTreeMap::new()),
        Err(error) => {
            if matches!(error, RegistryError::Empty { .. }) {
                tracing::error!(alarm = "configuration_fault", %error, "there are connections, and no app is set up");
            }
            // The alarm of all else is in the log.
            None
        }
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
    let apps = apps_for(protocol.apps.registry(), &protocol.connections).await;
    let (knows_apps, apps) = (apps.is_some(), apps.unwrap_or_default());
    let now = protocol.connections.now();
    let lanes = apps.keys().cloned().map(Lane::App).chain([Lane::Chores]).collect();
    let breakers: BTreeSet<_> = apps.iter().flat_map(|(path, config)| config.all_breakers(path)).collect();
    let breakers: Vec<_> = breakers.into_iter().collect();
    let ((queues, unread), ()) = tokio::try_join!(
        LaneQueues::probe(&protocol.connections, lanes, partition, now),
        protocol.health.read(&protocol.connections, &breakers),
    )?;
    let counting = Counting::begin(
        &protocol.connections,
        knows_apps.then(|| apps.keys().cloned().collect()),
        partition,
        claims_until,
    );
    let rate = share(config.puts_per_second, partition.count);
    let permits = Arc::new(PutPermits::per_second(rate));
    // More at a time would wait for permits until their claims run out.
    let concurrency = config.concurrency.get().min(rate.get().saturating_mul(5));
    let mut run = Run::new(apps.keys().cloned(), concurrency as usize);
    for unread in &unread {
        run.record_unread(unread);
    }
    let sees_all_lanes = knows_apps && unread.is_empty();
    let mut places = Places {
        at_work: AtWork::new(protocol, permits),
        pace: Pace::new(config.temu_calls_per_second, partition),
        publisher: Publisher::new(bus, protocol.connections.clone()),
        registrar: Registrar::new(protocol, claims_until),
        queues,
        apps: &apps,
        now,
    };
    let mut shared = SharedItems::begin(protocol, breakers.clone()).await;
    loop {
        if claims_until <= Instant::now() && places.has_more(&run) {
            run.stop(Stop::Deadline);
        }
        run.see(|app| places.admission(app, Call::of_schedule(app.marketplace)));
        places.leave_stopped(&mut run);
        places.fill(&mut run);
        if places.is_empty(&run) {
            break;
        }
        places.publisher.begin();
        let may_publish = places.has_more(&run);
        tokio::select! {
            Some(ended) = places.at_work.next() => places.worked(ended, &mut run),
            connection = places.pace.next(), if places.at_work.count(Kind::Paced) < MOST_AT_WORK => {
                if claims_until <= Instant::now() {
                    run.stop(Stop::Deadline);
                    run.leave(1);
                } else {
                    let lane = places.queues.of_app(&connection.app);
                    places.at_work.begin(lane, connection, None, Work::Marketplace);
                }
            }
            arrived = places.queues.arrives() => match arrived {
                Ok(None) => {}
                Ok(Some(unread)) => run.record_unread(&unread),
                Err(_) => run.record_panic(),
            },
            () = places.publisher.makes_room(), if may_publish => {}
            () = shared.is_due() => shared.begin_exchange(),
        }
    }
    let Places { publisher, registrar, queues, .. } = places;
    run.leave_read(queues.left());
    let until = claims_until + AFTER_CLAIMING;
    let (told, registered, ()) = tokio::join!(publisher.finish(until), registrar.finish(until), shared.finish(until));
    run.record_webhooks(registered);
    metrics::events(told.published, told.unpublished);
    run.record_events(told);
    counting.finish().await;
    let ages = queues.ages(|lane| run.has_stopped(lane));
    // No data raises the alarm, too: better than a figure that leaves a lane out.
    if sees_all_lanes {
        metrics::oldest_due(ages.oldest_due_seconds);
    }
    metrics::lane_stopped(ages.lane_stopped_seconds);
    for (lane, age) in queues.age_of_each() {
        match lane {
            Lane::App(app) if run.leaves_alone(app) => metrics::lane_stopped_of(app, age),
            Lane::App(app) if age > BEHIND => metrics::oldest_due_of(app, age),
            Lane::App(_) | Lane::Chores => {}
        }
    }
    if partition.index == 0 {
        protocol.health.tell_of_hosts(&breakers, protocol.connections.now());
    }
    let summary = run.into_summary(ages);
    tracing::info!(summary = %serde_json::json!(summary), partition = partition.index, "sweep");
    Ok(summary)
}

/// Where due connections wait, and where the work on them is done.
struct Places<'a, M, V> {
    at_work: AtWork<'a, M, V>,
    /// Connections that wait for a pace of their own before they are worked on.
    pace: Pace,
    publisher: Publisher,
    registrar: Registrar<'a, M, V>,
    queues: LaneQueues,
    apps: &'a BTreeMap<AppKeyPath, AppConfig>,
    /// When the run began.
    now: Timestamp,
}

impl<M: Marketplace + 'static, V: Vault + 'static> Places<'_, M, V> {
    /// Forgets what waits for its pace in lanes that are stopped; all of it stays due. What was read of them is kept: a
    /// breaker may close again in a moment.
    fn leave_stopped(&mut self, run: &mut Run) {
        for (app, waiting) in self.pace.drop_lanes(|app| !run.takes_from(&Lane::App(app.clone()))) {
            run.leave(waiting);
            if let Some(id) = self.queues.of_app(&app) {
                (0..waiting).for_each(|_| self.queues.end(id));
            }
        }
    }

    /// Whether a lane that may be taken from has more.
    fn has_more(&self, run: &Run) -> bool {
        self.queues.has_more(|lane| run.takes_from(lane))
    }

    /// Whether nothing is left to wait for.
    fn is_empty(&self, run: &Run) -> bool {
        self.at_work.is_empty() && self.pace.is_empty() && !self.has_more(run)
    }

    /// Takes connections as long as there is room for any, and has more read.
    fn fill(&mut self, run: &mut Run) {
        self.queues.read_ahead(|lane| run.takes_from(lane));
        while let Some((id, due)) = self.take(run) {
            run.admit();
            self.assign(id, due, run);
        }
        self.queues.read_ahead(|lane| run.takes_from(lane));
    }

    /// Takes the next connection for which there is room.
    fn take(&mut self, run: &Run) -> Option<(LaneId, Due)> {
        let Self { at_work, pace, publisher, queues, .. } = self;
        let asking = at_work.count(Kind::Asks);
        let has_place = asking + at_work.count(Kind::Chore) < run.concurrency();
        let may_ask = has_place && asking < run.limit();
        queues.take(|lane, under_way| {
            let has_room = match lane {
                Lane::App(app) if under_way >= run.limit_of(app) => false,
                Lane::App(app) if Pace::holds_app(app) => pace.has_room(app),
                Lane::App(_) => may_ask,
                Lane::Chores => has_place && publisher.has_room(),
            };
            has_room && run.takes_from(lane)
        })
    }

    /// Hands a due connection to where its work is done.
    fn assign(&mut self, id: LaneId, Due { connection, item, work }: Due, run: &Run) {
        if let Some(item) = &item
            && work == Work::Chore
        {
            self.publisher.take(item, self.now);
        }
        match (item.as_ref().map(|item| next(item, self.now, work)), item) {
            (Some(Next::Publish), _) => {}
            // A refresh or a check may move the end. Where the lane is stopped, the reminder does not wait for it.
            (Some(Next::Remind), Some(item)) if self.asks_first(&item, run) => {}
            (Some(Next::RegisterWebhooks), Some(item)) => self.register(item, run),
            (next, item) => {
                // It needs no marketplace; without one its webhooks stay registered.
                if next == Some(Next::DeleteSecret) && run.leaves_alone(&connection.app) {
                    self.at_work.protocol.removals.pause();
                }
                self.queues.begin(id);
                if Pace::holds(&connection, work) {
                    self.pace.push(connection);
                } else {
                    self.at_work.begin(Some(id), connection, item, work);
                }
            }
        }
    }

    /// Takes note of what came of the work on a connection.
    fn worked(&mut self, Ended { lane, worked }: Ended, run: &mut Run) {
        if let Some(lane) = lane {
            self.queues.end(lane);
        }
        let Some(Worked { connection, outcome }) = worked else {
            run.record_panic();
            return;
        };
        run.record(&connection, &outcome);
        match outcome {
            Ok(Outcome::OnlyEvents(item)) => self.publisher.take(&item, self.now),
            Ok(Outcome::OnlyWebhooks(item)) => self.register(*item, run),
            _ => {}
        }
    }

    /// Whether this run asks the marketplace about the connection as well.
    fn asks_first(&self, item: &Connection, run: &Run) -> bool {
        let app = &item.connection.app;
        let call = match next(item, self.now, Work::Marketplace) {
            Next::Refresh => Call::Refresh,
            Next::Check => Call::Check,
            _ => return false,
        };
        let is_read = self.queues.of_app(app).is_some() && run.takes_from(&Lane::App(app.clone()));
        is_read && !matches!(self.admission(app, call), Admission::Refuse { .. })
    }

    /// What the breakers say about this call.
    fn admission(&self, app: &AppKeyPath, call: Call) -> Admission {
        let Some(config) = self.apps.get(app) else { return Admission::Pass };
        let protocol = self.at_work.protocol;
        protocol.health.admission(&config.breakers(app, call), protocol.connections.now())
    }

    fn register(&mut self, item: Connection, run: &Run) {
        let is_stopped = run.leaves_alone(&item.connection.app);
        self.registrar.take(item, is_stopped);
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
        assert_eq!(share(rate(3), 4), rate(1));
    }
}
