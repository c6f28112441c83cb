//! What is counted over the fleets of many vendors.

use super::world::PERCENT;

/// What ended a connection that its seller had left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// The marketplace's own word.
    Notified,
    /// Another connection was accepted.
    AcceptedAnother,
    /// A day had passed.
    Day,
    /// Seven days had passed, although many were refused.
    SevenDays,
}

/// Each ground, and its name.
pub(super) const GROUNDS: [(Ground, &str); 4] = [
    (Ground::AcceptedAnother, "another accepted"),
    (Ground::Notified, "deauthorization"),
    (Ground::Day, "a day"),
    (Ground::SevenDays, "seven days"),
];

/// The counts of one vendor, or of many.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Working connections that were asked in an incident, per kind, each once per incident.
    pub(super) asked: [u64; PERCENT.len()],
    /// Working connections that were ended.
    pub(super) wrongly_ended: [u64; PERCENT.len()],
    /// Incidents, and those in which the alarm rang.
    pub(super) incidents: [u64; PERCENT.len()],
    pub(super) alarmed: [u64; PERCENT.len()],
    /// Seconds for which they stayed ended.
    pub(super) ended_for: Vec<i64>,
    /// Seconds from the first refusal after the seller had left to the verdict.
    pub(super) verdict_after: Vec<i64>,
    /// What the verdicts on those were based on.
    pub(super) grounds: [u64; GROUNDS.len()],
    /// Connections that ended by mistake and were still ended when their seller left.
    pub(super) left_while_ended: u64,
    /// What must not be.
    pub(super) wrong: Vec<String>,
}

impl Tally {
    pub(super) fn count_ground(&mut self, ground: Ground) {
        for ((known, _), count) in GROUNDS.iter().zip(&mut self.grounds) {
            *count += u64::from(*known == ground);
        }
    }

    /// Adds what was counted for another vendor.
    pub(super) fn merge(&mut self, other: Self) {
        add(&mut self.asked, &other.asked);
        add(&mut self.wrongly_ended, &other.wrongly_ended);
        add(&mut self.incidents, &other.incidents);
        add(&mut self.alarmed, &other.alarmed);
        add(&mut self.grounds, &other.grounds);
        self.ended_for.extend(other.ended_for);
        self.verdict_after.extend(other.verdict_after);
        self.left_while_ended += other.left_while_ended;
        self.wrong.extend(other.wrong);
    }

    /// Puts what vendors have added in an order that does not depend on who was first.
    pub(super) fn sort(&mut self) {
        self.ended_for.sort_unstable();
        self.verdict_after.sort_unstable();
        self.wrong.sort_unstable();
    }
}

fn add(some: &mut [u64], others: &[u64]) {
    for (some, other) in some.iter_mut().zip(others) {
        *some += other;
    }
}

/// The value that so many percent of the sorted values do not exceed.
pub(super) fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_that_so_many_do_not_exceed() {
        let values: Vec<_> = (1..=200).collect();
        let percentiles = [0, 50, 99, 100].map(|percent| percentile(&values, percent));
        assert_eq!(percentiles, [Some(1), Some(100), Some(198), Some(200)]);
        assert_eq!(percentile(&[], 50), None);
    }
}
