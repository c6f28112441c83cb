//! A state: the breakers in the table and as each process knows them, the exchanges under way, the marketplace, the vault.

use std::sync::Arc;

use shop_keyring::{health::State as Health, time::Timestamp};

use super::{
    config::{Beginning, Config, Market},
    names::{BREAKERS, HOST, LANE, NOBODY, VAULT},
    work::Work,
};
use crate::{
    state::T0,
    vault::{Number, id},
};

/// One state of everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) now: Timestamp,
    /// The breakers in the table.
    pub(super) table: [Arc<Health>; 3],
    /// First the runs, then the process on demand.
    pub(super) processes: Vec<Process>,
    pub(super) market: Market,
    pub(super) vault_works: bool,
    pub(super) next_attempt: Number,
    pub(super) left: Left,
    pub(super) past: Past,
    pub(super) broken: Option<Broken>,
}

/// How much may still go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Left {
    pub(super) changes: u8,
    pub(super) deaths: u8,
    pub(super) moments: u8,
    pub(super) rests: u8,
}

/// History that the rules need and that no breaker stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Past {
    /// When each breaker was opened, if it is open.
    pub(super) opened_at: [Option<Timestamp>; 3],
    /// Attempt that has the turn of each breaker's current window, if the window is a turn.
    pub(super) turns: [Option<Number>; 3],
    /// Attempt that has written each breaker's current window.
    pub(super) writers: [Option<Number>; 3],
    /// Turns without an end, where that rule is left out.
    pub(super) trying: [Option<Number>; 3],
    /// Token sets that the vault did not store since its breaker was last closed.
    pub(super) lost: u8,
    /// Turns at the vault since then.
    pub(super) vault_turns: u8,
}

/// A process: its views of the breakers, and its exchanges.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Process {
    pub(super) views: [View; 3],
    /// In the order of their beginnings.
    pub(super) works: Vec<Work>,
}

/// A process's view of a breaker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct View {
    pub(super) state: Arc<Health>,
    pub(super) read_at: Option<Timestamp>,
    /// Latest success of this process.
    pub(super) succeeded_at: Option<Timestamp>,
}

/// A rule that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// An exchange began while a breaker was open, without the turn, and although its process could know of the opening.
    BeganWhileOpen,
    /// A breaker was closed by a call that began before it was opened.
    ClosedByOlder,
    /// A breaker was closed by an exchange that had not written its current window.
    ClosedByAnother,
    /// More token sets were lost than there were exchanges under way at the opening and turns since.
    LostTooMany,
    /// A breaker is open although everything has been well for longer than any window.
    StaysOpen,
    /// The vault has been well for as long, and another app is not served because the observed one is misconfigured.
    OtherAppNotServed,
}

impl State {
    /// How everything begins.
    pub(super) fn first(config: &Config, market: Market, vault_works: bool) -> Self {
        let table = [LANE, HOST, VAULT].map(|at| Arc::new(begun(at, config.begins[at])));
        let opened_at = [LANE, HOST, VAULT].map(|at| table[at].open_until().map(|_| T0.plus(-3_600)));
        Self {
            now: T0,
            table,
            processes: vec![Process::default(); usize::from(config.runs) + usize::from(config.on_demand)],
            market,
            vault_works,
            next_attempt: 0,
            left: Left { changes: config.changes, deaths: config.deaths, moments: config.moments, rests: config.rests },
            past: Past { opened_at, ..Past::default() },
            broken: None,
        }
    }

    /// The first rule that is broken stays.
    pub(super) fn breaks(&mut self, broken: Broken) {
        self.broken.get_or_insert(broken);
    }

    /// All exchanges under way.
    pub(super) fn works(&self) -> impl Iterator<Item = &Work> {
        self.processes.iter().flat_map(|process| &process.works)
    }

    /// When the next window ends.
    pub(super) fn next_end(&self) -> Option<Timestamp> {
        self.table.iter().filter_map(|state| state.open_until()).filter(|until| *until > self.now).min()
    }
}

fn begun(at: usize, beginning: Beginning) -> Health {
    let failing = |failures: u8, at_time: Timestamp| {
        (0..failures).fold(Health::default(), |state, n| {
            let failed = state.failed(&BREAKERS[at], &format!("other {n}"), id(NOBODY), at_time);
            failed.unwrap_or(state)
        })
    };
    match beginning {
        Beginning::Closed => Health::default(),
        Beginning::Failing(failures) => failing(failures, T0),
        Beginning::Open(tries) => {
            let open_from = |start: Timestamp| {
                (0..tries).fold(failing(5, start), |state, _| {
                    let end = state.open_until().unwrap();
                    state.with_turn(id(NOBODY), end).unwrap()
                })
            };
            let length = open_from(T0).open_until().unwrap().since(T0);
            open_from(T0.plus(-length))
        }
    }
}
