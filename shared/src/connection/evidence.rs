//! Evidence of an app: what its marketplace said lately about all of its connections. Pure.
//!
//! A refusal can mean that the seller is gone, or that the marketplace refuses everybody for a while. Only the other
//! connections of the same app (its *lane*) can tell which. [`super::verdict`] reads this before it ends a connection.
//!
//! Evidence adds up ([`Evidence::plus`]), in any order and however late: each run counts in memory and adds its part to the
//! item `evidence/{marketplace}/{app}`, which all processes share. Old counts are dropped, so the item stays small.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::{Connection, ended::has_ended};
use crate::{
    names::{ConnectionKey, MarketplaceName},
    time::Timestamp,
};

/// Length of the periods in which responses are counted, in seconds.
const PERIOD: i64 = 15 * 60;

/// Periods that count: this one and the one before.
const PERIODS: usize = 2;

/// Up to this many first refusals are no mass refusal, whatever their share.
const REFUSALS_BELIEVED: u64 = 5;

/// A mass refusal is more than one in this many.
const SHARE_BELIEVED: u64 = 5;

/// How far the clocks of two processes may differ, in seconds. Each follows DynamoDB's `Date` header, which has whole
/// seconds and may be seconds old.
const CLOCKS_APART: i64 = 5;

/// What a marketplace is asked about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// For a new token set.
    Refresh,
    /// Whether the access token works.
    Check,
}

impl Call {
    /// What the schedule asks about the connections at this marketplace, as a rule.
    pub const fn of_schedule(marketplace: MarketplaceName) -> Self {
        if marketplace.has_refresh() { Self::Refresh } else { Self::Check }
    }

    /// Whether its refusal can end the connection. Where tokens are refreshed, a check can fail just because the access token
    /// has expired, so only the refresh tells.
    pub fn is_decisive(self, item: &Connection) -> bool {
        (self == Self::Refresh) == item.has_refresh()
    }
}

/// Responses of one lane to its decisive calls ([`Call::is_decisive`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// Counts of the latest periods, latest first.
    #[serde(default)]
    periods: Vec<Counts>,
    /// The connections that were accepted last, each once, latest first. Two, so that one of them is another.
    #[serde(default)]
    accepted: Vec<Accepted>,
}

/// Counts of one period. Second looks count in neither: they follow from the first ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Counts {
    /// When the period begins.
    begins_at: Timestamp,
    accepted: u64,
    /// First refusals.
    refused: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Accepted {
    connection: ConnectionKey,
    at: Timestamp,
}

impl Evidence {
    /// Adds that the marketplace accepted a call, with the time of its response. `item` is the connection as it was asked about.
    pub fn note_accepted(&mut self, item: &Connection, call: Call, at: Timestamp) {
        if has_ended(item) || !call.is_decisive(item) {
            return;
        }
        let first_look = u64::from(item.refused_at.is_none());
        let counts = Counts { begins_at: period(at), accepted: first_look, refused: 0 };
        let accepted = Accepted { connection: item.connection.clone(), at };
        *self = self.plus(&Self { periods: vec![counts], accepted: vec![accepted] });
    }

    /// Adds that the marketplace refused a call. A refusal at the known end of the authorization is no evidence, because a
    /// cohort that connected within an hour ends within an hour.
    pub fn note_refused(&mut self, item: &Connection, call: Call, at: Timestamp) {
        if has_ended(item) || !call.is_decisive(item) || item.refused_at.is_some() || item.is_at_end(at) {
            return;
        }
        let counts = Counts { begins_at: period(at), accepted: 0, refused: 1 };
        *self = self.plus(&Self { periods: vec![counts], accepted: Vec::new() });
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut periods = self.periods.clone();
        for counts in &other.periods {
            match periods.iter_mut().find(|known| known.begins_at == counts.begins_at) {
                Some(known) => {
                    known.accepted = known.accepted.saturating_add(counts.accepted);
                    known.refused = known.refused.saturating_add(counts.refused);
                }
                None => periods.push(*counts),
            }
        }
        periods.sort_by_key(|counts| Reverse(counts.begins_at));
        periods.truncate(PERIODS);

        let mut accepted: Vec<_> = self.accepted.iter().chain(&other.accepted).cloned().collect();
        accepted.sort_by(|one, two| two.at.cmp(&one.at).then_with(|| one.connection.cmp(&two.connection)));
        let mut seen = Vec::new();
        accepted.retain(|Accepted { connection, .. }| {
            let is_new = !seen.contains(connection);
            seen.push(connection.clone());
            is_new
        });
        accepted.truncate(2);
        Self { periods, accepted }
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.periods.is_empty() && self.accepted.is_empty()
    }

    /// Whether so many connections were refused in this period and the one before that it cannot be the sellers.
    pub fn is_mass_refusal(&self, now: Timestamp) -> bool {
        let (accepted, refused) = self.counts(now);
        refused > REFUSALS_BELIEVED && refused * SHARE_BELIEVED > accepted + refused
    }

    /// Acceptances and first refusals in this period and the one before.
    pub fn counts(&self, now: Timestamp) -> (u64, u64) {
        let this = period(now);
        let counted = self.periods.iter().filter(|counts| (this.plus(-PERIOD)..=this).contains(&counts.begins_at));
        counted.fold((0, 0), |(accepted, refused), counts| (accepted + counts.accepted, refused + counts.refused))
    }

