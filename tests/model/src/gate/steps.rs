//! Steps of an exchange, in the order of `shop_keyring::protocol`: gate, call, put, then one report to each breaker.

use shop_keyring::{
    health::{Admission, State as Health},
    time::Timestamp,
};

use super::{
    breakers::{Change, Decision, FRESH_FOR, is_news},
    config::{Config, Market, Naive},
    names::{BREAKERS, HOST, LANE, VAULT},
    state::{Broken, State},
    work::{
        ACCEPTED, ASKED_TO_WAIT, MISCONFIGURED, NOT_STORED, OUTAGE, STORED, STORED_AFTER_ALL, Step,
        Telling::{self, Fails, LaneWaits, VaultCloses, Works},
        Work,
    },
};
use crate::vault::id;

/// The wait that a marketplace asks for, in seconds.
const WAIT: i64 = 600;

impl Config {
    /// Lets an exchange come to the gate. `false` if a breaker is open in the view of its process.
    pub(super) fn comes(&self, s: &mut State, process: usize, of_other_app: bool) -> bool {
        self.read_if_stale(s, process);
        let number = s.next_attempt;
        let (turns, writers, is_older) = Default::default();
        let step = Step::Pass(LANE);
        let (came_at, failed_earlier) = (s.now, false);
        let work = Work { number, came_at, of_other_app, step, turns, writers, is_older, failed_earlier };
        let is_admitted = self.goes_on(s, process, work);
        s.next_attempt += u8::from(is_admitted);
        is_admitted
    }

    /// Does one step that reaches outside the process. `response` is the marketplace's, if the step is a call.
    pub(super) fn step(&self, s: &mut State, process: usize, place: usize, response: Market) {
        let mut work = s.processes[process].works.remove(place);
        match work.step {
            Step::Pass(at) => self.take_turn(s, process, &mut work, at),
            Step::GiveBack => {
                if let Some(at) = work.next_turn() {
                    let decision = self.give_back(&work, at);
                    self.change(s, process, &mut work, at, Change::GivenBack, &*decision);
                    work.turns[at] = None;
                }
            }
            Step::Call => {
                work.step = match response {
                    Market::Well | Market::Flapping => put(s, &mut work),
                    Market::Sick => Step::Tell(OUTAGE),
                    Market::Misconfigured => Step::Tell(MISCONFIGURED),
                    Market::AsksToWait => Step::Tell(ASKED_TO_WAIT),
                }
            }
            Step::PutAgain if s.vault_works => {
                work.is_older[VAULT] = false;
                work.step = Step::Tell(STORED_AFTER_ALL);
            }
            Step::PutAgain => {
                // A put that failed before the last closing belongs to the opening before that.
                s.past.lost += u8::from(!work.failed_earlier);
                if s.past.lost > self.all_slots() + s.past.vault_turns {
                    s.breaks(Broken::LostTooMany);
                }
                work.step = Step::Tell(ACCEPTED);
            }
            Step::Tell(tellings) => {
                if let [telling, rest @ ..] = tellings {
                    if let Some(decision) = self.decision(&work, *telling, s.now) {
                        let change = if *telling == LaneWaits { Change::Waits } else { Change::Told };
                        self.change(s, process, &mut work, telling.breaker(), change, &*decision);
                    }
                    told(s, process, &mut work, *telling, rest);
                }
            }
        }
        self.goes_on(s, process, work);
    }

    fn take_turn(&self, s: &mut State, process: usize, work: &mut Work, at: usize) {
        let (mine, now) = (id(work.number), s.now);
        let before = self.change(s, process, work, at, Change::Turn, &move |state| state.with_turn(mine, now));
        if let Some(before) = before {
            work.turns[at] = Some(before);
            if self.is(Naive::TurnWithoutEnd) {
                s.past.trying[at] = Some(work.number);
            }
            work.step = Step::Pass(at + 1);
        } else if self.admission(s, process, at) == Admission::Pass {
            work.step = Step::Pass(at + 1);
        } else {
            work.step = Step::GiveBack;
        }
    }

