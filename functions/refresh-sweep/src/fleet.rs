//! How the fleet stands: once an hour a run counts the connections by status, for the metric `Connections`, and tells of
//! those whose app is not in the registry: nobody reads their lanes.
//!
//! Nothing of the run waits for it but the end, and nothing fails by it: an hour that was not counted is a point that
//! the graph lacks. Of an hour counted twice, which a schedule may bring about, the metric's maximum is right.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use shop_keyring::{
    connection::{Status, due::SHARDS},
    metrics,
    names::{AppKeyPath, MarketplaceName},
    store::{Connections, StoreError},
    time::Timestamp,
};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::event::Partition;

/// Shards that are read at a time. A million connections are some four hundred pages.
const SHARDS_AT_ONCE: usize = 4;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Whether a run that begins at `now` counts: in the first minute of an hour, and of several schedules the first one.
const fn is_counted(now: Timestamp, partition: Partition) -> bool {
    partition.index == 0 && now.0.rem_euclid(HOUR) < MINUTE
}

/// Connections that were found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fleet {
    counts: BTreeMap<(MarketplaceName, &'static str), u64>,
    /// With a name or a status that this release does not know.
    unknown: u64,
    /// The apps of those that are active, and how many there are.
    active: BTreeMap<AppKeyPath, u64>,
}

impl Fleet {
    /// Nobody at all, which is a count too: a status that nobody has any more must not stay on a graph as it was.
    fn nobody(set_up: impl Iterator<Item = MarketplaceName>) -> Self {
        let each = |marketplace| Status::NAMES.map(|status| ((marketplace, status), 0));
        Self { counts: set_up.flat_map(each).collect(), ..Self::default() }
    }

    fn with(mut self, other: Self) -> Self {
        for (place, count) in other.counts {
            *self.counts.entry(place).or_default() += count;
        }
        for (app, count) in other.active {
            *self.active.entry(app).or_default() += count;
        }
        self.unknown += other.unknown;
        self
    }
}

/// A count under way beside the run; dropped, it ends.
pub(crate) struct Counting(JoinSet<()>);

impl Counting {
    /// Begins, if it is time. Gives up at `until`. `apps` are those of the registry, if it could be read.
    pub(crate) fn begin(
        connections: &Connections,
        apps: Option<Vec<AppKeyPath>>,
        partition: Partition,
        until: Instant,
    ) -> Self {
        let mut task = JoinSet::new();
        if is_counted(connections.now(), partition) {
            task.spawn(count_until(connections.clone(), apps, until).in_current_span());
        }
        Self(task)
    }

    /// Waits for what was begun.
    pub(crate) async fn finish(mut self) {
        while let Some(ended) = self.0.join_next().await {
            if ended.is_err() {
                tracing::warn!("the fleet was not counted: it panicked");
            }
        }
    }
}

/// All is written, or nothing.
async fn count_until(connections: Connections, apps: Option<Vec<AppKeyPath>>, until: Instant) {
    let nobody = Fleet::nobody(apps.iter().flatten().map(|app| app.marketplace));
    match tokio::time::timeout_at(until.into(), count(&connections, nobody)).await {
        Ok(Ok(Fleet { counts, unknown, active })) => {
            if let Some(apps) = apps {
                tell_of_those_without_an_app(&active, &apps.into_iter().collect());
            }
            for ((marketplace, status), count) in counts {
                metrics::connections(marketplace, status, count);
            }
            if unknown > 0 {
                tracing::warn!(
                    unknown,
                    "the fleet was counted without those of a name or a status that this release does not know"
                );
            }
        }
        Ok(Err(error)) => tracing::warn!(%error, "the fleet was not counted"),
        Err(_) => tracing::warn!("the fleet was not counted: the run's time is over"),
    }
}

/// What is due at a marketplace is read by the apps of the registry, so these connections are neither refreshed nor checked.
fn tell_of_those_without_an_app(active: &BTreeMap<AppKeyPath, u64>, apps: &BTreeSet<AppKeyPath>) {
    for (app, connections) in active.iter().filter(|(app, _)| !apps.contains(app)) {
        tracing::error!(
            alarm = "configuration_fault",
            %app,
            connections,
            "the registry has no such app that can be used: its active connections are neither refreshed nor checked"
        );
    }
}

