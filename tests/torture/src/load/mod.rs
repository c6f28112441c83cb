//! Everything at once, for minutes: tokens by connection and by shop, metadata, forced refreshes, new sellers and
//! sellers who are sent away, and a sweep each second that refreshes tokens which live for a minute.
//!
//! No answer may be an error, every token served must work, and no process may hold more memory at the end than after
//! the warm-up, within a tolerance of a few MiB and what the runtime itself keeps of every invocation.

mod memory;
mod mix;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use end_to_end::{Function, Options, Stack, schedule::Schedule};
use hdrhistogram::Histogram;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use self::{
    memory::{Growth, Memory},
    mix::{Action, Fleet},
};
use crate::{PartReport, Progress, Settings};

const MINUTES: u64 = 5;
const SHORT: Duration = Duration::from_secs(10);

/// Callers at a time.
const CALLERS: usize = 8;

/// Sellers who are connected at a time.
const SELLERS: usize = 40;
const SELLERS_IN_SHORT: usize = 10;

/// Seconds that an access token lives. Less than lookups want it to last unless they say so, for then they do not have
/// it refreshed: the sweep does, after 45 to 75 % of its life.
const ACCESS_LIFETIME: u64 = 50;

/// The first come due before a short run ends, none of them ends before it has been refreshed.
const ACCESS_LIFETIME_IN_SHORT: u64 = 20;

/// Microseconds; what takes longer counts as this.
const LONGEST: u64 = 120_000_000;

/// The share of the time that is warm-up.
const WARM_UP: u32 = 5;

/// Failures that are told in full.
const TOLD: usize = 10;

/// Runs the part.
pub(crate) async fn run(settings: &Settings) -> PartReport {
    let time =
        settings.minutes.map_or(if settings.short { SHORT } else { Duration::from_mins(MINUTES) }, Duration::from_mins);
    let callers = settings.concurrency.unwrap_or(CALLERS);
    let (sellers, lifetime) =
        if settings.short { (SELLERS_IN_SHORT, ACCESS_LIFETIME_IN_SHORT) } else { (SELLERS, ACCESS_LIFETIME) };
    let mut report = PartReport::new(format!("{} s with {callers} callers and {sellers} sellers", time.as_secs()));
    match started(callers, sellers, lifetime).await {
        Ok((stack, fleet, schedule)) => {
            Load::new(stack, fleet, time).carry_out(settings.seed, callers, &schedule).await.tell(&mut report);
        }
        Err(error) => report.check(false, || error),
    }
    report
}

async fn started(callers: usize, sellers: usize, lifetime: u64) -> Result<(Stack, Fleet, Schedule), String> {
    let mut options =
        Options::default().with_access_lifetime(lifetime).with_processes(Function::TokenLookup, callers.clamp(1, 4));
    for function in Function::ALL {
        options = options.with_variable(function, "LOG_LEVEL", "info");
    }
    let stack = Stack::start(options).await.map_err(|error| error.to_string())?;
    // On a slow machine the first token comes due before the last seller is connected.
    let schedule = Schedule::start(stack.sweeper(), Duration::from_secs(1));
    let fleet = Fleet::connect(&stack, sellers).await?;
    Ok((stack, fleet, schedule))
}

/// What is at work, and what was seen. Clones are the same.
#[derive(Clone)]
struct Load {
    stack: Arc<Stack>,
    fleet: Arc<Fleet>,
    seen: Arc<Mutex<Seen>>,
    progress: Arc<Progress>,
    begun: Instant,
    time: Duration,
}

#[derive(Default)]
struct Seen {
    /// Microseconds by what was asked.
    latencies: BTreeMap<Action, Histogram<u64>>,
    memory: Memory,
    samples: usize,
    /// The samples and the answers at the end of the warm-up.
    warm: Option<(usize, u64)>,
    runs: u64,
    refreshed: u64,
    failed: usize,
    failures: Vec<String>,
}

impl Load {
    fn new(stack: Stack, fleet: Fleet, time: Duration) -> Self {
        Self {
            stack: Arc::new(stack),
            fleet: Arc::new(fleet),
            seen: Arc::default(),
            progress: Arc::new(Progress::new("load")),
            begun: Instant::now(),
            time,
        }
    }

    async fn carry_out(self, seed: u64, callers: usize, schedule: &Schedule) -> Self {
        let calling = (0..callers).map(|caller| self.call(StdRng::seed_from_u64(seed ^ ((caller as u64) << 32))));
        tokio::join!(futures_util::future::join_all(calling), self.watch(schedule));
        self
    }

