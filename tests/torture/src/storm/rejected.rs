//! All access tokens of a fleet are rejected at once, and every caller asks on demand, while Secrets Manager takes a limited
//! number of puts per second. A caller who gets 503 asks again after its `Retry-After`, and the schedule runs each minute.

use std::{collections::BTreeMap, time::Duration};

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Function, VendorApi};
use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use simulators::tiktok_shop::Rotation;

use super::{
    SLOTS, Setting, Sizes,
    asking::{Response, Told},
    fleet::{self, Cost, Fleet, RESTED},
};
use crate::{PartReport, Progress, world::Truth};

const ROTATIONS: [Rotation; 4] = [Rotation::OneTime, Rotation::Grace, Rotation::KeepOld, Rotation::Unchanged];

/// Callers at a time, each with a process of token-lookup: the slots are taken, and many wait or are put off.
const CALLERS: usize = SLOTS + 6;

/// Minutes within which all must have been renewed, beside what the schedule's puts alone would take.
const MINUTES: i64 = 30;

const MINUTE: i64 = 60;

/// Plays the scene in every rotation mode.
pub(super) async fn run(setting: Setting<'_>) -> PartReport {
    let Setting { sizes, seed, progress, .. } = setting;
    let mut report = PartReport::default();
    let puts = sizes.puts_of_schedule().to_string();
    let options = fleet::options(CALLERS).with_variable(Function::RefreshSweep, "VAULT_PUTS_PER_SECOND", &puts);
    let played = async {
        let fleet = Fleet::start(options, sizes.rejected, setting).await?;
        for (number, rotation) in ROTATIONS.into_iter().enumerate() {
            let mut random = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
            let mut rejected = fleet.sellers.clone();
            if !sizes.rejects_all {
                let share = rejected.len().div_ceil(ROTATIONS.len());
                rejected = rejected.into_iter().skip(number * share).take(share).collect();
            }
            rejected.shuffle(&mut random);
            Scene { fleet: &fleet, rotation, rejected, sizes, progress }.play(&mut random, &mut report).await?;
        }
        Ok::<_, String>(())
    };
    if let Err(error) = played.await {
        report.failures.push(format!("rejected at once: {error}"));
    }
    report
}

struct Scene<'a> {
    fleet: &'a Fleet,
    rotation: Rotation,
    /// In the order in which their callers ask.
    rejected: Vec<String>,
    sizes: Sizes,
    progress: &'a Progress,
}

