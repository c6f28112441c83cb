//! How much falls due in each minute, by what there is to do.

use shop_keyring::time::Timestamp;

use crate::{
    sellers::{T0, Work},
    words::count,
};

/// What is counted, in the order of the counts.
pub(super) const KINDS: [(Work, &str); 5] = [
    (Work::Refresh, "refreshes"),
    (Work::Check, "checks"),
    (Work::Reminder, "reminders"),
    (Work::End, "ends"),
    (Work::AskedAgain, "asked again after the end"),
];

const MINUTES_OF_AN_HOUR: usize = 60;

/// Counts per minute from [`T0`] on. Memory depends on the time that is looked at, not on the fleet.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    minutes: Vec<[u32; KINDS.len()]>,
}

/// The most in one stretch of time, and the mean over all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) peak: u64,
    pub(super) mean: f64,
    /// The minute in which the peak begins.
    pub(super) at: usize,
}

impl Load {
    pub(super) fn ratio(&self) -> f64 {
        self.peak as f64 / self.mean
    }

    /// The peak beside its mean, and the day on which it is.
    pub(super) fn in_words(&self) -> String {
        let mean = if self.mean < 100.0 { format!("{:.1}", self.mean) } else { count(self.mean) };
        let day = self.at as f64 / (24.0 * 60.0);
        format!("at most {} = {:.2} × the mean {mean} (day {day:.1})", count(self.peak as f64), self.ratio())
    }

    /// Whether the peak is no more than `times` the mean. Five standard deviations of chance come on top, and five: that
    /// matters to small fleets only.
    pub(super) fn is_within(&self, times: f64) -> bool {
        let most = times * self.mean;
        self.peak as f64 <= most + 5.0 * most.sqrt() + 5.0
    }
}

impl Histogram {
    /// Of so many days.
    pub(super) fn of_days(days: i64) -> Self {
        let minutes = usize::try_from(days).unwrap_or_default() * 24 * MINUTES_OF_AN_HOUR;
        Self { minutes: vec![[0; KINDS.len()]; minutes] }
    }

    /// Notes what is due at this time; false if that is beyond what is looked at.
    pub(super) fn add(&mut self, at: Timestamp, work: Work) -> bool {
        let minute = usize::try_from(at.since(T0) / 60).ok().and_then(|minute| self.minutes.get_mut(minute));
        let kind = KINDS.iter().position(|(kind, _)| *kind == work);
        let Some((minute, kind)) = minute.zip(kind) else { return false };
        minute[kind] += 1;
        true
    }

    /// Adds what another has counted.
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.minutes.iter_mut().zip(&other.minutes) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
    }

    /// How many there were in all of this kind; of any, without one.
    pub(super) fn total(&self, kind: Option<Work>) -> u64 {
        self.counts(kind).sum()
    }

    /// The load per minute, from the first thing that is due to the end.
    pub(super) fn per_minute(&self, kind: Option<Work>) -> Load {
        self.load(kind, 1)
    }

    /// The load per hour: the hours of the clock, from the one of the first thing that is due to the last whole one.
    pub(super) fn per_hour(&self, kind: Option<Work>) -> Load {
        self.load(kind, MINUTES_OF_AN_HOUR)
    }

    fn load(&self, kind: Option<Work>, minutes: usize) -> Load {
        let counts: Vec<_> = self.counts(kind).collect();
        let begin = counts.iter().position(|count| *count > 0).unwrap_or(0) / minutes * minutes;
        let stretches = counts[begin..].chunks_exact(minutes).map(|chunk| chunk.iter().sum::<u64>());
        let mean = stretches.clone().sum::<u64>() as f64 / stretches.len().max(1) as f64;
        let (at, peak) = stretches.enumerate().max_by_key(|(_, count)| *count).unwrap_or_default();
        Load { peak, mean, at: begin + at * minutes }
    }

    fn counts(&self, kind: Option<Work>) -> impl Iterator<Item = u64> {
        let kind = kind.and_then(|work| KINDS.iter().position(|(kind, _)| *kind == work));
        self.minutes.iter().map(move |counts| match kind {
            Some(kind) => u64::from(counts[kind]),
            None => counts.iter().copied().map(u64::from).sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_and_means_count_from_the_first_thing_due() {
        let mut histogram = Histogram::of_days(1);
        for (minute, kind) in [(600, Work::Check), (600, Work::Reminder), (601, Work::Check), (1_439, Work::Check)] {
            assert!(histogram.add(T0.plus(minute * 60 + 59), kind));
        }
        assert!(!histogram.add(T0.plus(86_400), Work::Check), "beyond what is looked at");
        assert_eq!((histogram.total(None), histogram.total(Some(Work::Reminder))), (4, 1));
        let (minute, hour) = (histogram.per_minute(None), histogram.per_hour(None));
        assert_eq!((minute.peak, minute.at), (2, 600));
        assert!((minute.mean - 4.0 / 840.0).abs() < 1e-9, "{minute:?}");
        assert_eq!((hour.peak, hour.at), (3, 600));
        assert!((hour.mean - 4.0 / 14.0).abs() < 1e-9, "{hour:?}");
        let mut both = histogram.clone();
        both.merge(&histogram);
        assert_eq!(both.total(None), 8);
    }

    #[test]
    fn a_peak_is_told_beside_its_mean() {
        let load = Load { peak: 3, mean: 1.5, at: 720 };
        assert_eq!(load.in_words(), "at most 3 = 2.00 × the mean 1.5 (day 0.5)");
    }

    #[test]
    fn chance_is_granted_to_the_small_only() {
        let load = |peak, mean| Load { peak, mean, at: 0 };
        assert!(load(29, 3.0).is_within(3.0));
        assert!(!load(31, 3.0).is_within(3.0));
        assert!(!load(3_100_000, 1_000_000.0).is_within(3.0));
    }
}
