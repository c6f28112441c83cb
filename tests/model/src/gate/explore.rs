//! The model in the form that the checker needs: the actions of each state, and the state after each action.

use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
    sync::{Arc, Mutex},
};

use shop_keyring::time::Timestamp;
use stateright::{Model, Property};

use super::{
    breakers::read,
    config::{Config, Market, Naive},
    quiet,
    state::{Broken, Process, State},
    work::Step,
};
use crate::vault::Number;

/// The gate under one configuration.
#[derive(Debug, Clone)]
pub struct Gate {
    pub(super) config: Config,
    /// Fingerprints of states from which every breaker closes in time.
    ends_well: Arc<Mutex<HashSet<u64>>>,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A process has something to exchange, and comes to the gate.
    Comes {
        /// Which process.
        process: usize,
        /// Whether it reads the breakers first although its view is fresh, as runs do every five seconds.
        reads: bool,
    },
    /// An exchange does its next step.
    Step {
        /// Which attempt.
        attempt: Number,
        /// Which step.
        what: What,
    },
    /// A run reads the breakers while it has an exchange under way.
    Reads {
        /// Which process.
        process: usize,
    },
    /// A process dies, and its exchanges with it.
    Dies {
        /// Which process.
        process: usize,
    },
    /// The marketplace changes.
    MarketBecomes(Market),
    /// The vault starts or stops failing.
    VaultChanges,
    /// Time passes by six seconds.
    Moment,
    /// Time passes until a window ends.
    WindowEnds,
    /// Time passes by a quarter of an hour.
    Rest,
}

/// One step of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It takes the turn at the first, second or third breaker.
    TakesTurn(usize),
    /// It gives a turn back.
    GivesBack,
    /// The marketplace responds, and its token set, if any, is put into the vault.
    Responds(Market),
    /// It tries for the last time to store the token set.
    PutsAgain,
    /// It reports to a breaker.
    Tells,
}

/// Time limit for an exchange, in seconds: three quarters of a claim.
const LONGEST: i64 = 45;

/// One small step of time, in seconds: a view is fresh after one of them and stale after two.
const MOMENT: i64 = 6;

/// Time after which a closed breaker opens for the shortest time again, in seconds.
const REST: i64 = 900;

impl Gate {
    /// The model of one configuration.
    pub fn new(config: Config) -> Self {
        Self { config, ends_well: Arc::default() }
    }

    const fn slots(&self, process: usize) -> usize {
        if process < self.config.runs as usize { self.config.slots as usize } else { 1 }
    }

    /// Whether no exchange under way exceeds its time limit by then.
    fn may_last_until(&self, s: &State, time: Timestamp) -> bool {
        let is_late = |came_at: Timestamp| time.since(came_at) > LONGEST;
        s.works().all(|work| !is_late(work.came_at) || (self.config.late && !work.is_in_gate()))
    }

    /// Whether a run would learn something by reading.
    fn may_read(&self, s: &State, process: usize) -> bool {
        let views = &s.processes[process].views;
        let is_run = process < usize::from(self.config.runs) && !self.config.is(Naive::NeverReadsAgain);
        is_run && views.iter().zip(&s.table).any(|(view, table)| view.read_at.is_some() && view.state != *table)
    }

    fn moves(&self, s: &State, actions: &mut Vec<Action>) {
        if s.left.moments > 0 && self.may_last_until(s, s.now.plus(MOMENT)) {
            actions.push(Action::Moment);
        }
        match s.next_end() {
            Some(end) if self.may_last_until(s, end) => actions.push(Action::WindowEnds),
            None if s.left.rests > 0 && s.works().next().is_none() => actions.push(Action::Rest),
            _ => {}
        }
    }

    /// Puts the runs in an order, because two states that differ only in it are the same.
    fn sort(&self, s: &mut State) {
        s.processes[..usize::from(self.config.runs)].sort_by_cached_key(|process| {
            let first = process.works.first().map_or(Number::MAX, |work| work.number);
            (first, fingerprint(process))
        });
    }

