//! Everybody at once: overlapping sweeps, lookups that force a refresh, sellers who authorize again and vendors who
//! disconnect, over a fleet that is due. Each connection is exchanged once, nobody is told to authorize again for having
//! lost a race, and in the end all are served one and the same token.
//!
//! The actions of a round and their delays follow from the seed; how they really interleave is a matter of timing. The
//! fleet goes on from round to round, so a round alone is not the same as one among others.

mod plan;
mod storm;
mod verdict;

use std::{sync::Arc, time::Instant};

use end_to_end::{Function, Stack};

use self::plan::{Plan, Size};
use crate::{PartReport, Progress, Settings, world};

/// Rounds unless said otherwise.
const ROUNDS: u32 = 100;
const ROUNDS_SHORT: u32 = 3;

/// The usual size.
const FULL: Size = Size { fleet: 32, sweeps: 16, lookups: 50 };

/// The size for a machine with little time.
const SHORT: Size = Size { fleet: 12, sweeps: 8, lookups: 16 };

/// What all rounds together did.
#[derive(Debug, Default)]
struct Tally {
    sweeps: usize,
    lookups: usize,
    authorizations: usize,
    disconnects: usize,
    refreshes: usize,
    postponed: usize,
    slowest: f64,
}

/// Runs the part.
pub(crate) async fn run(settings: &Settings) -> PartReport {
    let rounds = settings.rounds.unwrap_or(if settings.short { ROUNDS_SHORT } else { ROUNDS });
    let mut size = if settings.short { SHORT } else { FULL };
    size.sweeps = settings.concurrency.unwrap_or(size.sweeps).max(1);
    let Size { fleet, sweeps, lookups } = size;
    let done = format!("{rounds} rounds of up to {sweeps} sweeps and {lookups} lookups over {fleet} connections");
    let mut report = PartReport::new(done);
    let mut tally = Tally::default();
    if let Err(error) = play(settings.seed, rounds, size, &mut tally, &mut report).await {
        report.failures.push(error);
    }
    let figures = [
        ("sweeps", tally.sweeps),
        ("lookups", tally.lookups),
        ("new authorizations", tally.authorizations),
        ("disconnects", tally.disconnects),
        ("refreshes at the marketplace", tally.refreshes),
        ("lookups put off with 503", tally.postponed),
    ];
    for (name, figure) in figures {
        report.figure(name, figure.to_string());
    }
    report.figure("slowest lookup", format!("{:.1} s", tally.slowest));
    report
}

async fn play(seed: u64, rounds: u32, size: Size, tally: &mut Tally, report: &mut PartReport) -> Result<(), String> {
    let progress = Progress::new("races");
    let begun = Instant::now();
    let stack = Arc::new(world::start(size.processes()).await?);
    let sellers = size.sellers();
    for seller in &sellers {
        world::add_seller(&stack, seller, 1);
    }
    connect_all(&stack, &sellers).await?;
    report.figure("ready after", format!("{} s", begun.elapsed().as_secs()));
    for round in 0..rounds {
        let plan = Plan::drawn(seed, round, size);
        let broken = play_round(&stack, &plan, tally).await;
        if !broken.is_empty() {
            eprintln!("---- {plan}\n{}----", world::lines_about(&stack, &verdict::named_in(&sellers, &broken)));
        }
        let failed = !broken.is_empty();
        report.failures.extend(broken.into_iter().map(|broken| format!("{plan}: {broken}")));
        progress.say(|| format!("{} of {rounds} rounds, {} did not hold", round + 1, report.failures.len()));
        if failed {
            return Err(format!("the rounds after {plan} were not played"));
        }
    }
    Ok(())
}

/// One round; afterwards all sellers are connected again.
async fn play_round(stack: &Arc<Stack>, plan: &Plan, tally: &mut Tally) -> Vec<String> {
    let played = async {
        let before = storm::prepare(stack, plan).await?;
        let stormed = storm::rage(stack, plan, &before).await?;
        let broken = verdict::pass(stack, plan, &before, &stormed, tally).await?;
        let gone: Vec<_> = plan.disconnecting().cloned().collect();
        connect_all(stack, &gone).await?;
        Ok::<_, String>(broken)
    };
    played.await.unwrap_or_else(|error| vec![error])
}

async fn connect_all(stack: &Stack, sellers: &[String]) -> Result<(), String> {
    let connected = futures_util::future::join_all(sellers.iter().map(|seller| world::connect(stack, seller))).await;
    connected.into_iter().collect()
}

impl Size {
    /// A process for each sweep and some for refreshes on demand; the lookups share theirs.
    fn processes(self) -> [(Function, usize); 4] {
        [
            (Function::OauthCallback, 3),
            (Function::RefreshOnDemand, self.sweeps / 2),
            (Function::RefreshSweep, self.sweeps),
            (Function::TokenLookup, self.lookups / 2),
        ]
    }
}
