//! A fleet that connected within one hour, from then on: what falls due when, if all is done at its time.

use std::{ops::Range, thread};

use shop_keyring::{connection::due::due_at, names::MarketplaceName};

use super::histogram::Histogram;
use crate::{
    Progress,
    sellers::{HOUR, Sellers},
};

/// Connections between two looks at the clock.
const AT_ONCE: usize = 256;

/// A fleet, and for how long it is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fleet {
    pub(super) marketplace: MarketplaceName,
    pub(super) connections: u64,
    pub(super) days: i64,
}

impl Fleet {
    /// Lets every connection live through the days, one after another, and counts what falls due.
    pub(super) fn live(self, seed: u64, threads: usize, progress: &Progress) -> Histogram {
        let threads = u64::try_from(threads).unwrap_or(1).max(1);
        let share = self.connections.div_ceil(threads);
        let shares = (0..threads).map(|thread| thread * share..((thread + 1) * share).min(self.connections));
        let mut all = Histogram::of_days(self.days);
        thread::scope(|scope| {
            let workers: Vec<_> =
                shares.map(|numbers| scope.spawn(move || self.live_some(numbers, seed, progress))).collect();
            for worker in workers {
                all.merge(&worker.join().expect("a thread ends"));
            }
        });
        all
    }

    fn live_some(self, numbers: Range<u64>, seed: u64, progress: &Progress) -> Histogram {
        let mut histogram = Histogram::of_days(self.days);
        let mut sellers = Sellers::new(self.marketplace, seed);
        let (begin, end) = (numbers.start, numbers.end);
        for number in numbers {
            let done = number - begin;
            if done.is_multiple_of(AT_ONCE as u64) {
                let of = end - begin;
                progress.say(|| format!("{}, {} days: a thread has {done} of its {of}", self.marketplace, self.days));
            }
            let mut item = sellers.connect(number, sellers.connects_at(number, HOUR));
            let mut next_due = due_at(&item);
            while let Some(due) = next_due {
                let done = sellers.work(&item, due);
                if !histogram.add(due, done.work) {
                    break;
                }
                (item, next_due) = (done.after, done.due);
            }
        }
        histogram
    }
}
