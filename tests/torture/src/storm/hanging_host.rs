//! The marketplace's token host hangs while callers ask for refreshes on demand. Lookups of other connections, whose tokens
//! are in memory, must not notice; and few exchanges may be spent on finding out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use hdrhistogram::Histogram;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use simulators::tiktok_shop::{Fault, Rotation, Route, Trouble, When};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Interval, MissedTickBehavior, interval, sleep},
};

use super::{
    SLOTS, Setting, Sizes,
    asking::Told,
    fleet::{self, Fleet, RESTED},
};
use crate::{
    PartReport,
    world::{BACK_OFF, Truth, connection},
};

/// Connections whose tokens work and are looked up.
const WARM: usize = 20;

/// Lookups of them per second.
const LOOKUPS_PER_SECOND: u32 = 20;

/// Connections that have to fail in a row before the breaker of a host opens, and how long it stays open, in seconds, the
/// first time and after each try in vain (`shared/src/health.rs`).
const FAILURES: usize = 5;
const WINDOWS: [u64; 5] = [60, 120, 240, 480, 900];

/// Calls that may have passed the gate while the fifth failure was being written: their processes had read the breaker just
/// before.
const MEANWHILE: usize = 5;

/// Between two runs of the schedule; in the short form there is time for two.
const MINUTE: Duration = Duration::from_mins(1);
const SHORT_MINUTE: Duration = Duration::from_secs(8);

/// The 95th percentile of the lookups during the hang may be so many times that of the quiet time before or after it, and so
/// much more. A lookup that waited for a slot or for somebody else's claim would take seconds.
const TIMES: f64 = 3.0;
const MORE_MILLIS: f64 = 500.0;

/// Processes of token-lookup that callers of refreshes leave to the lookups.
const KEPT_FREE: usize = 4;

/// Microseconds; what takes longer counts as this.
const LONGEST: u64 = 60_000_000;

/// Runs in which everything must have recovered, each after the longest backoff.
const RUNS: usize = 6;

/// Plays the scene.
pub(super) async fn run(setting: Setting<'_>) -> PartReport {
    let mut report = PartReport::default();
    if let Err(error) = play(setting, &mut report).await {
        report.failures.push(format!("token host hanging: {error}"));
    }
    report
}

async fn play(setting: Setting<'_>, report: &mut PartReport) -> Result<(), String> {
    let Setting { sizes, seed, progress, .. } = setting;
    let mut random = StdRng::seed_from_u64(seed);
    let when = if random.random() { When::BeforeEffect } else { When::AfterEffect };
    let fleet = Arc::new(Fleet::start(fleet::options(sizes.lookups), WARM + sizes.asked, setting).await?);
    let stack = &fleet.stack;
    // What was spent with an unknown outcome is not lost then.
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::KeepOld);
    stack.age(RESTED).await;
    let (warm, asked) = fleet.sellers.split_at(WARM);
    let mut asked = asked.to_vec();
    asked.shuffle(&mut random);
    let (in_quiet, in_hang) = asked.split_at(asked.len() / 4);
    let load = Load { fleet: Arc::clone(&fleet), warm: warm.to_vec(), sizes, told: Arc::default() };

    load.warm_up().await;
    let before = load.run(in_quiet, sizes.quiet_for).await?;
    progress.say(|| format!("the token host hangs for {} s", sizes.hangs_for.as_secs()));
    drop(fleet.begin());
    let begun = Instant::now();
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Hang(when)));
    let during = load.run(in_hang, sizes.hangs_for).await?;
    let (exchanges, hung_for) = (fleet.exchanges(), begun.elapsed());
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    let after = load.run(in_quiet, sizes.quiet_for).await?;

    let name = format!("token host hanging for {} s", sizes.hangs_for.as_secs());
    let phases = [("before", &before), ("during", &during), ("after", &after)];
    for (when, phase) in phases {
        report.figure(format!("{name}: {when}"), phase.in_words());
        report.failures.extend(phase.failures.iter().map(|failure| format!("{name}: {when}: {failure}")));
    }
    let quiet = before.percentile(0.95).max(after.percentile(0.95));
    let slow = during.percentile(0.95);
    // The short form runs beside other tests, which decide its latencies: it only reports them.
    if sizes.is_patient {
        report.check(during.left_out <= during.asked / 20, || {
            format!("{name}: callers pile up: {} found no process of token-lookup", during.left_out)
        });
        let bound = TIMES * quiet + MORE_MILLIS;
        report.check(slow <= bound, || {
            format!(
                "{name}: 95 % of the lookups within {slow:.0} ms, and within {quiet:.0} ms in quiet: more than {bound:.0} ms"
            )
        });
    }
    let most = FAILURES + SLOTS + MEANWHILE + windows_within(hung_for);
    report
        .check(exchanges <= most, || format!("{name}: {exchanges} exchanges with unknown outcomes, more than {most}"));
    report.check(exchanges >= FAILURES, || format!("{name}: only {exchanges} exchanges hung"));
    let recovered = recover(&fleet, &asked, &load.told, report, &name).await?;
    let (words, broken) = load.told.summary();
    report.failures.extend(broken.into_iter().map(|broken| format!("{name}: {broken}")));
    report.figure(
        name,
        format!(
            "95 % of the lookups {:.2} times as long as in quiet; {exchanges} exchanges with unknown outcomes, of at most \
             {most} ({when:?}); then {recovered} of {} renewed; {words}",
            slow / quiet,
            asked.len()
        ),
    );
    Ok(())
}

