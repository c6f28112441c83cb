//! How fast the due connections of a healthy app are refreshed, alone and beside a stopped app with very many overdue ones.
//!
//! Two test beds differ only in the stopped app's connections. They are measured alternately, so that other load on the
//! machine affects both, and medians are compared, so that one disturbed round does not decide. The app is stopped as in
//! production: the marketplace rejects its secret, so its circuit breaker opens in the sweeps before the first round. While
//! the rounds are measured, a sweep tries one of its connections whenever the breaker's time has passed.

use std::time::{Duration, Instant};

use crate::{
    args::Args,
    bed::Bed,
    measure::{Swept, grouped, line, ratio, sweep_all},
    process,
    rows::{self, App, HEALTHY, STOPPED},
};

/// Due connections of the healthy app in each round.
pub(crate) const DUE: u32 = 1_000;

/// Sweeps within which the hourly count of the fleet must be complete: each counts for four seconds.
const COUNTING: u32 = 50;

/// Results of all rounds.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// Overdue connections of the stopped app.
    pub(crate) stopped: u32,
    pub(crate) alone: Vec<Round>,
    pub(crate) beside: Vec<Round>,
    /// Calls for the stopped app in the rounds; the marketplace rejected each.
    pub(crate) tries: u64,
    /// The share of all cores' time in which they were idle.
    pub(crate) idle: f64,
}

/// Result of one round in one test bed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Refreshes per second, from the first invocation's start to the last one's end.
    pub(crate) rate: f64,
    /// AWS calls per refresh.
    pub(crate) calls: f64,
}

/// One test bed.
struct Side {
    name: &'static str,
    bed: Bed,
    /// Apps that are stopped here.
    stopped: u64,
    /// Connections of the healthy app so far.
    loaded: u32,
}

/// Measures both test beds alternately.
pub(crate) async fn measure(args: &Args) -> Result<Lanes, String> {
    let mut alone = Side::start(args, "alone", 0).await?;
    let mut beside = Side::start(args, "beside", 1).await?;
    let loaded = |count: u32| {
        let text = format!("lanes: {} overdue connections of the stopped app written", grouped(count.into()));
        line(&text, count == args.stopped);
    };
    rows::load(STOPPED, 0..args.stopped, |_| true, &beside.bed, loaded)?;
    alone.warm_up().await?;
    beside.warm_up().await?;
    let rejected = beside.bed.marketplace.rejected();
    let before = process::machine().ok_or("no /proc/stat")?;
    let mut lanes = Lanes { stopped: args.stopped, alone: Vec::new(), beside: Vec::new(), tries: 0, idle: 0.0 };
    for round in 0..args.rounds {
        // Each is the first in every other round: load that grows or shrinks steadily favours neither.
        if round.is_multiple_of(2) {
            lanes.alone.push(alone.round().await?);
            lanes.beside.push(beside.round().await?);
        } else {
            lanes.beside.push(beside.round().await?);
            lanes.alone.push(alone.round().await?);
        }
    }
    let after = process::machine().ok_or("no /proc/stat")?;
    let (idle, all) = (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1));
    lanes.idle = idle.as_secs_f64() / all.as_secs_f64().max(0.01);
    lanes.tries = beside.bed.marketplace.rejected() - rejected;
    Ok(lanes)
}

impl Side {
    /// Both apps are in the registry, whether the second one has connections or not.
    async fn start(args: &Args, name: &'static str, stopped: u64) -> Result<Self, String> {
        let apps: [App; 2] = [HEALTHY, STOPPED];
        let bed = Bed::start(args.concurrency, Duration::from_millis(args.latency.into()), &apps).await?;
        Ok(Self { name, bed, stopped, loaded: 0 })
    }

    /// Opens connections to the emulators and, where the app is to be stopped, its circuit breaker, and completes the hourly
    /// count of the fleet, which belongs to no refresh.
    async fn warm_up(&mut self) -> Result<(), String> {
        self.round().await?;
        for _ in 0..COUNTING {
            let front = self.bed.dynamodb.front();
            front.forget_calls();
            self.bed.sweep().await?;
            if front.queries_on("connections/index/listing") == 0 {
                return Ok(());
            }
        }
        Err(format!("lanes: the fleet was not counted within {COUNTING} sweeps"))
    }

    /// Adds due connections of the healthy app and refreshes them.
    async fn round(&mut self) -> Result<Round, String> {
        let from = self.loaded;
        self.loaded += DUE;
        rows::load(HEALTHY, from..self.loaded, |_| true, &self.bed, |_| {})?;
        let fronts = [self.bed.dynamodb.front(), self.bed.vault.front()];
        for front in fronts {
            front.forget_calls();
        }
        let began = Instant::now();
        let Swept { refreshed, lanes_stopped, .. } = sweep_all(&self.bed, DUE).await?;
        let took = began.elapsed();
        let marketplace = &self.bed.marketplace;
        if lanes_stopped != self.stopped || marketplace.refused() != 0 {
            return Err(format!(
                "lanes, {}: {lanes_stopped} apps stopped, {} calls refused\n{}",
                self.name,
                marketplace.refused(),
                self.bed.last_lines()
            ));
        }
        let calls = fronts.iter().flat_map(|front| front.counters().into_values()).sum();
        let round = Round { rate: f64::from(DUE) / took.as_secs_f64().max(0.001), calls: ratio(calls, refreshed) };
        line(&format!("lanes, {}: {} refreshed, {:.1} a second", self.name, grouped(refreshed), round.rate), true);
        Ok(round)
    }
}

/// The middle one of these figures; between the two in the middle, their mean. 0 where there are none.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let upper = figures.get(figures.len() / 2).copied().unwrap_or_default();
    let lower = figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_ignores_one_disturbed_round() {
        let medians = [vec![3.0, 900.0, 1.0], vec![4.0, 1.0, 2.0, 3.0], vec![7.0], vec![]].map(median);
        assert_eq!(medians.map(|median| format!("{median:.1}")), ["3.0", "2.5", "7.0", "0.0"]);
    }
}
