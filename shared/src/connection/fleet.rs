//! The hourly count of the connections: one round over the index `listing`, walked in slices by many runs.
//!
//! A round is a value that is stored between the runs, so no run has to read a whole index. It holds counts per app and
//! status, and the place where the next slice begins: a few hundred bytes per app, however many connections there are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Status, due::SHARDS};
use crate::{
    names::{AppKeyPath, MarketplaceName},
    time::Timestamp,
};

const HOUR: i64 = 3_600;

/// A round that began longer ago than this, in seconds, says nothing about the present.
const ROUND_SECONDS: u64 = 86_400;

/// Counts of some of a shard's connections.
#[derive(Debug, Default)]
pub struct StatusPage {
    /// Connections by app and [`Status::NAMES`]; a status that no connection has is missing.
    pub counts: BTreeMap<(AppKeyPath, &'static str), u64>,
    /// Connections with a name or a status that this release does not know.
    pub unknown: u64,
    /// After which name the next page begins; `None` after the last page.
    pub next: Option<String>,
}

/// A place in the index `listing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The marketplace whose connections are read.
    pub marketplace: MarketplaceName,
    /// The shard, `0..`[`SHARDS`].
    pub shard: u8,
    /// The last name that was read in it.
    pub after: Option<String>,
}

impl Position {
    const FIRST: Self = Self { marketplace: MarketplaceName::ALL[0], shard: 0, after: None };

    /// The place after a page that ended with `next`; `None` at the end of the index.
    fn advance(&self, next: Option<String>) -> Option<Self> {
        if next.is_some() {
            return Some(Self { after: next, ..self.clone() });
        }
        let (marketplace, shard) = if self.shard + 1 < SHARDS {
            (self.marketplace, self.shard + 1)
        } else {
            let mut later = MarketplaceName::ALL.into_iter().skip_while(|it| *it != self.marketplace).skip(1);
            (later.next()?, 0)
        };
        Some(Self { marketplace, shard, after: None })
    }
}

/// One round of the count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    begun_at: Timestamp,
    /// Absent while parts of the index are left.
    completed_at: Option<Timestamp>,
    /// Where the next slice begins; absent once the round is complete.
    position: Option<Position>,
    /// Connections by app and status.
    counts: BTreeMap<AppKeyPath, BTreeMap<String, u64>>,
    /// Connections with a name or a status that the counting release does not know.
    unknown: u64,
}

impl Round {
    /// A round in which nothing has been counted yet.
    pub const fn begun_at(now: Timestamp) -> Self {
        Self { begun_at: now, completed_at: None, position: Some(Position::FIRST), counts: BTreeMap::new(), unknown: 0 }
    }

    /// The round to continue at `now`, given the stored one; `None` if that one is complete and no full hour has passed
    /// since.
    pub fn to_continue(stored: Option<Self>, now: Timestamp) -> Option<Self> {
        let hour = |at: Timestamp| at.0.div_euclid(HOUR);
        match stored {
            // In either direction: the item may come from a clock that was wrong.
            Some(round) if now.since(round.begun_at).unsigned_abs() < ROUND_SECONDS => match round.completed_at {
                None => Some(round),
                Some(at) => (hour(at) != hour(now)).then_some(Self::begun_at(now)),
            },
            _ => Some(Self::begun_at(now)),
        }
    }

    /// Where the next page begins; `None` if the round is complete.
    pub const fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// Adds the page that was read at [`Self::position`].
    pub fn add(&mut self, page: StatusPage, now: Timestamp) {
        for ((app, status), count) in page.counts {
            *self.counts.entry(app).or_default().entry(status.to_owned()).or_default() += count;
        }
        self.unknown += page.unknown;
        self.position = self.position.take().and_then(|position| position.advance(page.next));
        if self.position.is_none() {
            self.completed_at = Some(now);
        }
    }

    /// Connections by marketplace and status, with zeros for the marketplaces that are set up: a status that no
    /// connection has any more must not stay on a graph as it was.
    pub fn by_status(
        &self,
        set_up: impl IntoIterator<Item = MarketplaceName>,
    ) -> BTreeMap<(MarketplaceName, &'static str), u64> {
        let zeros = set_up.into_iter().flat_map(|marketplace| Status::NAMES.map(|status| ((marketplace, status), 0)));
        let mut by_status: BTreeMap<_, _> = zeros.collect();
        for (app, counts) in &self.counts {
            for status in Status::NAMES {
                if let Some(count) = counts.get(status) {
                    *by_status.entry((app.marketplace, status)).or_default() += count;
                }
            }
        }
        by_status
    }

    /// Active connections by app.
    pub fn active(&self) -> impl Iterator<Item = (&AppKeyPath, u64)> {
        let active = |counts: &BTreeMap<String, u64>| counts.get(Status::Active.as_str()).copied();
        self.counts.iter().filter_map(move |(app, counts)| Some((app, active(counts)?)))
    }