/// Openings of the breaker that end within this time, each with one try.
fn windows_within(time: Duration) -> usize {
    let ends = WINDOWS.iter().scan(0, |end, window| {
        *end += window;
        Some(*end)
    });
    ends.take_while(|end| *end <= time.as_secs()).count()
}

/// The host responds again; callers that got 503 ask again. Gives the connections that are renewed.
async fn recover(
    fleet: &Fleet,
    asked: &[String],
    told: &Told,
    report: &mut PartReport,
    name: &str,
) -> Result<usize, String> {
    let vendor = fleet.stack.vendor();
    let mut left = Vec::new();
    for _ in 0..RUNS {
        fleet.idle().await?;
        fleet.stack.age(BACK_OFF).await;
        // Those who were put off because nobody could try.
        fleet.stack.sweeper().sweep().await.map_err(|error| format!("a run failed: {error}"))?;
        let versions = fleet.versions().await;
        let is_left = |seller: &&String| versions.get(*seller).is_none_or(|version| *version < 2);
        left = asked.iter().filter(is_left).collect();
        if left.is_empty() {
            break;
        }
        // Those whose outcome is unknown.
        for seller in &left {
            told.ask(&vendor, seller, 1).await;
        }
    }
    report.check(left.is_empty(), || format!("{name}: {} of {} are not renewed", left.len(), asked.len()));
    let truth = Truth::of(&fleet.stack, &fleet.sellers).await;
    report.failures.extend(fleet.broken(&truth).await.into_iter().map(|broken| format!("{name}: {broken}")));
    Ok(asked.len() - left.len())
}

/// Lookups, callers who ask for refreshes on demand, and the schedule, all at their own pace.
struct Load {
    fleet: Arc<Fleet>,
    warm: Vec<String>,
    sizes: Sizes,
    told: Arc<Told>,
}

/// What was seen in a stretch of time.
#[derive(Debug)]
struct Phase {
    /// Latencies of the lookups, in microseconds.
    lookups: Histogram<u64>,
    failures: Vec<String>,
    /// Callers who asked for a refresh, those who found no process to ask, and the most who waited at a time.
    asked: usize,
    left_out: usize,
    most_waiting: usize,
}

impl Phase {
    /// Milliseconds.
    fn percentile(&self, quantile: f64) -> f64 {
        self.lookups.value_at_quantile(quantile) as f64 / 1_000.0
    }