    /// Does all steps that stay inside the process. `false` if the exchange has ended.
    fn goes_on(&self, s: &mut State, process: usize, mut work: Work) -> bool {
        loop {
            match work.step {
                Step::Pass(at) if at > VAULT => {
                    begins(s, &work);
                    work.step = Step::Call;
                    break;
                }
                Step::Pass(LANE) if work.of_other_app => work.step = Step::Pass(HOST),
                Step::Pass(at) => match self.admission(s, process, at) {
                    Admission::Pass => work.step = Step::Pass(at + 1),
                    Admission::NeedsTurn if self.is(Naive::NoWriteAhead) => work.step = Step::Pass(at + 1),
                    Admission::NeedsTurn => break,
                    Admission::Refuse { .. } => work.step = Step::GiveBack,
                },
                Step::GiveBack => {
                    let Some(at) = work.next_turn() else { return false };
                    if is_news(s, process, at, &*self.give_back(&work, at)) {
                        break;
                    }
                    work.turns[at] = None;
                }
                Step::Call | Step::PutAgain => break,
                Step::Tell([]) => {
                    if self.is(Naive::UsesUpVault) {
                        return false;
                    }
                    (work.turns[LANE], work.turns[HOST]) = (None, None);
                    work.step = Step::GiveBack;
                }
                Step::Tell([telling, rest @ ..]) => {
                    let decision = self.decision(&work, *telling, s.now);
                    if decision.is_some_and(|decision| is_news(s, process, telling.breaker(), &*decision)) {
                        break;
                    }
                    told(s, process, &mut work, *telling, rest);
                }
            }
        }
        let works = &mut s.processes[process].works;
        works.push(work);
        works.sort_by_key(|work| work.number);
        true
    }

    fn give_back(&self, work: &Work, at: usize) -> Box<Decision> {
        let (mine, before) = (id(work.number), work.turns[at].clone());
        let keeps = self.is(Naive::KeepsTurns);
        Box::new(move |state| if keeps { None } else { state.given_back(mine, before.as_deref()?) })
    }

    /// The change of a breaker that a report makes; `None` if it makes none.
    fn decision(&self, work: &Work, telling: Telling, now: Timestamp) -> Option<Box<Decision>> {
        let (mine, at) = (id(work.number), telling.breaker());
        if at == LANE && work.of_other_app {
            return None;
        }
        let has_turn = work.turns[at].is_some();
        Some(match telling {
            Works(_) if self.is(Naive::AnyoneCloses) => {
                Box::new(
                    move |state| {
                        if state.open_until().is_some() { Some(Health::default()) } else { state.succeeded(now) }
                    },
                )
            }
            Works(_) if has_turn => Box::new(move |state| state.closed_by(mine, now)),
            Works(_) => Box::new(move |state| state.succeeded(now)),
            Fails(_) if has_turn => return None,
            Fails(_) => {
                let three = at == VAULT && self.is(Naive::VaultNeedsThree);
                let (breaker, by) = (&BREAKERS[if three { LANE } else { at }], work.number.to_string());
                Box::new(move |state| state.failed(breaker, &by, mine, now))
            }
            VaultCloses => Box::new(move |state| state.closed_by(mine, now)),
            LaneWaits => Box::new(move |state| state.asked_to_wait(WAIT, mine, now)),
        })
    }
}

/// Sends the request. For each open breaker the exchange has the turn, or came before its process could know of the opening.
fn begins(s: &mut State, work: &Work) {
    for at in [LANE, HOST, VAULT] {
        let Some(opened_at) = s.past.opened_at[at] else { continue };
        if work.of_other_app && at == LANE {
            continue;
        }
        // A wait that the marketplace asked for may have taken the place of the turn.
        let has_turn = work.turns[at].is_some() && s.past.turns[at].is_none_or(|turn| turn == work.number);
        if !has_turn && work.came_at.since(opened_at) > FRESH_FOR {
            s.breaks(Broken::BeganWhileOpen);
        }
    }
}

/// Updates what the process itself knows after a report.
fn told(s: &mut State, process: usize, work: &mut Work, telling: Telling, rest: &'static [Telling]) {
    let at = telling.breaker();
    if matches!(telling, Works(_)) {
        s.processes[process].views[at].succeeded_at = Some(s.now);
    }
    if matches!(telling, Works(_) | Fails(_)) {
        work.turns[at] = None;
        s.past.trying[at] = s.past.trying[at].filter(|turn| *turn != work.number);
    }
    work.step = if telling == Fails(VAULT) { Step::PutAgain } else { Step::Tell(rest) };
}

/// Does the first put. It is one step with the exchange, because no other process sees a state between the two.
fn put(s: &State, work: &mut Work) -> Step {
    work.is_older[VAULT] = false;
    Step::Tell(if s.vault_works { STORED } else { NOT_STORED })
}