impl Scene<'_> {
    async fn play(&self, random: &mut StdRng, report: &mut PartReport) -> Result<(), String> {
        let Self { fleet, rotation, rejected, sizes, .. } = self;
        let name = format!("rejected at once, {rotation:?}");
        fleet.stack.age(RESTED).await;
        fleet.stack.tiktok_shop().configure(|settings| settings.rotation = *rotation);
        let versions = fleet.versions().await;
        let before = fleet.begin();
        let throttle = AwsFault::new(FaultKind::Throttle).on("PutSecretValue").beyond(sizes.puts_per_second);
        let throttle = fleet.stack.secrets_manager().front().inject(throttle);
        let (told, opened, gave_up) = (Told::default(), self.openings(), self.gave_up());
        let minutes = self.rage(&versions, &told, random).await?;
        throttle.clear();

        let costs = fleet.costs(&before);
        let renewed = rejected.iter().filter(|seller| costs[*seller].stored == 1).count();
        report.check(renewed == rejected.len(), || {
            let wrong = rejected.iter().map(|seller| (seller, costs[seller])).find(|(_, cost)| cost.stored != 1);
            format!("{name}: {renewed} of {} have one new token set; first other: {wrong:?}", rejected.len())
        });
        let others: Vec<_> = costs.iter().filter(|(seller, _)| !rejected.contains(seller)).collect();
        let spared = others.iter().all(|(_, Cost { exchanges, stored })| (*exchanges, *stored) == (0, 0));
        report.check(spared, || format!("{name}: a connection was refreshed that nobody had asked for"));
        let (exchanges, unstored) = (fleet.exchanges(), fleet.unstored(&before));
        // One exchange for each connection, and another one only where the vault has stored nothing.
        let gave_up = self.gave_up() - gave_up;
        report.check(unstored == gave_up, || {
            format!("{name}: {unstored} exchanges are not stored, and {gave_up} ended without being stored")
        });
        let truth = Truth::of(&fleet.stack, &fleet.sellers).await;
        let lost = truth.iter().filter(|truth| !truth.current().is_some_and(|kept| kept.refreshes)).count();
        report.check(lost == 0, || format!("{name}: {lost} authorizations were lost"));
        report.failures.extend(fleet.broken(&truth).await.into_iter().map(|broken| format!("{name}: {broken}")));
        let (words, broken) = told.summary();
        report.failures.extend(broken.into_iter().map(|broken| format!("{name}: {broken}")));
        report.figure(
            name,
            format!(
                "{} connections renewed within {minutes} min by {exchanges} exchanges, {unstored} not stored, {lost} lost; {} \
                 puts throttled beyond {} a second, the vault's breaker opened {} times; {words}",
                rejected.len(),
                throttle.fired(),
                sizes.puts_per_second,
                self.openings() - opened
            ),
        );
        Ok(())
    }

    /// Everybody asks until everybody is served; gives the minutes that have passed.
    async fn rage(&self, versions: &BTreeMap<String, u64>, told: &Told, random: &mut StdRng) -> Result<i64, String> {
        let Self { fleet, rotation, rejected, sizes, progress } = self;
        let per_minute = i64::try_from(sizes.puts_of_schedule()).unwrap_or(1) * MINUTE;
        let most = MINUTES + i64::try_from(rejected.len()).unwrap_or(i64::MAX) / per_minute;
        // Each with the minute at which they ask.
        let mut asking: Vec<_> = rejected.iter().map(|seller| (0, seller)).collect();
        for minute in 0..=most {
            let (now, later): (Vec<_>, Vec<_>) = asking.into_iter().partition(|(at, _)| *at <= minute);
            asking = later;
            let vendor = fleet.stack.vendor();
            let calls: Vec<_> =
                now.into_iter().map(|(_, seller)| ask(&vendor, seller, versions[seller], told)).collect();
            let calls = stream::iter(calls).buffer_unordered(CALLERS);
            let tick = Duration::from_millis(random.random_range(0..2_000));
            let sweep = async {
                tokio::time::sleep(tick).await;
                fleet.stack.sweeper().sweep().await
            };
            let (responses, swept) = tokio::join!(calls.collect::<Vec<_>>(), sweep);
            swept.map_err(|error| format!("{rotation:?}: a run failed: {error}"))?;
            fleet.idle().await?;
            for (seller, response) in responses {
                if let Response::PutOff(seconds) = response {
                    asking.push((minute + (seconds + MINUTE - 1) / MINUTE, seller));
                }
            }
            let current = fleet.versions().await;
            let left = rejected.iter().filter(|seller| current.get(*seller) == versions.get(*seller)).count();
            progress.say(|| format!("{rotation:?}, minute {minute}: {left} of {} not renewed yet", rejected.len()));
            if left == 0 {
                return Ok(minute);
            }
            fleet.stack.age(MINUTE).await;
        }
        Err(format!("{rotation:?}: not all were renewed within {most} minutes"))
    }

    /// How often the vault's breaker has opened so far.
    fn openings(&self) -> usize {
        self.lines_with(&["the vault did not store a token set"])
    }

    /// How often a token set was given up because the vault did not store it.
    fn gave_up(&self) -> usize {
        self.lines_with(&["\"worked on\"", "\"keep_failed\""])
    }

    fn lines_with(&self, words: &[&str]) -> usize {
        let output = self.fleet.stack.output();
        output.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }
}

/// The response to one caller.
async fn ask<'a>(vendor: &VendorApi, seller: &'a String, version: u64, told: &Told) -> (&'a String, Response) {
    (seller, told.ask(vendor, seller, version).await)
}
