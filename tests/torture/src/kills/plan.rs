//! What happens in a round: drawn from its seed.

use std::fmt;

use emulators::front::Moment;
use end_to_end::Function;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use simulators::tiktok_shop::{Rotation, Route};

use super::scene::Scene;

/// Where a process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// At a call to `DynamoDB`.
    Table(&'static str, Moment),
    /// At a call to Secrets Manager.
    Vault(&'static str, Moment),
    /// At a call to EventBridge.
    Bus(&'static str, Moment),
    /// At a call to the marketplace.
    Marketplace(Route, Effect),
}

/// When a call to the marketplace has its effect. The caller never gets an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It does not.
    Never,
    /// When the caller is dead.
    Late,
    /// Before the caller dies.
    Done,
}

/// What becomes of a held call whose caller is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was lost on its way, or its answer was.
    Lost,
    /// It goes on at once.
    Late,
    /// It goes on when all others are done and the next sweep has passed, still within the claim.
    Later,
}

/// A kill.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    pub(super) victim: Function,
    pub(super) step: Step,
    /// So many calls of the kind pass before.
    pub(super) passing: u64,
    pub(super) fate: Fate,
}

/// A round.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    seed: u64,
    pub(super) scene: Scene,
    pub(super) kill: Kill,
    /// The next sweep's process may be killed as well, over what the first has left behind.
    pub(super) second: Option<Kill>,
    pub(super) rotation: Rotation,
    pub(super) new_grant_ends_old: bool,
    /// Shops of each seller: with none, a commit is an update of its own.
    pub(super) shops: usize,
    count: usize,
}

impl Kill {
    fn drawn(victim: Function, steps: &[Step], rng: &mut StdRng) -> Self {
        Self {
            victim,
            step: *steps.choose(rng).unwrap_or(&Step::Table("GetItem", Moment::Arrived)),
            passing: if rng.random_bool(0.75) { 0 } else { rng.random_range(1..3) },
            fate: *[Fate::Lost, Fate::Late, Fate::Later].choose(rng).unwrap_or(&Fate::Late),
        }
    }

    /// Who is killed where.
    pub(super) fn in_words(&self) -> String {
        let victim = self.victim;
        match self.step {
            Step::Table(operation, moment) | Step::Vault(operation, moment) | Step::Bus(operation, moment) => {
                let moment = match (moment, self.fate) {
                    (Moment::Arrived, Fate::Lost) => "never arrives",
                    (Moment::Arrived, Fate::Late | Fate::Later) => "arrives after the kill",
                    (Moment::TakenEffect, _) => "has happened",
                };
                format!("{victim}: {operation} {moment}")
            }
            Step::Marketplace(route, effect) => {
                let effect = match effect {
                    Effect::Never => "hangs, never happens",
                    Effect::Late => "happens after the kill",
                    Effect::Done => "has happened",
                };
                format!("{victim}: {route:?} {effect}")
            }
        }
    }
}

impl Plan {
    /// The round of this seed.
    pub(super) fn drawn(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let scene = Scene::drawn(&mut rng);
        let count = rng.random_range(1..=scene.most_sellers());
        let mut kill = Kill::drawn(scene.victim(), &scene.steps(), &mut rng);
        if !scene.needs_confirmation() && kill.step == Step::Vault("DeleteSecret", Moment::Arrived) {
            // A deletion that takes longer to arrive than the whole callback takes, and whose sender is dead, is taken
            // back by nobody. Nothing here can know of it; held calls would arrive so all the time.
            kill.fate = Fate::Lost;
        }
        let second =
            rng.random_bool(0.25).then(|| Kill::drawn(Function::RefreshSweep, &Scene::Sweep.steps(), &mut rng));
        let rotations = [Rotation::Unchanged, Rotation::KeepOld, Rotation::Grace, Rotation::OneTime, Rotation::OneTime];
        // Without a shop there is no transaction.
        let fewest_shops = usize::from(matches!(kill.step, Step::Table("TransactWriteItems", _)));
        Self {
            seed,
            scene,
            kill,
            second,
            rotation: *rotations.choose(&mut rng).unwrap_or(&Rotation::OneTime),
            new_grant_ends_old: rng.random_bool(0.5),
            shops: rng.random_range(fewest_shops..3),
            count,
        }
    }

    /// Its sellers; no other round has them.
    pub(super) fn sellers(&self) -> Vec<String> {
        (0..self.count).map(|n| format!("r{}-{n}", self.seed)).collect()
    }

    /// Whether a token set can be lost with the process that has it: where old ones die when a new one is issued.
    pub(super) fn may_lose(&self) -> bool {
        (self.scene.refreshes() && self.rotation == Rotation::OneTime)
            || (self.scene.authorizes() && self.new_grant_ends_old)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, scene, rotation, count, shops, .. } = self;
        let kills = std::iter::once(&self.kill).chain(&self.second).map(|kill| {
            let Kill { passing, fate, .. } = kill;
            format!("{}, {passing} before it, {fate:?}", kill.in_words())
        });
        let kills = kills.collect::<Vec<_>>().join("; then ");
        let ends = if self.new_grant_ends_old { "ends" } else { "leaves" };
        write!(
            f,
            "`--only kills --seed {seed} --rounds 1` ({scene:?}; {kills}; {rotation:?}, a new grant {ends} the old; {count} \
             sellers with {shops} shops)"
        )
    }
}
