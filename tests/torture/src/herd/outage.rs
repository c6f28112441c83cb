//! A fleet that is worked on at a bounded rate, and for which nothing succeeds for a while.
//!
//! The sweep's rate is bounded by its permits: with 32 exchanges of 300 ms at a time it could do a hundred a second. It
//! takes the oldest first, one run a minute, each claiming for a minute; so here work is continuous, and the few
//! connections that a run tries before the breaker stops it are left as due as the others.
//!
//! A sample stands for the fleet: with a tenth of the connections and a tenth of the rate, times are the same.

use std::{cmp::Reverse, collections::BinaryHeap};

use shop_keyring::{
    connection::{Connection, Status, due::due_at},
    names::MarketplaceName,
    time::Timestamp,
};

use super::histogram::Histogram;
use crate::{
    Progress,
    sellers::{DAY, HOUR, Sellers, T0},
};

/// Over how long a fleet in steady state has connected, and when it is met: after six cycles at least.
const GROWN_OVER: i64 = 150 * DAY;
const MET_AT: i64 = 200 * DAY;

/// Before that, for how long its work is measured.
const MEASURED: i64 = 40 * DAY;

/// A sample of a fleet, up to date until `now`.
#[derive(Debug)]
pub(super) struct Sample {
    sellers: Sellers,
    items: Vec<Connection>,
    now: Timestamp,
    /// Things done in the time that was measured.
    done: u64,
}

/// What became of a fleet that was worked on at a bounded rate.
#[derive(Debug)]
pub(super) struct Worked {
    /// Seconds until nothing was due any more for the first time.
    pub(super) drained_after: Option<i64>,
    /// The longest that anything was due, in seconds.
    pub(super) longest_due: i64,
    /// The least that was left of an access token when it was refreshed, or at the end; negative: it had ended.
    pub(super) least_left: i64,
    /// Connections that are not active any more.
    pub(super) lost: usize,
    /// The most that was done within a minute, per second of it and in the whole fleet's terms.
    pub(super) busiest: f64,
    /// What fell due from the return of the marketplace on.
    pub(super) due: Histogram,
}

/// How long a fleet is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Until nothing is due any more, so many days at most.
    Drained(i64),
    /// For so many days.
    Days(i64),
}

impl Until {
    const fn days(self) -> i64 {
        match self {
            Self::Drained(days) | Self::Days(days) => days,
        }
    }
}

impl Sample {
    /// A fleet in steady state: its sellers came one by one, and its phases are as the product has spread them.
    pub(super) fn steady(connections: u64, seed: u64, progress: &Progress) -> Self {
        let mut sellers = Sellers::new(MarketplaceName::TikTokShop, seed);
        let now = T0.plus(MET_AT);
        let mut done = 0;
        let lived = |number| {
            progress.say(|| format!("a fleet in steady state: {number} of {connections}"));
            let mut item = sellers.connect(number, sellers.connects_at(number, GROWN_OVER));
            let mut next_due = due_at(&item);
            while let Some(due) = next_due.filter(|due| *due < now) {
                let worked = sellers.work(&item, due);
                done += u64::from(now.since(due) <= MEASURED);
                (item, next_due) = (worked.after, worked.due);
            }
            item
        };
        let items = (0..connections).map(lived).collect();
        Self { sellers, items, now, done }
    }

    /// A fleet that has connected within the last hour.
    pub(super) fn of_one_hour(connections: u64, seed: u64) -> Self {
        let mut sellers = Sellers::new(MarketplaceName::TikTokShop, seed);
        let items = (0..connections).map(|number| sellers.connect(number, sellers.connects_at(number, HOUR))).collect();
        Self { sellers, items, now: T0.plus(HOUR), done: 0 }
    }

    /// What one connection needs a second: measured, and by the formula: each has a period of its own.
    pub(super) fn work_per_connection(&self) -> (f64, f64) {
        let measured = self.done as f64 / (self.items.len() as f64 * MEASURED as f64);
        let periods = self.items.iter().filter_map(|item| Some(due_at(item)?.since(item.refreshed_at?)));
        let formula = periods.map(|period| 1.0 / period as f64).sum::<f64>() / self.items.len() as f64;
        (measured, formula)
    }