    fn happens(&self, state: &State, action: Action) -> Option<State> {
        let mut s = state.clone();
        match action {
            Action::Comes { process, reads } => {
                if reads {
                    read(&mut s, process);
                }
                self.config.comes(&mut s, process, false);
            }
            Action::Step { attempt, what } => {
                let (process, place) = place(&s, attempt)?;
                let response = if let What::Responds(response) = what { response } else { s.market };
                self.config.step(&mut s, process, place, response);
            }
            Action::Reads { process } => read(&mut s, process),
            Action::Dies { process } => {
                s.left.deaths -= 1;
                s.processes[process] = Process::default();
            }
            Action::MarketBecomes(market) => {
                s.left.changes -= 1;
                s.market = market;
            }
            Action::VaultChanges => {
                s.left.changes -= 1;
                s.vault_works = !s.vault_works;
            }
            Action::Moment => {
                s.left.moments -= 1;
                self.config.move_to(&mut s, state.now.plus(MOMENT));
            }
            Action::WindowEnds => self.config.move_to(&mut s, state.next_end()?),
            Action::Rest => {
                s.left.rests -= 1;
                self.config.move_to(&mut s, state.now.plus(REST));
            }
        }
        self.sort(&mut s);
        (s != *state).then_some(s)
    }

    /// The rule that is broken in this state, or after it when all is well.
    pub(super) fn broken(&self, s: &State) -> Option<Broken> {
        if s.broken.is_some() {
            return s.broken;
        }
        // Remaining troubles make no difference, because none follow.
        let fingerprint = fingerprint((s.now, &s.table, &s.processes, &s.past));
        if self.ends_well.lock().unwrap().contains(&fingerprint) {
            return None;
        }
        let broken = quiet::broken(&self.config, s, |_, _| ());
        if broken.is_none() {
            self.ends_well.lock().unwrap().insert(fingerprint);
        }
        broken
    }
}

fn fingerprint(it: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(it)
}

/// Lists the next steps of the exchanges under way.
fn works(s: &State, actions: &mut Vec<Action>) {
    let responses: &[Market] = match s.market {
        Market::Flapping => &[Market::Well, Market::Sick],
        Market::Well => &[Market::Well],
        Market::Sick => &[Market::Sick],
        Market::Misconfigured => &[Market::Misconfigured],
        Market::AsksToWait => &[Market::AsksToWait],
    };
    for work in s.works() {
        let attempt = work.number;
        match work.step {
            Step::Call => {
                let responds = responses.iter().map(|it| Action::Step { attempt, what: What::Responds(*it) });
                actions.extend(responds);
            }
            Step::Pass(at) => actions.push(Action::Step { attempt, what: What::TakesTurn(at) }),
            Step::GiveBack => actions.push(Action::Step { attempt, what: What::GivesBack }),
            Step::PutAgain => actions.push(Action::Step { attempt, what: What::PutsAgain }),
            Step::Tell(_) => actions.push(Action::Step { attempt, what: What::Tells }),
        }
    }
}

/// Finds an exchange: its process, and its place there.
fn place(s: &State, attempt: Number) -> Option<(usize, usize)> {
    let mut processes = s.processes.iter().enumerate();
    processes.find_map(|(n, process)| Some((n, process.works.iter().position(|work| work.number == attempt)?)))
}

impl Model for Gate {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let vault: &[bool] = if self.config.vault_may_fail { &[true, false] } else { &[true] };
        let markets = [Market::Well].into_iter().chain(self.config.troubles.iter().copied());
        markets
            .flat_map(|market| vault.iter().map(move |works| (market, *works)))
            .map(|(market, works)| State::first(&self.config, market, works))
            .collect()
    }

    fn actions(&self, s: &State, actions: &mut Vec<Action>) {
        if s.broken.is_some() {
            return;
        }
        works(s, actions);
        for (n, process) in s.processes.iter().enumerate() {
            let may_read = self.may_read(s, n);
            if s.next_attempt < self.config.attempts && process.works.len() < self.slots(n) {
                actions.push(Action::Comes { process: n, reads: false });
                if may_read {
                    actions.push(Action::Comes { process: n, reads: true });
                }
            }
            if may_read && !process.works.is_empty() {
                actions.push(Action::Reads { process: n });
            }
            if s.left.deaths > 0 && !process.works.is_empty() {
                actions.push(Action::Dies { process: n });
            }
        }
        if s.left.changes > 0 {
            let markets = [Market::Well].into_iter().chain(self.config.troubles.iter().copied());
            actions.extend(markets.filter(|market| *market != s.market).map(Action::MarketBecomes));
            if self.config.vault_may_fail {
                actions.push(Action::VaultChanges);
            }
        }
        self.moves(s, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.happens(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(RULES, |gate, state| gate.broken(state).is_none())]
    }
}

/// The one property: that no rule is broken.
pub(super) const RULES: &str = "every rule holds";
