//! Reads and changes of the breakers, as in `shop_keyring::protocol`: a process decides by its view whether there is something
//! to change, and then by the table.

use std::sync::Arc;

use shop_keyring::{
    health::{Admission, State as Health},
    time::Timestamp,
};

use super::{
    config::{Config, Naive},
    names::{HOST, LANE, VAULT},
    state::{Broken, State},
    work::{Step, Work},
};

/// How old the state of a breaker may be by which a call is made, in seconds, as in `shop_keyring::protocol`.
pub(super) const FRESH_FOR: i64 = 10;

/// A change of a breaker.
pub(super) type Decision = dyn Fn(&Health) -> Option<Health>;

/// Why a breaker is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// An exchange takes the turn.
    Turn,
    /// It gives it back.
    GivenBack,
    /// It reports.
    Told,
    /// It reports that the marketplace has asked to wait.
    Waits,
}

impl Config {
    /// What a breaker says by the view of this process.
    pub(super) fn admission(&self, s: &State, process: usize, at: usize) -> Admission {
        let admission = s.processes[process].views[at].state.admission(s.now);
        match s.past.trying[at] {
            Some(_) if self.is(Naive::TurnWithoutEnd) => Admission::Refuse { retry_after: 1 },
            _ => admission,
        }
    }

    /// Reads the breakers if a view is too old for a call. A process on demand always has read them with its item.
    pub(super) fn read_if_stale(&self, s: &mut State, process: usize) {
        let is_run = process < usize::from(self.runs);
        let is_fresh = |at: usize| {
            let read_at = s.processes[process].views[at].read_at;
            let age = if self.is(Naive::NeverReadsAgain) { i64::MAX } else { FRESH_FOR };
            read_at.is_some_and(|read_at| s.now.since(read_at) <= age)
        };
        if !is_run || ![LANE, HOST, VAULT].into_iter().all(is_fresh) {
            read(s, process);
        }
    }

    /// Moves time, and forgets what makes no difference any more.
    pub(super) fn move_to(&self, s: &mut State, time: Timestamp) {
        s.now = time;
        for process in &mut s.processes {
            for (view, table) in process.views.iter_mut().zip(&s.table) {
                let is_stale = view.read_at.is_none_or(|read_at| time.since(read_at) > FRESH_FOR);
                if is_stale && process.works.is_empty() && !self.is(Naive::NeverReadsAgain) {
                    (view.state, view.read_at) = Default::default();
                }
                // A success answers only failures before it.
                view.succeeded_at = view.succeeded_at.filter(|_| table.has_failures());
            }
        }
    }

    /// Changes a breaker for an exchange. Returns its state before if this call has written it.
    pub(super) fn change(
        &self,
        s: &mut State,
        process: usize,
        work: &mut Work,
        at: usize,
        change: Change,
        decide: &Decision,
    ) -> Option<Arc<Health>> {
        let known = Arc::clone(&s.processes[process].views[at].state);
        let before = Arc::clone(&s.table[at]);
        let from_known = decide(&known)?;
        let after = if self.is(Naive::BlindWrites) { Some(from_known) } else { decide(&before) };
        let is_written = after.is_some();
        if let Some(after) = after {
            s.table[at] = Arc::new(after);
            note(s, work, at, change, &before);
        }
        let view = &mut s.processes[process].views[at];
        (view.state, view.read_at) = (Arc::clone(&s.table[at]), Some(s.now));
        is_written.then_some(before)
    }
}

/// Whether a decision would change the breaker as this process sees it.
pub(super) fn is_news(s: &State, process: usize, at: usize, decide: &Decision) -> bool {
    decide(&s.processes[process].views[at].state).is_some()
}

/// Reads the breakers, and adds the latest success of this process.
pub(super) fn read(s: &mut State, process: usize) {
    for at in [LANE, HOST, VAULT] {
        let succeeded_at = s.processes[process].views[at].succeeded_at;
        let news = succeeded_at.and_then(|succeeded_at| s.table[at].succeeded(succeeded_at));
        if let Some(state) = news {
            s.table[at] = Arc::new(state);
        }
        let view = &mut s.processes[process].views[at];
        (view.state, view.read_at) = (Arc::clone(&s.table[at]), Some(s.now));
    }
}

/// Records the history that the rules need.
fn note(s: &mut State, work: &mut Work, at: usize, change: Change, before: &Health) {
    let (was, is) = (before.open_until(), s.table[at].open_until());
    match change {
        Change::Turn => {
            s.past.turns[at] = Some(work.number);
            work.writers[at] = s.past.writers[at].replace(work.number);
            s.past.vault_turns += u8::from(at == VAULT);
        }
        Change::GivenBack => {
            s.past.turns[at] = None;
            s.past.writers[at] = work.writers[at];
            s.past.vault_turns -= u8::from(at == VAULT).min(s.past.vault_turns);
        }
        Change::Told if is.is_some() && was != is => {
            (s.past.turns[at], s.past.writers[at]) = (None, Some(work.number));
        }
        Change::Waits => (s.past.turns[at], s.past.writers[at]) = (None, None),
        Change::Told => {}
    }
    if was.is_none() && is.is_some() {
        s.past.opened_at[at] = Some(s.now);
        let others = s.processes.iter_mut().flat_map(|process| &mut process.works);
        for work in others.chain([work]) {
            // A call that begins later is newer.
            work.is_older[at] = !work.is_in_gate();
        }
    } else if was.is_some() && is.is_none() {
        s.past.opened_at[at] = None;
        if at == VAULT {
            (s.past.lost, s.past.vault_turns) = (0, 0);
            for work in s.processes.iter_mut().flat_map(|process| &mut process.works) {
                work.failed_earlier |= work.step == Step::PutAgain;
            }
        }
        if work.is_older[at] {
            s.breaks(Broken::ClosedByOlder);
        }
        if s.past.writers[at].take() != Some(work.number) {
            s.breaks(Broken::ClosedByAnother);
        }
        s.past.turns[at] = None;
    }
}
