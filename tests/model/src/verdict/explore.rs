//! The model as the checker wants it: what may happen in a state, and what comes of it.

use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{Arc, Mutex},
};

use shop_keyring::{
    connection::{due::due_at, ended::has_ended, evidence::Evidence},
    time::Timestamp,
};
use stateright::{Model, Property};

use super::{
    config::{Config, Naive},
    look::Read,
    quiet,
    state::{BETWEEN_LOOKS, Broken, LONGEST_INCIDENT, Other, State, other},
};
use crate::state::T0;

/// A lane under one configuration.
#[derive(Debug, Clone)]
pub struct Lanes {
    pub(super) config: Config,
    /// Fingerprints of what was found to end well.
    ends_well: Arc<Mutex<HashSet<u64>>>,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The first process claims the observed connection and gets a response.
    Look {
        /// Or by schedule.
        on_demand: bool,
        /// What the marketplace responds.
        accepted: bool,
    },
    /// It writes what the response means.
    Settle {
        /// How it gets the evidence.
        read: Read,
    },
    /// A process looks at another connection, or at all.
    LookAtOther {
        /// Which; `None` for all that may be looked at.
        which: Option<u8>,
        /// Which process.
        process: u8,
        /// What the marketplace responds to one whose authorization stands.
        accepted: bool,
    },
    /// A process adds what it has counted to the table.
    Write {
        /// Which process.
        process: u8,
        /// Whether it hears that this was done.
        heard: bool,
    },
    /// A process dies.
    Dies {
        /// Which process.
        process: u8,
    },
    /// An incident begins.
    IncidentBegins,
    /// An incident ends.
    IncidentEnds,
    /// Time passes by six seconds.
    Moment,
    /// Time passes, to so many seconds after the beginning.
    Time(i64),
}

/// How far time moves while something is under way, in seconds: beyond the margin for clocks and the age of what is read.
const MOMENT: i64 = 6;

/// For how long time moves by moments, in seconds: for the first looks.
const MOMENTS_UNTIL: i64 = 3_600;

impl Lanes {
    /// To be explored.
    pub fn new(config: Config) -> Self {
        Self { config, ends_well: Arc::default() }
    }

    fn looks_at_others(&self, s: &State, actions: &mut Vec<Action>) {
        let may_be = |other: &Other| {
            let matters = other.alive || !other.doubted || self.config.is(Naive::EveryLookCounts);
            matters && other.not_before.is_none()
        };
        let whom: Vec<(Option<u8>, bool)> = if self.config.together {
            let alive = s.others.iter().any(|other| may_be(other) && other.alive);
            if s.others.iter().any(may_be) { vec![(None, alive)] } else { Vec::new() }
        } else {
            let whom = (0_u8..).zip(&s.others).filter(|(_, other)| may_be(other));
            // Those that are alike come next to each other.
            let differs = |n: u8| n == 0 || s.others[usize::from(n) - 1] != s.others[usize::from(n)];
            whom.filter(|(n, _)| differs(*n)).map(|(n, other)| (Some(n), other.alive)).collect()
        };
        for (which, alive) in whom {
            for accepted in self.responses(s, alive) {
                let processes = 0..self.config.processes;
                actions.extend(processes.map(|process| Action::LookAtOther { which, process, accepted: *accepted }));
            }
        }
    }

    fn look_at_other(&self, s: &mut State, which: Option<u8>, process: u8, accepted: bool) {
        for n in 0..s.others.len() {
            let another = s.others[n];
            if which.is_some_and(|which| usize::from(which) != n) || another.not_before.is_some() {
                continue;
            }
            let accepted = accepted && another.alive;
            self.note(s, process, &other(self.config.lane, another.doubted, s.now), accepted);
            let not_before = Some(s.now.plus(BETWEEN_LOOKS));
            s.others[n] = Other { doubted: !accepted, not_before, ..another };
        }
    }

    /// How time may move: not beyond the time by which an incident has to end.
    fn moves(&self, s: &State, actions: &mut Vec<Action>) {
        let last = T0.plus(self.config.horizon);
        let latest = s.ends_by.filter(|_| s.refusing).map_or(last, |ends_by| ends_by.min(last));
        if s.moments > 0 && s.now.since(T0) < MOMENTS_UNTIL && s.now.plus(MOMENT) <= latest {
            actions.push(Action::Moment);
        }
        let is_written = s.unwritten.iter().all(Evidence::is_empty);
        if s.response.is_none() && (self.config.late || is_written) {
            let due = due_at(&s.item).filter(|due| *due > s.now).map(|due| due.min(latest));
            actions.extend(due.filter(|time| *time > s.now).map(|time| Action::Time(time.since(T0))));
        }
    }

    /// Whether the observed connection works, and is not looked at any more in the time that is explored.
    fn works(&self, s: &State) -> bool {
        s.item.refusals == 0 && due_at(&s.item).is_none_or(|due| due > T0.plus(self.config.horizon))
    }

    fn move_to(s: &mut State, time: Timestamp) {
        s.now = time;
        s.seen = None;
        s.known.clone_from(&s.table);
    }

