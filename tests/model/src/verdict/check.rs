//! Runs the checker, and prints a counterexample so that it can be read.

use std::{fmt::Write as _, time::Instant};

use shop_keyring::connection::evidence::Evidence;
use stateright::{Checker as _, HasDiscoveries, Model as _, Path};

use super::{
    config::Config,
    explore::{Action, Lanes, RULES},
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
    let checker = Lanes::new(config).checker().threads(2).finish_when(HasDiscoveries::Any).spawn_bfs().join();
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
    let lanes = Lanes::new(config);
    // One thread: with more, the first way found may not be the shortest.
    let checker = lanes.clone().checker().threads(1).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let path = checker.discovery(RULES)?;
    let last = path.last_state().clone();
    let broken = lanes.broken(&last)?;
    let mut way = tell(path);
    if last.broken.is_none() {
        way.push_str("   No incident any more. After each look of normal running:\n");
        quiet::broken(&lanes, &last, |state| line(&mut way, state, "look"));
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
