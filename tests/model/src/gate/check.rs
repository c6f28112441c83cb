//! How this model is checked, and how its counterexamples are printed.

use std::fmt::Write as _;

use super::{
    config::Config,
    explore::{Gate, RULES},
    quiet,
    state::{Broken, State},
};
use crate::{
    report::{self, Ruled},
    state::T0,
};

/// Explores everything.
///
/// # Panics
/// With the shortest way there, if a rule does not hold.
pub fn explore(name: &str, config: Config) {
    report::explore::<Gate>(name, config);
}

/// Looks for a counterexample, and prints it.
///
/// # Panics
/// If there is none, or if another rule is the first to break.
pub fn shows(name: &str, broken: Broken, config: Config) {
    report::shows::<Gate>(name, &broken, config);
}

impl Ruled for Gate {
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
            quiet::broken(&self.config, last, |state, what| line(told, state, &what.to_string()));
        }
    }
}

fn line(told: &mut String, s: &State, what: &str) {
    let _ = write!(told, "{:>5}s  {what:<62}", s.now.since(T0));
    for (breaker, name) in s.table.iter().zip(["lane", "host", "vault"]) {
        match breaker.open_until().map(|until| until.since(s.now)) {
            None if breaker.has_failures() => write!(told, " {name} has failures,"),
            None => Ok(()),
            Some(left) if left > 0 => write!(told, " {name} open for {left} s,"),
            Some(_) => write!(told, " {name} open, time over,"),
        }
        .unwrap();
    }
    let vault = if s.vault_works { "works" } else { "fails" };
    let _ = write!(told, " market {:?}, vault {vault}; under way:", s.market);
    for work in s.works() {
        let _ = write!(told, " #{} {:?}", work.number, work.step);
    }
    told.push('\n');
}
