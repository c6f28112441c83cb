//! A function's process is killed (SIGKILL) at a step of its work; then everything goes on as usual, and nothing may have
//! been lost that was not lost at the marketplace.
//!
//! A round begins with sellers of its own. What happens to them, whose process is killed, at which call, whether that call
//! arrives all the same, and how the marketplace treats old tokens follows from the seed and the number of the round; what
//! the other connections of the round were doing at that moment does not, for that is a matter of timing. Processes are
//! used again until they are killed, so one may be in its cold start in one run and not in another.
//!
//! What may be lost is read from the vault right after the kill: if nothing lies there that the marketplace still takes,
//! then the only copy died with the process. That must have been possible at all, and it must be told. In every other
//! case the connection must go on.

mod hook;
mod plan;
mod round;
mod scene;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use end_to_end::{Function, Stack};

use self::{plan::Plan, round::Played};
use crate::{PartReport, Progress, Settings, world};

/// Rounds unless said otherwise.
const ROUNDS: u32 = 2_000;
const ROUNDS_SHORT: u32 = 60;

/// Stacks side by side: most of a round is waiting.
const LANES: usize = 4;

/// A step that is tried so often and never reached is none.
const OFTEN: u32 = 10;

/// One process of each: whoever is asked for work is the one that is killed at it.
const PROCESSES: [(Function, usize); 4] = [
    (Function::OauthCallback, 1),
    (Function::RefreshOnDemand, 1),
    (Function::RefreshSweep, 1),
    (Function::TokenLookup, 1),
];

#[derive(Debug, Default)]
struct Tally {
    rounds: u32,
    kills: BTreeMap<String, u32>,
    not_reached: BTreeMap<String, u32>,
    exchanges: usize,
    lost: BTreeMap<String, u32>,
    failures: Vec<String>,
}

/// Runs the part.
pub(crate) async fn run(settings: &Settings) -> PartReport {
    let rounds = settings.rounds.unwrap_or(if settings.short { ROUNDS_SHORT } else { ROUNDS });
    let progress = Progress::new("kills");
    let (tally, next) = (Mutex::new(Tally::default()), AtomicU32::new(0));
    let lanes = settings.concurrency.unwrap_or(LANES).clamp(1, rounds.max(1) as usize);
    let lane = |_| play_rounds(settings.seed, rounds, &next, &tally, &progress);
    futures_util::future::join_all((0..lanes).map(lane)).await;
    report(rounds, tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Plays rounds until there are none left. A stack in which something went wrong is not used again.
async fn play_rounds(seed: u64, rounds: u32, next: &AtomicU32, tally: &Mutex<Tally>, progress: &Progress) {
    let note = |note: &mut dyn FnMut(&mut Tally)| {
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut tally);
        progress.say(|| format!("{} of {rounds} rounds, {} did not hold", tally.rounds, tally.failures.len()));
    };
    let mut stack: Option<Arc<Stack>> = None;
    loop {
        let round = next.fetch_add(1, Ordering::Relaxed);
        if round >= rounds {
            return;
        }
        let running = match stack.take() {
            Some(running) => running,
            None => match world::start(PROCESSES).await {
                Ok(started) => Arc::new(started),
                Err(error) => return note(&mut |tally| tally.failures.push(error.clone())),
            },
        };
        let plan = Plan::drawn(seed.wrapping_add(u64::from(round)));
        let played = tokio::spawn(round::play(Arc::clone(&running), plan.clone())).await;
        let played = played.unwrap_or_else(|error| Played::panicked(&error));
        if played.broken.is_empty() {
            stack = Some(running);
        } else {
            eprintln!("---- {plan}\n{}----", world::lines_about(&running, &plan.sellers()));
        }
        note(&mut |tally| tally.add(&plan, &played));
    }
}

impl Tally {
    fn add(&mut self, plan: &Plan, played: &Played) {
        self.rounds += 1;
        self.exchanges += played.exchanges;
        for (kill, reached) in &played.killed {
            let steps = if *reached { &mut self.kills } else { &mut self.not_reached };
            *steps.entry(kill.in_words()).or_default() += 1;
        }
        if let Some((kill, _)) = played.killed.last().filter(|_| played.lost > 0) {
            *self.lost.entry(kill.in_words()).or_default() += played.lost;
        }
        self.failures.extend(played.broken.iter().map(|broken| format!("{plan}: {broken}")));
    }
}

fn report(rounds: u32, tally: Tally) -> PartReport {
    let mut report = PartReport::new(format!("{rounds} rounds, a process killed in each"));
    let kills: u32 = tally.kills.values().sum();
    report.figure("kills", kills.to_string());
    report.figure("step not reached", tally.not_reached.values().sum::<u32>().to_string());
    report.figure("exchanges", tally.exchanges.to_string());
    report.figure("lost with the process", tally.lost.values().sum::<u32>().to_string());
    for (step, count) in &tally.kills {
        let lost = tally.lost.get(step).map_or_else(String::new, |lost| format!(", {lost} lost"));
        report.figure(step.clone(), format!("{count}{lost}"));
    }
    report.check(tally.rounds == rounds, || format!("{} of {rounds} rounds were played", tally.rounds));
    report.check(tally.rounds < OFTEN || kills * 2 >= tally.rounds, || {
        format!("only {kills} kills in {} rounds", tally.rounds)
    });
    for (step, count) in tally.not_reached.iter().filter(|(step, _)| !tally.kills.contains_key(*step)) {
        report.check(*count < OFTEN, || format!("a step that was tried {count} times was never reached: {step}"));
    }
    report.failures.extend(tally.failures);
    report
}