    /// How many of this fleet each connection of the sample stands for.
    pub(super) fn stands_for(&self, fleet: f64) -> f64 {
        fleet / self.items.len() as f64
    }

    /// Nothing succeeds for `outage` seconds; then the fleet, which is `fleet` connections large, is worked on at this
    /// rate a second, oldest first.
    pub(super) fn work_after(&mut self, outage: i64, fleet: f64, rate: f64, until: Until) -> Worked {
        let scale = self.stands_for(fleet);
        let rate = rate / scale;
        let mut items = self.items.clone();
        let entries = items.iter().enumerate().filter_map(|(index, item)| Some(Reverse((due_at(item)?, index))));
        let mut queue: BinaryHeap<_> = entries.collect();
        let begin = self.now.plus(outage);
        let end = begin.plus(until.days() * DAY);
        let mut worked = Worked {
            drained_after: None,
            longest_due: 0,
            least_left: i64::MAX,
            lost: 0,
            busiest: 0.0,
            due: Histogram::of_days(until.days()),
        };
        let mut permits = Permits { rate, left: 1.0, at: begin };
        let mut minute = (0, 0_u32);
        let mut now = begin;
        while let Some(Reverse((due, index))) = queue.pop() {
            if due > now && worked.drained_after.is_none() {
                worked.drained_after = Some(now.since(begin));
                if matches!(until, Until::Drained(_)) {
                    break;
                }
            }
            now = permits.take(now.max(due));
            if now >= end {
                break;
            }
            let item = &items[index];
            worked.longest_due = worked.longest_due.max(now.since(due));
            worked.least_left = worked.least_left.min(item.access_left(now).unwrap_or(i64::MAX));
            let done = self.sellers.work(item, now);
            if due >= begin {
                worked.due.add(T0.plus(due.since(begin)), done.work);
            }
            minute = if minute.0 == now.0 / 60 { (minute.0, minute.1 + 1) } else { (now.0 / 60, 1) };
            worked.busiest = worked.busiest.max(f64::from(minute.1) * scale / 60.0);
            queue.extend(done.due.map(|due| Reverse((due, index))));
            items[index] = done.after;
        }
        for item in &items {
            worked.least_left = worked.least_left.min(item.access_left(now).unwrap_or(i64::MAX));
        }
        worked.lost = items.iter().filter(|item| item.status != Status::Active).count();
        worked
    }
}

/// Permits at a steady rate, one second's worth at a time.
#[derive(Debug)]
struct Permits {
    rate: f64,
    left: f64,
    at: Timestamp,
}

impl Permits {
    /// Takes one, at `now` or as soon as there is one; says when.
    fn take(&mut self, now: Timestamp) -> Timestamp {
        // The one that is being waited for comes on top, or what a wait of whole seconds brings too much would be lost.
        let most = self.rate + 1.0;
        let wait = ((1.0 - self.refilled(now, most)) / self.rate).ceil().max(0.0);
        #[expect(clippy::cast_possible_truncation, reason = "a wait is far below 2^52 s")]
        let at = now.plus(wait as i64);
        self.left = self.refilled(at, most) - 1.0;
        self.at = at;
        at
    }

    fn refilled(&self, at: Timestamp, most: f64) -> f64 {
        (self.left + at.since(self.at) as f64 * self.rate).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_keep_their_rate_and_save_up_no_more_than_a_second() {
        let mut permits = Permits { rate: 5.0, left: 1.0, at: T0 };
        let taken: Vec<_> = (0..21).map(|_| permits.take(T0).since(T0)).collect();
        assert_eq!(taken.iter().filter(|at| **at == 0).count(), 1);
        assert_eq!(taken.iter().filter(|at| **at == 3).count(), 5);
        assert_eq!(taken.last(), Some(&4));
        let later: Vec<_> = (0..7).map(|_| permits.take(T0.plus(100)).since(T0)).collect();
        let slow = Permits { rate: 0.6, left: 1.0, at: T0 };
        let last = (0..600).scan(slow, |slow, _| Some(slow.take(T0))).last();
        assert!((995..1_001).contains(&last.unwrap().since(T0)), "{last:?}");
        assert_eq!(later, [100, 100, 100, 100, 100, 100, 101]);
    }
}
