//! Everybody asks for refreshes on demand while something is wrong: all access tokens of a fleet are rejected at once and the
//! vault throttles; the vault stops storing; the marketplace's token host hangs. On the real stack, with ten slots of
//! refresh-on-demand, the schedule's runs and the circuit breakers that all processes share.
//!
//! Which connections are asked for, in which order, and when a fault begins follows from the seed; how the calls interleave is
//! a matter of timing. token-lookup runs here in a fixed number of processes, each with one call at a time, so no more
//! callers than that ask at a time; in AWS Lambda starts more of them. A small machine makes about 15 exchanges a second, so
//! there the vault's limit is reached with `--puts 10`, and by few calls with Secrets Manager's own 50.

mod asking;
mod fleet;
mod hanging_host;
mod rejected;
mod silent_vault;

use std::time::Duration;

use tokio::{runtime::Handle, sync::Barrier};

use crate::{PartReport, Progress, Settings};

/// Reserved concurrency of refresh-on-demand, as `make deploy` sets it.
const SLOTS: usize = 10;

/// Connections that a run works on at a time, as it is unless set.
const RUN_CONCURRENCY: usize = 32;

/// Every response of the API comes within this time.
const RESPONSE_WITHIN: Duration = Duration::from_secs(20);

/// What a scene is played with.
#[derive(Debug, Clone, Copy)]
struct Setting<'a> {
    sizes: Sizes,
    seed: u64,
    progress: &'a Progress,
    /// Where scenes that are played side by side wait for each other's stacks: starting them takes the whole machine.
    ready: &'a Barrier,
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Connections whose access tokens are rejected at once: all of them in each rotation mode, or a share in each.
    rejected: usize,
    rejects_all: bool,
    /// Puts that Secrets Manager takes per second.
    puts_per_second: usize,
    /// Connections of the vault that stops storing.
    stored: usize,
    /// How many such vaults there are.
    vaults: u32,
    /// How often the vault's circuit breaker is tried in vain.
    windows: usize,
    /// Whether each try at the vault is waited for until it gives up.
    is_patient: bool,
    /// How long the token host hangs, and how long is measured before and after.
    hangs_for: Duration,
    quiet_for: Duration,
    /// Refreshes on demand per second meanwhile, and the connections that they are for.
    asked_per_second: u32,
    asked: usize,
    /// Processes of token-lookup meanwhile.
    lookups: usize,
}

impl Sizes {
    fn of(settings: &Settings) -> Self {
        let number = |given: Option<u64>| given.and_then(|number| usize::try_from(number).ok());
        let (connections, puts) = (number(settings.connections), number(settings.puts));
        let lookups = settings.concurrency.map(|lookups| lookups.max(SLOTS));
        if settings.short {
            Self {
                rejected: connections.unwrap_or(60),
                rejects_all: false,
                puts_per_second: puts.unwrap_or(5),
                stored: 60,
                vaults: settings.rounds.unwrap_or(1),
                windows: 2,
                is_patient: false,
                hangs_for: settings.minutes.map_or(Duration::from_secs(20), Duration::from_mins),
                quiet_for: Duration::from_secs(3),
                asked_per_second: 10,
                asked: 60,
                lookups: lookups.unwrap_or(30),
            }
        } else {
            Self {
                rejected: connections.unwrap_or(5_000),
                rejects_all: true,
                puts_per_second: puts.unwrap_or(50),
                stored: 300,
                vaults: settings.rounds.unwrap_or(4),
                windows: 4,
                is_patient: true,
                hangs_for: Duration::from_mins(settings.minutes.unwrap_or(10)),
                quiet_for: Duration::from_secs(30),
                asked_per_second: 100,
                asked: 300,
                lookups: lookups.unwrap_or(40),
            }
        }
    }

    /// The schedule's share of the puts per second: 30 of 50, as it is unless set.
    const fn puts_of_schedule(&self) -> usize {
        let share = self.puts_per_second * 3 / 5;
        if share > 0 { share } else { 1 }
    }
}

/// Runs the part, on a thread of its own: what the scenes hold while they wait may stay there.
pub(crate) async fn run(settings: &Settings) -> PartReport {
    let (settings, runtime) = (settings.clone(), Handle::current());
    let played = tokio::task::spawn_blocking(move || runtime.block_on(play(&settings))).await;
    played.expect("the part ends")
}

async fn play(settings: &Settings) -> PartReport {
    let (sizes, progress) = (Sizes::of(settings), Progress::new("storm"));
    let mut report = PartReport::new(format!(
        "{} connections rejected at once, {} rotation mode; a vault that stops storing, {} times; a token host that hangs \
         for {} s",
        sizes.rejected,
        if sizes.rejects_all { "in each" } else { "a quarter in each" },
        sizes.vaults,
        sizes.hangs_for.as_secs()
    ));
    let stacks = if settings.short { 2 + sizes.vaults as usize } else { 1 };
    let ready = Barrier::new(stacks);
    let setting = Setting { sizes, seed: settings.seed, progress: &progress, ready: &ready };
    let rejected = rejected::run(setting);
    let silent = silent_vault::run(setting);
    let hanging = hanging_host::run(setting);
    let (rejected, silent, hanging) = if settings.short {
        tokio::join!(rejected, silent, hanging)
    } else {
        // Latencies are measured on a machine that does nothing else.
        let (rejected, silent) = tokio::join!(rejected, silent);
        (rejected, silent, hanging.await)
    };
    for scene in [rejected, silent, hanging] {
        report.figures.extend(scene.figures);
        report.failures.extend(scene.failures);
    }
    report
}