    /// Whether another connection was accepted after `since`.
    pub fn has_accepted_another(&self, than: &ConnectionKey, since: Timestamp) -> bool {
        let after = since.plus(CLOCKS_APART);
        self.accepted.iter().any(|accepted| accepted.connection != *than && after < accepted.at)
    }
}

/// When the period of a moment begins.
const fn period(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(PERIOD) * PERIOD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::connection::{
        Reason, Status,
        fixtures::{T0, active, key, watched},
    };

    fn connection(n: u32) -> Connection {
        Connection { connection: key(&format!("seller-{n}")), ..active() }
    }

    fn evidence(accepted: u32, refused: u32, at: Timestamp) -> Evidence {
        let mut evidence = Evidence::default();
        (0..accepted).for_each(|n| evidence.note_accepted(&connection(n), Call::Refresh, at));
        (0..refused).for_each(|n| evidence.note_refused(&connection(n), Call::Refresh, at));
        evidence
    }

    fn arbitrary() -> impl Strategy<Value = Evidence> {
        let response = (0_u32..5, any::<bool>(), 0_i64..5 * PERIOD);
        proptest::collection::vec(response, 0..8).prop_map(|responses| {
            let mut evidence = Evidence::default();
            for (n, accepted, after) in responses {
                let (item, at) = (connection(n), T0.plus(after));
                if accepted {
                    evidence.note_accepted(&item, Call::Refresh, at);
                } else {
                    evidence.note_refused(&item, Call::Refresh, at);
                }
            }
            evidence
        })
    }

    proptest! {
        #[test]
        fn parts_may_be_added_in_any_order(a in arbitrary(), b in arbitrary(), c in arbitrary()) {
            prop_assert_eq!(a.plus(&b), b.plus(&a));
            prop_assert_eq!(a.plus(&b).plus(&c), a.plus(&b.plus(&c)));
            prop_assert_eq!(a.plus(&Evidence::default()), a.clone());
            prop_assert!(a.periods.len() <= 2 && a.accepted.len() <= 2);
        }
    }

    #[test]
    fn more_than_five_and_more_than_a_fifth_is_a_mass_refusal() {
        for (accepted, refused, is_mass) in
            [(0, 5, false), (0, 6, true), (24, 6, false), (23, 6, true), (80, 20, false), (79, 20, true)]
        {
            assert_eq!(evidence(accepted, refused, T0).is_mass_refusal(T0), is_mass, "{accepted}, {refused}");
        }
    }

    #[test]
    fn this_period_and_the_one_before_count() {
        let begins = period(T0);
        let evidence = evidence(0, 3, begins).plus(&evidence(0, 3, begins.plus(PERIOD)));
        assert!(evidence.is_mass_refusal(begins.plus(2 * PERIOD - 1)));
        assert!(!evidence.is_mass_refusal(begins.plus(2 * PERIOD)));
        assert_eq!(evidence.counts(begins.plus(2 * PERIOD)), (0, 3));
        assert_eq!(evidence.counts(begins.plus(3 * PERIOD)), (0, 0));
    }

    #[test]
    fn another_is_another_and_later() {
        let [mine, other] = [0, 1].map(connection);
        let mut evidence = Evidence::default();
        evidence.note_accepted(&other, Call::Refresh, T0.plus(CLOCKS_APART));
        assert!(!evidence.has_accepted_another(&mine.connection, T0), "the clocks may differ as much");
        evidence.note_accepted(&other, Call::Refresh, T0.plus(CLOCKS_APART + 1));
        for n in 0..3 {
            evidence.note_accepted(&mine, Call::Refresh, T0.plus(100 + n));
        }
        assert!(evidence.has_accepted_another(&mine.connection, T0), "it is not displaced by one that comes again");
        assert!(!evidence.has_accepted_another(&mine.connection, T0.plus(1)));
        assert!(evidence.has_accepted_another(&other.connection, T0.plus(50)));
    }

    #[test]
    fn only_first_looks_at_what_works_are_counted() {
        let mut evidence = Evidence::default();
        let doubted = Connection { refused_at: Some(T0.plus(-900)), refusals: 1, ..connection(1) };
        evidence.note_accepted(&doubted, Call::Refresh, T0);
        evidence.note_refused(&doubted, Call::Refresh, T0);
        assert_eq!(evidence.counts(T0), (0, 0), "second looks");
        assert!(evidence.has_accepted_another(&key("x"), T0.plus(-60)), "but accepted it was");

        let mut evidence = Evidence::default();
        let ended = Connection { status: Status::ReauthorizationRequired { reason: Reason::Refused }, ..active() };
        let at_end = Connection { authorization_expires_at: Some(T0), ..active() };
        evidence.note_refused(&at_end, Call::Refresh, T0);
        evidence.note_refused(&ended, Call::Refresh, T0);
        evidence.note_accepted(&ended, Call::Refresh, T0);
        evidence.note_refused(&active(), Call::Check, T0);
        evidence.note_accepted(&active(), Call::Check, T0);
        assert!(evidence.is_empty(), "{evidence:?}");
        evidence.note_refused(&watched(), Call::Check, T0);
        assert_eq!(evidence.counts(T0), (0, 1));
    }
}
