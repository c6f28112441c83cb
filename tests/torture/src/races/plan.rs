//! What happens in a round: drawn from the seed.

use std::{fmt, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom, seq::SliceRandom};
use serde_json::{Value, json};
use simulators::tiktok_shop::Rotation;

use crate::world::DUE;

/// How much is done at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) fleet: usize,
    pub(super) sweeps: usize,
    pub(super) lookups: usize,
}

impl Size {
    pub(super) fn sellers(self) -> Vec<String> {
        (0..self.fleet).map(|n| format!("racer-{n:02}")).collect()
    }
}

/// What somebody does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// A tick of the schedule with this input.
    Sweep(Value),
    /// The vendor's service wants something of a seller's token.
    Lookup(String, Lookup),
    /// The seller comes back from the marketplace.
    ComeBack(String),
    /// The vendor ends the connection.
    Disconnect(String),
}

/// What a caller wants.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lookup {
    /// Any token.
    Token,
    /// A token by the shop.
    ByShop,
    /// One that lasts a day.
    LongLived,
    /// One other than that of the round's beginning.
    Rejected,
    /// One other than the next, which it may or may not have seen.
    RejectedNext,
}

/// A round.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    seed: u64,
    round: u32,
    /// In the order of their begin.
    pub(super) actions: Vec<(Duration, Action)>,
    pub(super) rotation: Rotation,
    pub(super) new_grant_ends_old: bool,
    /// How long an exchange takes before, and after, its effect.
    pub(super) latency: [Duration; 2],
    /// Seconds since the last exchange.
    pub(super) age: i64,
    pub(super) sellers: Vec<String>,
}

impl Plan {
    /// The round of this seed and number.
    pub(super) fn drawn(seed: u64, round: u32, size: Size) -> Self {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_add(u64::from(round)));
        let mut sellers = size.sellers();
        sellers.shuffle(&mut rng);
        let few = size.fleet / 6;
        let mut actions: Vec<Action> = (0..rng.random_range(2..=size.sweeps)).map(|_| sweep(&mut rng)).collect();
        // Whatever the partitions leave out, one of them has it.
        actions[0] = Action::Sweep(json!({}));
        actions.extend((0..size.lookups).filter_map(|_| lookup(&sellers, &mut rng)));
        actions.extend(sellers.iter().take(few).cloned().map(Action::ComeBack));
        actions.extend(sellers.iter().skip(few).take(rng.random_range(0..=few)).cloned().map(Action::Disconnect));
        let millis = |rng: &mut StdRng, most| Duration::from_millis(rng.random_range(0..=most));
        let spread = *[50, 400, 1_500].choose(&mut rng).unwrap_or(&400);
        let mut actions: Vec<_> = actions.into_iter().map(|action| (millis(&mut rng, spread), action)).collect();
        actions.sort_by_key(|(delay, _)| *delay);
        let rotations = [Rotation::OneTime, Rotation::OneTime, Rotation::Grace, Rotation::KeepOld, Rotation::Unchanged];
        Self {
            seed,
            round,
            actions,
            rotation: *rotations.choose(&mut rng).unwrap_or(&Rotation::OneTime),
            new_grant_ends_old: rng.random_bool(0.5),
            latency: [millis(&mut rng, 250), millis(&mut rng, 250)],
            age: rng.random_range(DUE..7 * 86_400 - 1_800),
            sellers,
        }
    }

    /// Those who authorize again.
    pub(super) fn coming_back(&self) -> impl Iterator<Item = &String> {
        self.actions.iter().filter_map(|(_, action)| match action {
            Action::ComeBack(seller) => Some(seller),
            _ => None,
        })
    }

    /// Those whose connection the vendor ends.
    pub(super) fn disconnecting(&self) -> impl Iterator<Item = &String> {
        self.actions.iter().filter_map(|(_, action)| match action {
            Action::Disconnect(seller) => Some(seller),
            _ => None,
        })
    }
}

fn sweep(rng: &mut StdRng) -> Action {
    let count = *[1, 1, 2, 4].choose(rng).unwrap_or(&1);
    let index = rng.random_range(0..count);
    Action::Sweep(if count == 1 { json!({}) } else { json!({ "partition": { "index": index, "count": count } }) })
}

fn lookup(sellers: &[String], rng: &mut StdRng) -> Option<Action> {
    use Lookup::{ByShop, LongLived, Rejected, RejectedNext, Token};
    let seller = sellers.choose(rng)?.clone();
    let lookup = [Token, ByShop, LongLived, LongLived, Rejected, Rejected, Rejected, RejectedNext].choose(rng)?;
    Some(Action::Lookup(seller, *lookup))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, round, rotation, age, latency, .. } = self;
        let ends = if self.new_grant_ends_old { "ends" } else { "leaves" };
        let [before, after] = latency.map(|latency| latency.as_millis());
        write!(
            f,
            "seed {seed}, round {round} ({rotation:?}, a new grant {ends} the old, {age} s old, exchanges take \
             {before}+{after} ms)"
        )
    }
}
