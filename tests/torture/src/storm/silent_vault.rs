//! The vault stops storing in the middle of a run and of many refreshes on demand. How many tokens are spent by then and not
//! stored is bounded by what may be under way at a time; from then on one try at a time, at growing intervals, finds out
//! whether the vault stores again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use emulators::front::{Fault as AwsFault, FaultKind};
use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use simulators::tiktok_shop::{Fault, Rotation, Route, Trouble, When};
use tokio::{
    sync::{OwnedRwLockWriteGuard, RwLock},
    task::JoinHandle,
    time::sleep,
};

use super::{
    RUN_CONCURRENCY, SLOTS, Setting, Sizes,
    asking::Told,
    fleet::{self, Fleet},
};
use crate::{
    PartReport, Progress,
    world::{BACK_OFF, DUE, Truth},
};

/// The breaker, by the key of its item.
const BREAKER: &str = "health/vault/secrets-manager";

/// Services that ask at a time.
const CALLERS: usize = SLOTS + 4;

/// From one call of a service to its next.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the breaker may take to open, and a try to begin after its time. A put that hangs fails after four seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an exchange takes.
const EXCHANGE: Duration = Duration::from_millis(300);

/// Runs in which everything must have recovered, each after the longest backoff.
const RUNS: usize = 6;

const ROTATIONS: [Rotation; 4] = [Rotation::Unchanged, Rotation::OneTime, Rotation::KeepOld, Rotation::Grace];

/// Plays the scene with as many vaults as there are to be, side by side.
pub(super) async fn run(setting: Setting<'_>) -> PartReport {
    let scenes = join_all((0..setting.sizes.vaults).map(|number| play(number, setting)));
    let mut report = PartReport::default();
    for (name, played) in scenes.await {
        match played {
            Ok((words, broken)) => {
                report.figure(name.clone(), words);
                report.failures.extend(broken.into_iter().map(|broken| format!("{name}: {broken}")));
            }
            Err(error) => report.failures.push(format!("{name}: {error}")),
        }
    }
    report
}

async fn play(number: u32, setting: Setting<'_>) -> (String, Result<(String, Vec<String>), String>) {
    let Setting { sizes, seed, progress, .. } = setting;
    let seed = seed.wrapping_add(u64::from(number));
    let rotation = ROTATIONS[usize::try_from(seed % 4).unwrap_or_default()];
    let is_hanging = !(seed / 4 + seed).is_multiple_of(2);
    let how = if is_hanging { "hanging" } else { "throttled" };
    let name = format!("vault {how}, {rotation:?}");
    let played = async {
        let fleet = Arc::new(Fleet::start(fleet::options(CALLERS + 2), sizes.stored, setting).await?);
        progress.say(|| format!("{name}: {} connections", fleet.sellers.len()));
        Scene { fleet, sizes, rotation, is_hanging, random: StdRng::seed_from_u64(seed) }.play(&name, progress).await
    };
    let played = played.await;
    (name, played)
}

struct Scene {
    fleet: Arc<Fleet>,
    sizes: Sizes,
    rotation: Rotation,
    is_hanging: bool,
    random: StdRng,
}