    /// One caller: one thing after the other.
    async fn call(&self, mut random: StdRng) {
        while self.begun.elapsed() < self.time {
            let (action, pick) = (self.fleet.settle_on(Action::random(&mut random)), random.random());
            let (stack, fleet) = (Arc::clone(&self.stack), Arc::clone(&self.fleet));
            let asked = Instant::now();
            // In a task of its own: an answer that does not come at all panics in the client.
            let done = tokio::spawn(async move { fleet.perform(&stack, action, pick).await }).await;
            let microseconds = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mut seen = self.seen();
            seen.note(action, microseconds);
            match done {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => seen.failure(failure),
                Err(broken) => seen.failure(format!("{}: {}", action.as_str(), said_by(broken))),
            }
        }
    }

    /// Looks after memory and sweeps, each second.
    async fn watch(&self, schedule: &Schedule) {
        let mut last = 0;
        while self.begun.elapsed() < self.time {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut seen = self.seen();
            if seen.warm.is_none() && self.begun.elapsed() >= self.time / WARM_UP {
                seen.warm = Some((seen.samples, seen.answers()));
            }
            seen.memory.sample(&self.stack);
            seen.samples += 1;
            for run in schedule.runs().after(last) {
                last = run.number;
                seen.note_run(&run.summary);
            }
            let (asked, failed) = (seen.answers(), seen.failed);
            self.progress.say(|| format!("{asked} answers, {failed} failed"));
        }
    }

    fn tell(&self, report: &mut PartReport) {
        let seen = self.seen();
        let seconds = self.time.as_secs_f64();
        for (action, latencies) in &seen.latencies {
            let rate = latencies.len() as f64 / seconds;
            let at = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000.0;
            let (middle, high, most) = (at(0.5), at(0.99), latencies.max() as f64 / 1_000.0);
            let told = format!(
                "{rate:.1} a second; half within {middle:.1} ms, 99 % within {high:.1} ms, all within {most:.1} ms"
            );
            report.figure(action.as_str(), told);
        }
        report.figure("sweeps", format!("{}, {} tokens refreshed by them", seen.runs, seen.refreshed));
        let (samples, answers) = seen.warm.unwrap_or_default();
        let growth = seen.memory.growth_since(samples);
        for process in &growth {
            let (function, warm, end) = (process.function, process.warm_kib, process.end_kib);
            report
                .figure(format!("memory of {function}"), format!("{warm} KiB after the warm-up, {end} KiB at the end"));
            // The others are invoked now and then.
            let lookups = if function == Function::TokenLookup { seen.answers() - answers } else { 0 };
            let sharing = growth.iter().filter(|other| other.function == function).count() as u64;
            let invocations = lookups / sharing.max(1);
            report.check(process.is_flat(invocations), || {
                let tolerated = Growth::tolerated_kib(invocations);
                format!("{function} grew by {} KiB; {tolerated} are tolerated", end.saturating_sub(warm))
            });
        }
        if growth.is_empty() {
            report.figure("memory", "not measured: there is no /proc here");
        }
        report.check(seen.runs > 0 && seen.latencies.len() > 1, || "there was no load".into());
        report.check(seen.refreshed > 0 || self.time <= SHORT, || "no token came due".into());
        report.failures.extend(seen.failures.iter().cloned());
        report.check(seen.failed <= TOLD, || format!("and {} more", seen.failed - TOLD));
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn answers(&self) -> u64 {
        self.latencies.values().map(Histogram::len).sum()
    }

    fn note(&mut self, action: Action, microseconds: u64) {
        if let Entry::Vacant(place) = self.latencies.entry(action)
            // These bounds and three digits are valid.
            && let Ok(none) = Histogram::new_with_bounds(1, LONGEST, 3)
        {
            place.insert(none);
        }
        if let Some(latencies) = self.latencies.get_mut(&action) {
            latencies.saturating_record(microseconds);
        }
    }

    fn note_run(&mut self, summary: &Result<serde_json::Value, String>) {
        self.runs += 1;
        match summary {
            Ok(summary) => {
                self.refreshed += summary["refreshed"].as_u64().unwrap_or_default();
                let bad = ["errors", "transient", "refused", "misconfigured"];
                if bad.iter().any(|count| summary[count] != 0) || summary.get("stopped").is_some() {
                    self.failure(format!("a sweep: {summary}"));
                }
            }
            Err(error) => self.failure(format!("a sweep: {error}")),
        }
    }

    fn failure(&mut self, failure: String) {
        self.failed += 1;
        if self.failures.len() < TOLD {
            self.failures.push(failure);
        }
    }
}

/// What a panic said.
fn said_by(broken: tokio::task::JoinError) -> String {
    let text = broken.to_string();
    let Ok(panic) = broken.try_into_panic() else { return text };
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or(text)
}