/// Those of a marketplace that is no longer set up are counted as well.
async fn count(connections: &Connections, nobody: Fleet) -> Result<Fleet, StoreError> {
    let places =
        MarketplaceName::ALL.into_iter().flat_map(|marketplace| (0..SHARDS).map(move |shard| (marketplace, shard)));
    let shards = stream::iter(places).map(|(marketplace, shard)| count_shard(connections, marketplace, shard));
    shards.buffer_unordered(SHARDS_AT_ONCE).try_fold(nobody, async |fleet, shard| Ok(fleet.with(shard))).await
}

async fn count_shard(connections: &Connections, marketplace: MarketplaceName, shard: u8) -> Result<Fleet, StoreError> {
    let mut fleet = Fleet::default();
    let mut from = None;
    loop {
        let page = connections.statuses(marketplace, shard, from).await?;
        let mut counted = Fleet { unknown: page.unknown, ..Fleet::default() };
        for ((app, status), count) in page.counts {
            *counted.counts.entry((marketplace, status)).or_default() += count;
            if status == Status::Active.as_str() {
                counted.active.insert(app, count);
            }
        }
        fleet = fleet.with(counted);
        from = page.next;
        if from.is_none() {
            return Ok(fleet);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::queue::tests::table_at;

    const HALF_PAST: i64 = 1_795_221_000;
    const WHOLE: Partition = Partition { index: 0, count: 1 };

    #[test]
    fn the_first_minute_of_an_hour_counts() {
        let hour = HALF_PAST + HOUR / 2;
        for (seconds, counts) in [(-1, false), (0, true), (59, true), (60, false), (1_800, false), (HOUR, true)] {
            assert_eq!(is_counted(Timestamp(hour + seconds), WHOLE), counts, "{seconds}");
        }
    }

    #[test]
    fn a_day_of_runs_a_minute_counts_each_hour_once() {
        for phase in [0, 1, 37, 59] {
            let runs = (0..24 * 60).map(|run| Timestamp(HALF_PAST + run * MINUTE + phase));
            assert_eq!(runs.filter(|now| is_counted(*now, WHOLE)).count(), 24, "{phase}");
        }
    }

    #[test]
    fn of_several_schedules_one_counts() {
        let hour = Timestamp(HALF_PAST + HOUR / 2);
        for count in [1, 2, 4] {
            assert_eq!((0..count).filter(|&index| is_counted(hour, Partition { index, count })).count(), 1);
        }
    }

    #[tokio::test]
    async fn a_table_that_does_not_answer_is_waited_for_until_the_end_of_the_run() {
        // Connections are taken, and nothing is ever said.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let table = table_at(&format!("http://{}", silent.local_addr().unwrap()));
        let (began, patience) = (Instant::now(), Duration::from_millis(300));
        tokio::time::timeout(Duration::from_secs(10), count_until(table, None, began + patience))
            .await
            .expect("it gives up by itself");
        assert!(began.elapsed() >= patience, "{:?}", began.elapsed());
    }

    #[test]
    fn every_status_of_what_is_set_up_has_a_count_and_of_the_rest_what_is_there() {
        let nobody = || Fleet::nobody([MarketplaceName::Temu, MarketplaceName::Temu].into_iter());
        let zeros: Vec<_> = Status::NAMES.into_iter().map(|status| ((MarketplaceName::Temu, status), 0)).collect();
        assert!(nobody().counts.into_iter().eq(BTreeMap::from_iter(zeros)));
        let found = |marketplace, count| Fleet {
            counts: BTreeMap::from([((marketplace, "active"), count)]),
            unknown: 1,
            ..Fleet::default()
        };
        let shards = [(MarketplaceName::Temu, 2), (MarketplaceName::TikTokShop, 5), (MarketplaceName::Temu, 40)];
        let fleet =
            shards.into_iter().map(|(marketplace, count)| found(marketplace, count)).fold(nobody(), Fleet::with);
        let of = |marketplace, status| fleet.counts.get(&(marketplace, status)).copied();
        assert_eq!(of(MarketplaceName::Temu, "active"), Some(42));
        assert_eq!(of(MarketplaceName::Temu, "pending"), Some(0));
        assert_eq!(of(MarketplaceName::TikTokShop, "active"), Some(5));
        assert_eq!(of(MarketplaceName::TikTokShop, "pending"), None);
        assert_eq!(fleet.unknown, 3);
    }
}
