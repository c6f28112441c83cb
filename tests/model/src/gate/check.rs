//! Runs the checker, and prints counterexamples in a readable form.

use std::{fmt::Write as _, time::Instant};

use stateright::{Checker as _, HasDiscoveries, Model as _, Path};

use super::{
    config::Config,
    explore::{Action, Gate, RULES},
    quiet,
    state::{Broken, State},
};
use crate::state::T0;

/// Explores everything.
///
/// # Panics
/// With the shortest way there, if a rule does not hold.
pub fn explore(name: &str, config: Config) {
    let begun = Instant::now();
    let checker = Gate::new(config).checker().threads(2).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    if checker.discovery(RULES).is_some() {
        let (broken, _, way) = find(config).unwrap();
        panic!("{name}: {broken:?} with {config:?}\n{way}");
    }
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{name}: {states} states, up to {depth} steps deep, {:.1?}", begun.elapsed());
}

/// Looks for a counterexample, and prints it.
///
/// # Panics
/// If there is none, or if another rule is the first to break.
pub fn shows(name: &str, broken: Broken, config: Config) {
    let found = find(config).unwrap_or_else(|| panic!("{name}: no counterexample with {config:?}"));
    let (rule, states, way) = found;
    println!("{name}: {rule:?}, found after {states} states\n{way}");
    assert_eq!(rule, broken, "{name}:\n{way}");
}

/// The shortest way to a broken rule, with the states seen until it was found.
fn find(config: Config) -> Option<(Broken, usize, String)> {
    let gate = Gate::new(config);
    // One thread: with more, the first way found may not be the shortest.
    let checker = gate.clone().checker().threads(1).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let path = checker.discovery(RULES)?;
    let last = path.last_state().clone();
    let broken = gate.broken(&last)?;
    let mut way = tell(path);
    if last.broken.is_none() {
        quiet::broken(&config, &last, |state, what| line(&mut way, state, &what.to_string()));
    }
    Some((broken, checker.unique_state_count(), way))
}

fn tell(path: Path<State, Action>) -> String {
    let steps = path.into_vec();
    let mut told = String::new();
    if let Some((first, _)) = steps.first() {
        line(&mut told, first, "begins");
    }
    for pair in steps.windows(2) {
        let [(_, Some(action)), (after, _)] = pair else { continue };
        line(&mut told, after, &format!("{action:?}"));
    }
    told
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
