//! Temu's connections wait here, so that the calls to each of its apps keep a steady pace. They wait before they are
//! claimed: a claim that waits would run out.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU32,
    time::{Duration, Instant},
};

use shop_keyring::{
    connection::due::Work,
    names::{AppKeyPath, ConnectionKey, MarketplaceName},
};

use crate::event::Partition;

/// Connections of one app that wait at most. The others wait in the index: a lane that is limited in rate is read no faster
/// than it is worked on.
const MOST_WAITING: usize = 4;

/// Checks under way at a time. At the usual pace each takes well under a second, so this is reached only when Temu is
/// slow, and then it is no time to ask for more.
pub(crate) const MOST_AT_WORK: usize = 48;

/// One app's queue.
#[derive(Debug)]
struct Lane {
    waiting: VecDeque<ConnectionKey>,
    next_at: Instant,
}

/// The queues of all apps that have a pace.
#[derive(Debug)]
pub(crate) struct Pace {
    /// From one start to the next.
    interval: Duration,
    /// When the first may start: partitions that begin together do not call together.
    begin_at: Instant,
    lanes: BTreeMap<AppKeyPath, Lane>,
}

impl Pace {
    /// So many starts a second for each app, shared by the partitions that run side by side.
    pub(crate) fn new(per_second: NonZeroU32, partition: Partition) -> Self {
        let interval = Duration::from_secs(u64::from(partition.count)) / per_second.get();
        let share = interval * u32::from(partition.index) / u32::from(partition.count);
        Self { interval, begin_at: Instant::now() + share, lanes: BTreeMap::new() }
    }

    /// Whether this connection has to wait its turn for this kind of work.
    pub(crate) fn holds(connection: &ConnectionKey, work: Work) -> bool {
        work == Work::Marketplace && Self::holds_app(&connection.app)
    }

    /// Whether the connections of this app have to.
    pub(crate) fn holds_app(app: &AppKeyPath) -> bool {
        app.marketplace == MarketplaceName::Temu
    }

    /// Whether another connection of this app may wait.
    pub(crate) fn has_room(&self, app: &AppKeyPath) -> bool {
        self.lanes.get(app).is_none_or(|lane| lane.waiting.len() < MOST_WAITING)
    }

    /// Puts a connection into its app's queue, for which [`Self::has_room`].
    pub(crate) fn push(&mut self, connection: ConnectionKey) {
        let lane = self.lanes.entry(connection.app.clone());
        let lane = lane.or_insert_with(|| Lane { waiting: VecDeque::new(), next_at: self.begin_at });
        lane.waiting.push_back(connection);
    }

    /// Whether anything waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.values().all(|lane| lane.waiting.is_empty())
    }

    /// Forgets what waits for these apps; all of it stays due. Returns how many of each.
    pub(crate) fn drop_lanes(&mut self, of: impl Fn(&AppKeyPath) -> bool) -> Vec<(AppKeyPath, usize)> {
        self.lanes.extract_if(.., |app, _| of(app)).map(|(app, lane)| (app, lane.waiting.len())).collect()
    }

    /// Waits for the next one's turn. Never ends when nothing waits.
    pub(crate) async fn next(&mut self) -> ConnectionKey {
        let interval = self.interval;
        let waiting = self.lanes.values_mut().filter(|lane| !lane.waiting.is_empty());
        let Some(lane) = waiting.min_by_key(|lane| lane.next_at) else { return std::future::pending().await };
        tokio::time::sleep_until(lane.next_at.into()).await;
        // What was missed is not caught up: a pause must not end in a burst.
        lane.next_at = lane.next_at.max(Instant::now()) + interval;
        match lane.waiting.pop_front() {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(app: &str, n: usize) -> ConnectionKey {
        format!("temu/{app}/{n}").parse().unwrap()
    }

    fn pace(per_second: u32, count: u8) -> Pace {
        Pace::new(NonZeroU32::new(per_second).unwrap(), Partition { index: 0, count })
    }

    #[test]
    fn partitions_share_the_pace_exactly() {
        assert_eq!(pace(8, 1).interval, Duration::from_millis(125));
        assert_eq!(pace(8, 4).interval, Duration::from_millis(500));
        assert!((1_333..1_334).contains(&pace(3, 4).interval.as_millis()));
    }

    #[tokio::test]
    async fn each_app_keeps_its_own_steady_pace() {
        let mut pace = pace(50, 1);
        let started = Instant::now();
        for n in 0..6 {
            pace.push(key("us", n));
            pace.push(key("eu", n));
        }
        let mut order = Vec::new();
        while !pace.is_empty() {
            order.push(pace.next().await);
        }
        assert!(started.elapsed() >= Duration::from_millis(100), "five intervals of 20 ms, for both apps at once");
        let us: Vec<_> = order.iter().filter(|key| key.app.app.as_str() == "us").cloned().collect();
        assert_eq!(us, (0..6).map(|n| key("us", n)).collect::<Vec<_>>(), "oldest first");
    }

    #[tokio::test]
    async fn a_pause_ends_in_no_burst() {
        let mut pace = pace(20, 1);
        (0..3).for_each(|n| pace.push(key("us", n)));
        pace.next().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let since = Instant::now();
        pace.next().await;
        pace.next().await;
        assert!(since.elapsed() >= Duration::from_millis(45));
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut pace = pace(8, 1);
        let us = key("us", 0).app;
        for n in 0..MOST_WAITING {
            assert!(pace.has_room(&us));
            pace.push(key("us", n));
        }
        assert!(!pace.has_room(&us) && pace.has_room(&key("eu", 0).app));
        pace.push(key("eu", 0));
        assert_eq!(pace.drop_lanes(|app| app.app.as_str() == "us"), [(us, MOST_WAITING)]);
        assert!(!pace.is_empty());
        assert!(Pace::holds(&key("us", 1), Work::Marketplace) && !Pace::holds(&key("us", 1), Work::Chore));
        assert!(!Pace::holds(&"tiktok-shop/us/1".parse().unwrap(), Work::Marketplace));
    }
}