    fn in_words(&self) -> String {
        format!(
            "{} lookups, half within {:.0} ms, 95 % within {:.0} ms, all within {:.0} ms; {} asked on demand, at most {} at a \
             time, {} left out",
            self.lookups.len(),
            self.percentile(0.5),
            self.percentile(0.95),
            self.lookups.max() as f64 / 1_000.0,
            self.asked,
            self.most_waiting,
            self.left_out
        )
    }
}

impl Load {
    /// For so long; gives what was seen, once every response has come.
    async fn run(&self, asked: &[String], time: Duration) -> Result<Phase, String> {
        let lookups = Histogram::new_with_bounds(1, LONGEST, 3).map_err(|error| error.to_string())?;
        let mut phase = Phase { lookups, failures: Vec::new(), asked: 0, left_out: 0, most_waiting: 0 };
        let until = Instant::now() + time;
        let (latencies, counts, swept) = tokio::join!(self.look_up(until), self.ask(asked, until), self.sweep(until));
        swept?;
        for (status, took) in latencies {
            phase.lookups.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            if status != 200 {
                phase.failures.push(format!("a lookup of a token that works: {status}"));
            }
        }
        (phase.asked, phase.left_out, phase.most_waiting) = counts;
        Ok(phase)
    }

    /// Each process of token-lookup has its cold start.
    async fn warm_up(&self) {
        let lookups = (0..self.sizes.lookups)
            .zip(self.warm.iter().cycle())
            .map(|(_, seller)| async move { self.fleet.stack.vendor().token(&connection(seller)).await });
        join_all(lookups).await;
    }

    async fn look_up(&self, until: Instant) -> Vec<(u16, Duration)> {
        let (mut calls, mut ticks) = (JoinSet::new(), every(LOOKUPS_PER_SECOND));
        for seller in self.warm.iter().cycle() {
            ticks.tick().await;
            if Instant::now() >= until {
                break;
            }
            let (vendor, seller) = (self.fleet.stack.vendor(), connection(seller));
            calls.spawn(async move {
                let begun = Instant::now();
                let answer = vendor.token(&seller).await;
                (answer.status, begun.elapsed())
            });
        }
        calls.join_all().await
    }

    /// Gives how many asked, how many found no process, and how many waited at a time.
    async fn ask(&self, asked: &[String], until: Instant) -> (usize, usize, usize) {
        let most = self.sizes.lookups - KEPT_FREE;
        let places = Arc::new(Semaphore::new(most));
        let (mut calls, mut ticks) = (JoinSet::new(), every(self.sizes.asked_per_second));
        let (mut count, mut left_out, mut least_free) = (0, 0, most);
        for seller in asked.iter().cycle() {
            ticks.tick().await;
            if Instant::now() >= until {
                break;
            }
            while calls.try_join_next().is_some() {}
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                left_out += 1;
                continue;
            };
            count += 1;
            least_free = least_free.min(places.available_permits());
            let (vendor, told, seller) = (self.fleet.stack.vendor(), Arc::clone(&self.told), seller.clone());
            calls.spawn(async move {
                told.ask(&vendor, &seller, 1).await;
                drop(place);
            });
        }
        calls.join_all().await;
        (count, left_out, most - least_free)
    }

    async fn sweep(&self, until: Instant) -> Result<(), String> {
        let minute = if self.sizes.is_patient { MINUTE } else { SHORT_MINUTE };
        loop {
            let next = Instant::now() + minute;
            self.fleet.stack.sweeper().sweep().await.map_err(|error| format!("a run failed: {error}"))?;
            if next >= until {
                return Ok(());
            }
            sleep(next.saturating_duration_since(Instant::now())).await;
        }
    }
}

/// So many ticks a second; what the machine was too busy for is left out.
fn every(per_second: u32) -> Interval {
    let mut ticks = interval(Duration::from_secs(1) / per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_counts_when_it_has_ended() {
        let within = [59, 60, 179, 180, 600, 900].map(|seconds| windows_within(Duration::from_secs(seconds)));
        assert_eq!(within, [0, 1, 1, 2, 3, 4]);
    }
}