    fn happens(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Look { on_demand, accepted } => next = self.look(state, on_demand, accepted)?,
            Action::Settle { read } => next = self.settle(state, read)?,
            Action::LookAtOther { which, process, accepted } => {
                self.look_at_other(&mut next, which, process, accepted);
            }
            Action::Write { process, heard } => {
                next.troubles -= u8::from(!heard);
                self.write(&mut next, process, heard);
            }
            Action::Dies { process } => {
                next.troubles -= 1;
                next.unwritten[usize::from(process)] = Evidence::default();
                if process == 0 {
                    (next.response, next.seen) = (None, None);
                }
            }
            Action::IncidentBegins => {
                (next.refusing, next.incidents) = (true, next.incidents - 1);
                // What has ended is refused in any case.
                let ends_by = next.now.plus(LONGEST_INCIDENT);
                next.ends_by = next.ends_by.or(next.alive.then_some(ends_by));
            }
            Action::IncidentEnds => next.refusing = false,
            Action::Moment => {
                next.moments -= 1;
                Self::move_to(&mut next, state.now.plus(MOMENT));
            }
            Action::Time(seconds) => Self::move_to(&mut next, T0.plus(seconds)),
        }
        self.normalize(&mut next);
        for other in &mut next.others {
            other.not_before = other.not_before.filter(|not_before| *not_before > next.now);
        }
        next.others.sort_unstable();
        Some(next)
    }

    /// The rule that is broken in this state, or after it in normal running.
    pub(super) fn broken(&self, s: &State) -> Option<Broken> {
        if s.broken.is_some() || s.response.is_some() {
            return s.broken;
        }
        // What may still come makes no difference to how it ends without.
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let State { now, item, alive, table, known, unwritten, longest_wait, .. } = s;
        let fingerprint = hasher.hash_one((now, item, alive, table, known, unwritten, longest_wait));
        if self.ends_well.lock().unwrap().contains(&fingerprint) {
            return None;
        }
        let broken = quiet::broken(self, s, |_| ());
        if broken.is_none() {
            self.ends_well.lock().unwrap().insert(fingerprint);
        }
        broken
    }
}

impl Model for Lanes {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let others = self.config.others;
        let mut ended = vec![0, 1, others];
        ended.retain(|ended| *ended <= others);
        ended.sort_unstable();
        ended.dedup();
        let mut states = Vec::new();
        for alive in [true, false] {
            for longest_wait in [true, false] {
                states.extend(ended.iter().map(|ended| State::first(&self.config, alive, *ended, longest_wait)));
            }
        }
        states
    }

    fn actions(&self, s: &State, actions: &mut Vec<Action>) {
        let is_over = s.response.is_none() && (has_ended(&s.item) || self.works(s));
        if s.broken.is_some() || is_over {
            return;
        }
        match s.response {
            Some(response) => {
                actions.extend(Self::reads(s, response).into_iter().map(|read| Action::Settle { read }));
            }
            None => {
                for accepted in self.responses(s, s.alive) {
                    let look = |on_demand| Action::Look { on_demand, accepted: *accepted };
                    actions.extend([false, true].map(look));
                }
            }
        }
        self.looks_at_others(s, actions);
        for process in 0..self.config.processes {
            let unwritten = !s.unwritten[usize::from(process)].is_empty();
            if unwritten {
                actions.push(Action::Write { process, heard: true });
            }
            // Twice, it says nothing more unless it is counted.
            if unwritten && s.troubles > 0 && self.config.may_be_mass() {
                actions.push(Action::Write { process, heard: false });
            }
            if s.troubles > 0 && (unwritten || (process == 0 && s.response.is_some())) {
                actions.push(Action::Dies { process });
            }
        }
        let may_begin = s.ends_by.is_none_or(|ends_by| s.now < ends_by);
        let matters = s.alive || self.config.others > 0;
        if !s.refusing && s.incidents > 0 && may_begin && matters {
            actions.push(Action::IncidentBegins);
        }
        let is_refused = s.response.is_some_and(|response| !response.accepted);
        if s.refusing && (self.config.ends_between || !is_refused || !s.alive) {
            actions.push(Action::IncidentEnds);
        }
        self.moves(s, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.happens(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(RULES, |lanes, state| lanes.broken(state).is_none())]
    }
}

/// The one property: that no rule is broken.
pub(super) const RULES: &str = "every rule holds";

impl Lanes {
    /// Ends the incident, and writes all that is counted.
    pub(super) fn calm(&self, s: &mut State) {
        s.refusing = false;
        (0..self.config.processes).for_each(|process| self.write(s, process, true));
    }

    /// Whether ended connections are asked again.
    pub(super) fn asks_again(&self) -> bool {
        !self.config.is(Naive::NeverAskedAgain)
    }

    /// One scheduled look at the time when it is due, without an incident.
    pub(super) fn quiet_look(&self, s: &State) -> Option<State> {
        let mut s = s.clone();
        let due = due_at(&s.item)?.max(s.now);
        if due > s.now {
            Self::move_to(&mut s, due);
        }
        let looked = self.look(&s, false, s.alive)?;
        if looked.response.is_none() {
            return Some(looked);
        }
        let read = *Self::reads(&looked, looked.response?).first()?;
        self.settle(&looked, read)
    }
}
