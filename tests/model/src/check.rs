//! Runs the checker, and tells a counterexample so that it can be read.

use std::{fmt::Write as _, time::Instant};

use stateright::{Checker as _, HasDiscoveries, Model as _, Path};

use crate::{
    config::Config,
    explore::{Action, How, Protocol, RULES},
    market::Rotation,
    quiet,
    state::{Broken, State, T0, Work},
    vault::{number, number_of},
};

/// A way to a broken rule: there is no shorter one.
#[derive(Debug)]
pub struct Counterexample {
    /// The rule.
    pub broken: Broken,
    /// A line for each thing that happens, with what the item and the vault are afterwards.
    pub way: String,
    /// States seen until it was found.
    pub states: usize,
}

/// Explores everything under all three rotations, and with new authorizations that end the old ones or do not.
///
/// # Panics
/// With the shortest way there, if a rule does not hold.
pub fn explore(name: &str, config: Config) {
    let (begun, mut states, mut depth) = (Instant::now(), 0, 0);
    for rotation in [Rotation::Stays, Rotation::Grace, Rotation::Strict] {
        for ends_old in [true, false] {
            if config.grants == 0 && !ends_old {
                continue;
            }
            let config = Config { rotation, ends_old, ..config };
            let checker = Protocol::new(config).checker().threads(2).finish_when(HasDiscoveries::Any);
            let checker = checker.spawn_bfs().join();
            states += checker.unique_state_count();
            depth = depth.max(checker.max_depth());
            if checker.discovery(RULES).is_some() {
                let Counterexample { broken, way, .. } = find(config).unwrap();
                panic!("{name}: {broken:?} with {config:?}\n{way}");
            }
        }
    }
    println!("{name}: {states} states, up to {depth} steps deep, {:.1?}", begun.elapsed());
}

/// Looks for the shortest way to a broken rule.
pub fn find(config: Config) -> Option<Counterexample> {
    let protocol = Protocol::new(config);
    // One thread: with more, the first way found may not be the shortest.
    let checker = protocol.clone().checker().threads(1).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let path = checker.discovery(RULES)?;
    let last = path.last_state().clone();
    let broken = protocol.verdict(&last)?;
    let mut way = tell(path);
    if last.broken.is_none() {
        way.push_str("   Nobody is at work. After each sweep of normal running:\n");
        quiet::verdict(&protocol, &last, |state| line(&mut way, state, "sweep"));
    }
    Some(Counterexample { broken, way, states: checker.unique_state_count() })
}

/// Looks for a counterexample, and prints it.
///
/// # Panics
/// If there is none, or if another rule is the first to break.
pub fn shows(name: &str, broken: Broken, config: Config) {
    let found = find(config).unwrap_or_else(|| panic!("{name}: no counterexample with {config:?}"));
    println!("{name}: {:?}, found after {} states\n{}", found.broken, found.states, found.way);
    assert_eq!(found.broken, broken, "{name}:\n{}", found.way);
}

fn tell(path: Path<State, Action>) -> String {
    let steps = path.into_vec();
    let mut told = String::new();
    for pair in steps.windows(2) {
        let [(before, Some(action)), (after, _)] = pair else { continue };
        let what = match action {
            Action::Step { attempt, how } => {
                let work = before.works.iter().find(|work| work.attempt == *attempt);
                let name = work.map(Work::name).unwrap_or_default();
                let how = if *how == How::Well { String::new() } else { format!(": {how:?}") };
                format!("#{attempt} {name}{how}")
            }
            Action::Begins { .. } | Action::Authorizes => format!("#{} {action:?}", before.next_attempt),
            other => format!("{other:?}"),
        };
        line(&mut told, after, &what);
    }
    told
}

fn line(told: &mut String, state: &State, what: &str) {
    let now = state.now.since(T0);
    let _ = writeln!(told, "{now:>7}s  {what:<30} {}; vault {}", item(state), vault(state));
}

fn item(state: &State) -> String {
    let Some(item) = state.item.as_deref() else { return "no item".into() };
    let seconds = |time: shop_keyring::time::Timestamp| time.since(T0);
    let mut told = format!("{:?} v{}", item.status, item.token_version);
    if let Some(version) = &item.secret_version {
        let _ = write!(told, "=#{}", number_of(version));
    }
    if let Some(claim) = item.attempt {
        let _ = write!(told, ", held by #{} to {}s", number(claim.id), seconds(claim.until));
    }
    if !item.attempts.is_empty() {
        let attempts: Vec<_> = item.attempts.iter().map(|id| number(*id)).collect();
        let _ = write!(told, ", attempts {attempts:?}");
    }
    if item.refusals > 0 {
        let _ = write!(told, ", refusals {}", item.refusals);
    }
    let ends = [("ends", item.authorization_expires_at), ("announced end", item.announced_end)];
    for (name, time) in [("not before", item.not_before), ("check at", item.check_at)].into_iter().chain(ends) {
        if let Some(time) = time {
            let _ = write!(told, ", {name} {}s", seconds(time));
        }
    }
    told
}

fn vault(state: &State) -> String {
    let taken = |token| if state.market.takes(token, state.now) { "" } else { " dead" };
    let sets = state.vault.sets.iter().map(|set| format!("#{}: R{}{}", set.attempt, set.token, taken(set.token)));
    let sets: Vec<_> = sets.collect();
    format!("[{}]{}", sets.join(", "), if state.vault.deleted { " deleted" } else { "" })
}