impl Scene {
    async fn play(mut self, name: &str, progress: &Progress) -> Result<(String, Vec<String>), String> {
        let Self { fleet, sizes, rotation, .. } = &self;
        let (fleet, sizes, rotation) = (Arc::clone(fleet), *sizes, *rotation);
        let stack = &fleet.stack;
        let mut broken = Vec::new();
        stack.age(DUE).await;
        stack.tiktok_shop().configure(|settings| settings.rotation = rotation);
        stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Latency(When::AfterEffect, EXCHANGE)));
        let before = fleet.begin();
        let kind = if self.is_hanging { FaultKind::Latency(Duration::from_hours(1)) } else { FaultKind::Throttle };
        let good_puts = self.random.random_range(4..=fleet.sellers.len() as u64 / 4);
        let silence = AwsFault::new(kind).on("PutSecretValue").after(good_puts).always();
        let silence = stack.secrets_manager().front().inject(silence);
        let asking = Asking::begin(&fleet, &mut self.random);
        let mut runs = vec![sweep(&fleet)];

        until(PATIENCE, async || fleet.open_for(BREAKER).await.is_some())
            .await
            .map_err(|()| "the vault's breaker does not open")?;
        fleet.quiet().await;
        let at_opening = fleet.unstored(&before);
        let bound = SLOTS + RUN_CONCURRENCY;
        if at_opening > bound {
            broken.push(format!("{at_opening} tokens spent and not stored when the breaker opened, more than {bound}"));
        }
        let mut windows = Vec::new();
        for window in 1..=sizes.windows {
            let open_for = fleet.open_for(BREAKER).await.ok_or("the breaker closes while nothing is stored")?;
            progress.say(|| format!("{name}: window {window} of {open_for} s, {at_opening} not stored at the opening"));
            if sizes.is_patient {
                let calls = asking.pause().await;
                finish(&mut runs).await?;
                fleet.idle().await?;
                let open_for = fleet.open_for(BREAKER).await.unwrap_or_default();
                stack.age(open_for.max(0) + 1).await;
                drop(calls);
            } else {
                // What is under way may hold its claims: only the breaker's time passes.
                stack.age_connection(BREAKER, open_for.max(0) + 1).await;
            }
            let spent = fleet.exchanges();
            runs.push(sweep(&fleet));
            let tried = until(PATIENCE, async || fleet.exchanges() > spent).await;
            fleet.quiet().await;
            let spent = fleet.exchanges() - spent;
            windows.push(format!("{open_for} s: {spent}"));
            if tried.is_err() || spent > 1 {
                broken.push(format!("{spent} exchanges after the breaker had been open for {open_for} s, not one"));
            }
        }
        let in_windows = fleet.unstored(&before);
        if in_windows > at_opening + sizes.windows {
            broken.push(format!("{in_windows} not stored after {} windows", sizes.windows));
        }

        silence.clear();
        asking.end().await;
        finish(&mut runs).await?;
        fleet.idle().await?;
        stack.tiktok_shop().clear_faults(Route::TokenRefresh);
        let (lost, recovered) = self.recover(&mut broken).await?;
        let (words, wrong) = asking.told.summary();
        broken.extend(wrong);
        let words = format!(
            "{} connections; after {good_puts} puts none is stored: {at_opening} tokens spent and not stored at the opening, \
             exchanges after the breaker was open for {}; in the end {} renewed, {lost} lost; {words}",
            fleet.sellers.len(),
            windows.join(", "),
            recovered
        );
        Ok((words, broken))
    }

    /// The vault stores again. Gives the connections that are lost, and those that are renewed.
    async fn recover(&self, broken: &mut Vec<String>) -> Result<(usize, usize), String> {
        let Self { fleet, rotation, sizes, .. } = self;
        let mut truth = Vec::new();
        for _ in 0..RUNS {
            truth = Truth::of(&fleet.stack, &fleet.sellers).await;
            if truth.iter().all(|truth| !truth.is_alive() || is_renewed(truth)) {
                break;
            }
            fleet.stack.age(BACK_OFF).await;
            fleet.stack.sweeper().sweep().await.map_err(|error| format!("a run failed: {error}"))?;
        }
        let (alive, lost): (Vec<_>, Vec<_>) = truth.into_iter().partition(Truth::is_alive);
        let renewed = alive.iter().filter(|truth| is_renewed(truth)).count();
        if renewed < alive.len() {
            let first = alive.iter().find(|truth| !is_renewed(truth)).and_then(|truth| truth.item.as_ref());
            broken.push(format!("{} did not recover, first {first:?}", alive.len() - renewed));
        }
        broken.extend(fleet.broken(&alive).await);
        let bound = if *rotation == Rotation::OneTime { SLOTS + RUN_CONCURRENCY + sizes.windows } else { 0 };
        if lost.len() > bound {
            broken.push(format!("{} authorizations were lost, more than {bound}", lost.len()));
        }
        Ok((lost.len(), renewed))
    }
}

fn is_renewed(truth: &Truth) -> bool {
    let item = truth.item.as_ref();
    item.is_some_and(|item| item["token_version"].as_u64() >= Some(2) && item.get("attempt").is_none())
}

/// Begins a run of the schedule.
fn sweep(fleet: &Fleet) -> JoinHandle<Result<(), String>> {
    let sweeper = fleet.stack.sweeper();
    tokio::spawn(async move { sweeper.sweep().await.map(drop) })
}

/// Waits for the runs to end.
async fn finish(runs: &mut Vec<JoinHandle<Result<(), String>>>) -> Result<(), String> {
    for run in runs.drain(..) {
        run.await.map_err(|error| error.to_string())?.map_err(|error| format!("a run failed: {error}"))?;
    }
    Ok(())
}

/// Waits until it holds.
async fn until(patience: Duration, holds: impl AsyncFn() -> bool) -> Result<(), ()> {
    let begun = Instant::now();
    while !holds().await {
        if begun.elapsed() > patience {
            return Err(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Services that ask for refreshes on demand without end, each for one connection after the other.
struct Asking {
    told: Arc<Told>,
    /// Held for reading during each call.
    gate: Arc<RwLock<()>>,
    services: Vec<JoinHandle<()>>,
}

impl Asking {
    fn begin(fleet: &Arc<Fleet>, random: &mut StdRng) -> Self {
        let mut asking = Self { told: Arc::default(), gate: Arc::default(), services: Vec::new() };
        for _ in 0..CALLERS {
            let (fleet, told, gate) = (Arc::clone(fleet), Arc::clone(&asking.told), Arc::clone(&asking.gate));
            let mut sellers = fleet.sellers.clone();
            sellers.shuffle(random);
            asking.services.push(tokio::spawn(async move {
                let vendor = fleet.stack.vendor();
                for seller in sellers.iter().cycle() {
                    let call = gate.read().await;
                    told.ask(&vendor, seller, 1).await;
                    drop(call);
                    sleep(PAUSE).await;
                }
            }));
        }
        asking
    }

    /// Waits for the responses; nobody asks again until this is dropped.
    async fn pause(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.gate).write_owned().await
    }

    /// Waits for the responses; nobody asks any more.
    async fn end(&self) {
        let _calls = self.pause().await;
        self.services.iter().for_each(JoinHandle::abort);
    }
}
