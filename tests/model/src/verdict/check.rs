//! How this model is checked, and how its counterexamples are printed.

use std::fmt::Write as _;

use super::{
    config::Config,
    explore::{Lanes, RULES},
    quiet,
    state::{Broken, State},
};
use crate::{
    report::{self, Ruled},
    state::T0,
};
use shop_keyring::connection::evidence::Evidence;

/// Explores everything.
///
/// # Panics
/// With the shortest way there, if a rule does not hold.
pub fn explore(name: &str, config: Config) {
    report::explore::<Lanes>(name, config);
}

/// Looks for a counterexample, and prints it.
///
/// # Panics
/// If there is none, or if another rule is the first to break.
pub fn shows(name: &str, broken: Broken, config: Config) {
    report::shows::<Lanes>(name, &broken, config);
}

impl Ruled for Lanes {
    type Config = Config;
    type Broken = Broken;
    const RULES: &'static str = RULES;

    fn new(config: Config) -> Self {
        Self::new(config)
    }

    fn broken(&self, state: &State) -> Option<Broken> {
        self.broken(state)
    }

    fn line(told: &mut String, state: &State, what: &str) {
        line(told, state, what);
    }

    fn go_on(&self, told: &mut String, last: &State) {
        if last.broken.is_none() {
            told.push_str("   No incident any more. After each look of normal running:\n");
            quiet::broken(self, last, |state| line(told, state, "look"));
        }
    }
}

fn line(told: &mut String, s: &State, what: &str) {
    let (now, item) = (s.now, &s.item);
    let seconds = |time: shop_keyring::time::Timestamp| time.since(T0);
    let alive = if s.alive { "alive" } else { "dead" };
    let _ = write!(told, "{:>7}s  {what:<72} {alive}, {:?}", seconds(now), item.status);
    if let Some(refused_at) = item.refused_at {
        let _ = write!(told, ", refused {} times since {}s", item.refusals, seconds(refused_at));
    }
    if let Some(not_before) = item.not_before {
        let _ = write!(told, ", not before {}s", seconds(not_before));
    }
    let counts = |evidence: &Evidence| {
        let (accepted, refused) = evidence.counts(now);
        let another = item.refused_at.is_some_and(|at| evidence.has_accepted_another(&item.connection, at));
        format!("{accepted}+ {refused}-{}", if another { " another" } else { "" })
    };
    let [first, second] = &s.unwritten;
    let _ = writeln!(told, "; table {}, unwritten {} and {}", counts(&s.table), counts(first), counts(second));
}
