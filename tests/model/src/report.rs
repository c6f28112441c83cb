//! Runs the checker over a model with rules, and prints counterexamples in a readable form.

use std::{fmt::Debug, hash::Hash, time::Instant};

use stateright::{Checker as _, HasDiscoveries, Model, Path};

/// A model, one property of which says that no rule is broken.
pub(crate) trait Ruled:
    Model<
        State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
        Action: Clone + Debug + PartialEq + Send + Sync + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// Bounds and surroundings of an exploration.
    type Config: Copy + Debug;
    /// The rules.
    type Broken: Debug + PartialEq;
    /// The name of that property.
    const RULES: &'static str;

    fn new(config: Self::Config) -> Self;

    /// The rule that is broken in this state, or from it on.
    fn broken(&self, state: &Self::State) -> Option<Self::Broken>;

    /// Adds a line: what happened, and the state after it.
    fn line(told: &mut String, state: &Self::State, what: &str);

    /// Adds what follows the last state of a counterexample, if the rule is broken only by that.
    fn go_on(&self, told: &mut String, last: &Self::State);
}

/// Explores everything.
///
/// # Panics
/// With the shortest way there, if a rule does not hold.
pub(crate) fn explore<M: Ruled>(name: &str, config: M::Config) {
    let begun = Instant::now();
    let checker = M::new(config).checker().threads(2).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    if checker.discovery(M::RULES).is_some() {
        let (broken, _, way) = find::<M>(config).unwrap();
        panic!("{name}: {broken:?} with {config:?}\n{way}");
    }
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{name}: {states} states, up to {depth} steps deep, {:.1?}", begun.elapsed());
}

/// Looks for a counterexample, and prints it.
///
/// # Panics
/// If there is none, or if another rule is the first to break.
pub(crate) fn shows<M: Ruled>(name: &str, broken: &M::Broken, config: M::Config) {
    let found = find::<M>(config).unwrap_or_else(|| panic!("{name}: no counterexample with {config:?}"));
    let (rule, states, way) = found;
    println!("{name}: {rule:?}, found after {states} states\n{way}");
    assert_eq!(&rule, broken, "{name}:\n{way}");
}

/// The shortest way to a broken rule, with the states seen until it was found.
fn find<M: Ruled>(config: M::Config) -> Option<(M::Broken, usize, String)> {
    let model = M::new(config);
    // One thread: with more, the first way found may not be the shortest.
    let checker = model.clone().checker().threads(1).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let path = checker.discovery(M::RULES)?;
    let last = path.last_state().clone();
    let broken = model.broken(&last)?;
    let mut way = tell::<M>(path);
    model.go_on(&mut way, &last);
    Some((broken, checker.unique_state_count(), way))
}

fn tell<M: Ruled>(path: Path<M::State, M::Action>) -> String {
    let steps = path.into_vec();
    let mut told = String::new();
    if let Some((first, _)) = steps.first() {
        M::line(&mut told, first, "begins");
    }
    for pair in steps.windows(2) {
        let [(_, Some(action)), (after, _)] = pair else { continue };
        M::line(&mut told, after, &format!("{action:?}"));
    }
    told
}