    /// Connections that the counting release could not read, or whose status this release does not know.
    pub fn unknown(&self) -> u64 {
        let later = |status: &String| !Status::NAMES.contains(&status.as_str());
        let of_later = self.counts.values().flatten().filter(|(status, _)| later(status)).map(|(_, count)| count);
        self.unknown + of_later.sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A full hour.
    const T0: Timestamp = Timestamp(1_795_222_800);

    fn page(app: &str, status: &'static str, count: u64, next: Option<&str>) -> StatusPage {
        let place = (app.parse().unwrap(), status);
        StatusPage { counts: BTreeMap::from([(place, count)]), unknown: 0, next: next.map(str::to_owned) }
    }

    fn complete(mut round: Round, now: Timestamp) -> Round {
        while round.position().is_some() {
            round.add(StatusPage::default(), now);
        }
        round
    }

    #[test]
    fn a_round_reads_every_shard_of_every_marketplace_once() {
        let mut round = Round::begun_at(T0);
        let mut seen = Vec::new();
        while let Some(Position { marketplace, shard, after }) = round.position().cloned() {
            // Each shard has two pages.
            let next = after.is_none().then(|| format!("{marketplace}/{shard}"));
            seen.push((marketplace, shard, after));
            round.add(StatusPage { next, ..StatusPage::default() }, T0);
        }
        let all = MarketplaceName::ALL.into_iter().flat_map(|marketplace| {
            (0..SHARDS).flat_map(move |shard| {
                [None, Some(format!("{marketplace}/{shard}"))].map(|after| (marketplace, shard, after))
            })
        });
        assert!(seen.into_iter().eq(all));
    }

    #[test]
    fn the_next_round_begins_at_the_full_hour_after_the_last_one_was_complete() {
        for (completed, now, begins) in [(5, 60, false), (5, 3_599, false), (5, 3_600, true), (3_700, 7_100, false)] {
            let round = complete(Round::begun_at(T0), T0.plus(completed));
            let continued = Round::to_continue(Some(round), T0.plus(now));
            assert_eq!(continued, begins.then(|| Round::begun_at(T0.plus(now))), "{completed} {now}");
        }
        assert_eq!(Round::to_continue(None, T0), Some(Round::begun_at(T0)));
    }

    #[test]
    fn an_incomplete_round_goes_on_for_a_day() {
        let mut round = Round::begun_at(T0);
        round.add(page("temu/us", "active", 3, Some("temu/us/7")), T0);
        for (now, goes_on) in [(60, true), (3_600, true), (86_399, true), (86_400, false), (-86_400, false)] {
            let now = T0.plus(now);
            let expected = if goes_on { round.clone() } else { Round::begun_at(now) };
            assert_eq!(Round::to_continue(Some(round.clone()), now), Some(expected), "{now:?}");
        }
    }

    #[test]
    fn every_status_of_a_marketplace_that_is_set_up_has_a_count() {
        let mut round = Round::begun_at(T0);
        for (app, count) in [("temu/us", 2), ("tiktok-shop/us", 5), ("temu/eu", 40)] {
            round.add(page(app, "active", count, None), T0);
        }
        round.add(StatusPage { unknown: 3, ..StatusPage::default() }, T0);
        let counted = round.by_status([MarketplaceName::Temu, MarketplaceName::Temu]);
        let of = |marketplace, status| counted.get(&(marketplace, status)).copied();
        assert_eq!(of(MarketplaceName::Temu, "active"), Some(42));
        assert_eq!(of(MarketplaceName::Temu, "pending"), Some(0));
        assert_eq!(of(MarketplaceName::TikTokShop, "active"), Some(5));
        assert_eq!(of(MarketplaceName::TikTokShop, "pending"), None);
        let active: Vec<_> = round.active().map(|(app, count)| (app.to_string(), count)).collect();
        assert_eq!(active, [("tiktok-shop/us".into(), 5), ("temu/eu".into(), 40), ("temu/us".into(), 2)]);
        assert_eq!(round.unknown(), 3);
    }

    proptest! {
        #[test]
        fn slices_count_what_one_walk_counts(pages in proptest::collection::vec((0..3_usize, 0..4_usize, 1..9_u64), 0..40)) {
            let apps = ["temu/us", "tiktok-shop/us", "tiktok-shop/uk"];
            let (mut whole, mut sliced) = (Round::begun_at(T0), Round::begun_at(T0));
            for (n, (app, status, count)) in pages.into_iter().enumerate() {
                let read = || page(apps[app], Status::NAMES[status], count, Some("temu/us/7"));
                whole.add(read(), T0);
                // Another run goes on with what is stored, a minute later.
                let stored = serde_json::from_value(serde_json::to_value(&sliced).unwrap()).unwrap();
                sliced = Round::to_continue(Some(stored), T0.plus(60 * i64::try_from(n).unwrap())).unwrap();
                sliced.add(read(), T0);
            }
            prop_assert_eq!(sliced, whole);
        }
    }
}
