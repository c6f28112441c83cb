//! The circuit breakers as this process knows them, and how it passes and changes them. What each change makes of a breaker
//! is decided in [`crate::health`].
//!
//! While all is well nothing is read but what a run reads every five seconds, and nothing is written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    health::{Admission, Breaker, Change, State},
    names::AttemptId,
    store::{Connections, Health, StoreError, StoredState},
    time::Timestamp,
};

/// How old the state of a breaker may be by which a call is made, in seconds. A run reads every five.
const FRESH_FOR: i64 = 10;

/// How long a change waits for the table. It is written later then.
const PATIENCE: Duration = Duration::from_secs(1);

/// The breakers that this process has to do with.
#[derive(Debug, Default)]
pub struct SharedHealth(Mutex<HashMap<Breaker, Arc<Known>>>);

#[derive(Debug)]
struct Known {
    breaker: Breaker,
    seen: Mutex<Seen>,
    /// Held while the breaker is written, so that of many failures at once only the first few are.
    writing: tokio::sync::Mutex<()>,
}

/// What the table held when it was last asked, and what this process has seen itself.
#[derive(Debug, Default)]
struct Seen {
    stored: StoredState,
    /// Changes that the table does not have yet. For this process they hold from the moment on that it sees a reason for them.
    unwritten: Vec<Change>,
    read_at: Option<Timestamp>,
    /// When this process has written it. A read that began before may have missed that.
    written_at: Option<Instant>,
    succeeded_at: Option<Timestamp>,
}

/// Why a call is not made now.
#[derive(Debug, thiserror::Error)]
pub enum NotPassed {
    /// A breaker is open.
    #[error("the circuit breaker {breaker} is open for {retry_after} s")]
    Open {
        /// Which one.
        breaker: Breaker,
        /// Seconds until somebody may try.
        retry_after: i64,
    },
    /// Nobody knows whether one is.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The turns of one claim at breakers whose time has passed. Those that were not used have to be given back.
#[derive(Debug)]
pub struct Turns {
    id: AttemptId,
    /// Each with its state before the turn was taken.
    taken: Vec<(Breaker, State)>,
}

impl Turns {
    /// None at all, for the claim `id`.
    pub const fn none(id: AttemptId) -> Self {
        Self { id, taken: Vec::new() }
    }

    /// The claim that owns them.
    pub const fn id(&self) -> AttemptId {
        self.id
    }

    /// A call was made: whatever came of it, only the vault's turn may still be given back.
    pub(super) fn use_up_those_of_a_call(&mut self) {
        self.taken.retain(|(breaker, _)| *breaker == Breaker::Vault);
    }

    /// The vault did not store: the turn at it is used up.
    pub fn use_up_that_of_vault(&mut self) {
        self.remove(&Breaker::Vault);
    }

    fn remove(&mut self, breaker: &Breaker) -> bool {
        self.taken.extract_if(.., |(taken, _)| taken == breaker).count() > 0
    }
}

impl Known {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state by which this process goes.
    fn state(&self) -> State {
        let seen = self.seen();
        let changed = |state: State, change: &Change| change.apply(&self.breaker, &state).unwrap_or(state);
        seen.unwritten.iter().fold(seen.stored.state.clone(), changed)
    }

    fn admission(&self, now: Timestamp) -> Admission {
        self.state().admission(now)
    }
}

impl SharedHealth {
    fn known(&self, breaker: &Breaker) -> Arc<Known> {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Known { breaker: breaker.clone(), seen: Mutex::default(), writing: tokio::sync::Mutex::default() };
        Arc::clone(breakers.entry(breaker.clone()).or_insert_with(|| Arc::new(new())))
    }

    /// What these breakers say together, as far as this process knows.
    pub fn admission(&self, breakers: &[Breaker], now: Timestamp) -> Admission {
        let mut together = Admission::Pass;
        for breaker in breakers {
            let admission = self.known(breaker).admission(now);
            together = match (together, admission) {
                (Admission::Refuse { retry_after: one }, Admission::Refuse { retry_after: other }) => {
                    Admission::Refuse { retry_after: one.max(other) }
                }
                (refuse @ Admission::Refuse { .. }, _) | (_, refuse @ Admission::Refuse { .. }) => refuse,
                (Admission::NeedsTurn, _) | (_, Admission::NeedsTurn) => Admission::NeedsTurn,
                (Admission::Pass, Admission::Pass) => Admission::Pass,
            };
        }
        together
    }

    /// Reads these breakers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(&self, table: &Connections, breakers: &[Breaker]) -> Result<(), StoreError> {
        let began = Instant::now();
        self.learn(table.health(breakers).await?, began, table.now());
        for breaker in breakers {
            let known = self.known(breaker);
            let (unwritten, succeeded_at) = {
                let seen = known.seen();
                (seen.unwritten.clone(), seen.succeeded_at)
            };
            for change in unwritten {
                write(table, &known, change).await;
            }
            // What this process has seen succeed speaks against failures that others had written before.
            if let Some(at) = succeeded_at {
                self.change(table, breaker, Change::Succeeded { at }).await;
            }
        }
        Ok(())
    }

    /// Takes note of what the table held, by a read that `began` then and ended `now`.
    pub(super) fn learn(&self, health: Health, began: Instant, now: Timestamp) {
        for (breaker, stored) in health {
            let known = self.known(&breaker);
            let mut seen = known.seen();
            if seen.written_at.is_none_or(|written_at| written_at < began) {
                (seen.stored, seen.read_at) = (stored, Some(now));
            }
        }
    }

    /// Passes these breakers, in order, with a turn where one is needed: all of them or none.
    ///
    /// # Errors
    /// [`NotPassed`].
    pub async fn pass(&self, table: &Connections, breakers: &[Breaker], id: AttemptId) -> Result<Turns, NotPassed> {
        let is_stale = |at: Timestamp| table.now().since(at) > FRESH_FOR;
        if breakers.iter().any(|breaker| self.known(breaker).seen().read_at.is_none_or(is_stale)) {
            self.read(table, breakers).await?;
        }
        let mut turns = Turns::none(id);
        for breaker in breakers {
            if let Err(error) = self.pass_one(table, breaker, &mut turns).await {
                self.give_back(table, turns).await;
                return Err(error);
            }
        }
        Ok(turns)
    }

    async fn pass_one(&self, table: &Connections, breaker: &Breaker, turns: &mut Turns) -> Result<(), NotPassed> {
        let known = self.known(breaker);
        match known.admission(table.now()) {
            Admission::Pass => return Ok(()),
            Admission::Refuse { retry_after } => return Err(open(breaker, retry_after)),
            Admission::NeedsTurn => {}
        }
        if let Some(before) = take_turn(table, &known, turns.id).await? {
            turns.taken.push((breaker.clone(), before));
            return Ok(());
        }
        // Somebody else has the turn, or has closed it.
        match known.admission(table.now()) {
            Admission::Pass => Ok(()),
            Admission::Refuse { retry_after } => Err(open(breaker, retry_after)),
            Admission::NeedsTurn => Err(open(breaker, 1)),
        }
    }

    /// Gives back turns that were not used.
    pub async fn give_back(&self, table: &Connections, turns: Turns) {
        let at = table.now();
        for (breaker, before) in turns.taken {
            self.change(table, &breaker, Change::GivenBack { turn: turns.id, before, at }).await;
        }
    }

    /// What a breaker guards has worked for the owner of these turns.
    pub async fn works(&self, table: &Connections, breaker: &Breaker, turns: &mut Turns) {
        let (at, turn) = (table.now(), turns.id);
        self.known(breaker).seen().succeeded_at = Some(at);
        let change = if turns.remove(breaker) { Change::Closed { turn, at } } else { Change::Succeeded { at } };
        self.change(table, breaker, change).await;
    }

    /// It has failed for `by`. A turn at it is used up: the breaker stays open.
    pub async fn fails(&self, table: &Connections, breaker: &Breaker, by: &str, turns: &mut Turns) {
        if !turns.remove(breaker) {
            let change = Change::Failed { by: by.to_owned(), turn: turns.id, at: table.now() };
            self.change(table, breaker, change).await;
        }
    }

    /// It has failed for a reason that concerns everybody.
    pub async fn fails_for_all(&self, table: &Connections, breaker: &Breaker) {
        let change = Change::FailedForAll { turn: AttemptId::random(), at: table.now() };
        self.change(table, breaker, change).await;
    }

    /// A marketplace has asked to wait for so many seconds. A turn at it is used up.
    pub async fn waits(&self, table: &Connections, breaker: &Breaker, seconds: i64, turns: &mut Turns) {
        turns.remove(breaker);
        let change = Change::AskedToWait { wait: seconds, turn: turns.id, at: table.now() };
        self.change(table, breaker, change).await;
    }

    /// Closes a breaker that this piece of work has opened itself, or has the turn at.
    pub async fn closes(&self, table: &Connections, breaker: &Breaker, turns: &mut Turns) {
        turns.remove(breaker);
        self.change(table, breaker, Change::Closed { turn: turns.id, at: table.now() }).await;
    }

    /// Changes a breaker, unless that changes nothing as far as this process knows. It holds for this process at once, and if
    /// the table does not take it, it is written with a later read.
    async fn change(&self, table: &Connections, breaker: &Breaker, change: Change) {
        let known = self.known(breaker);
        let before = known.state();
        let Some(after) = change.apply(breaker, &before) else { return };
        known.seen().unwritten.push(change.clone());
        tell(breaker, &before, &after, table.now());
        if tokio::time::timeout(PATIENCE, write(table, &known, change)).await.is_err() {
            tracing::warn!(%breaker, "the table does not respond; the circuit breaker is written later");
        }
    }
}

/// Writes a change that is not written yet.
async fn write(table: &Connections, known: &Known, change: Change) {
    let _writing = known.writing.lock().await;
    let stored = {
        let mut seen = known.seen();
        if !seen.unwritten.contains(&change) {
            return;
        }
        if change.is_outdated(table.now()) {
            seen.unwritten.retain(|unwritten| *unwritten != change);
            return;
        }
        seen.stored.clone()
    };
    let breaker = &known.breaker;
    match table.change_health(breaker, stored, |state| change.apply(breaker, state)).await {
        Ok((after, _)) => {
            let mut seen = known.seen();
            (seen.stored, seen.read_at, seen.written_at) = (after, Some(table.now()), Some(Instant::now()));
            seen.unwritten.retain(|unwritten| *unwritten != change);
        }
        Err(error) => {
            known.seen().written_at = Some(Instant::now());
            tracing::warn!(%breaker, %error, "the circuit breaker could not be written; it is tried again");
        }
    }
}

/// Takes the turn, if it is there to be taken; returns the state before.
async fn take_turn(table: &Connections, known: &Known, turn: AttemptId) -> Result<Option<State>, StoreError> {
    let _writing = known.writing.lock().await;
    let stored = known.seen().stored.clone();
    let mut before = None;
    let decide = |state: &State| {
        before = Some(state.clone());
        state.with_turn(turn, table.now())
    };
    let (after, is_mine) = table.change_health(&known.breaker, stored, decide).await?;
    let mut seen = known.seen();
    (seen.stored, seen.read_at, seen.written_at) = (after, Some(table.now()), Some(Instant::now()));
    Ok(before.filter(|_| is_mine))
}

fn open(breaker: &Breaker, retry_after: i64) -> NotPassed {
    NotPassed::Open { breaker: breaker.clone(), retry_after }
}

impl SharedHealth {
    /// Tells, in the log, of the hosts among these that are not called at present: an alarm that counted failures would fall
    /// silent while they are left alone.
    pub fn tell_of_hosts(&self, breakers: &[Breaker], now: Timestamp) {
        for breaker in breakers {
            if let Breaker::Host(host) = breaker
                && let Admission::Refuse { retry_after } = self.known(breaker).admission(now)
            {
                tracing::error!(
                    alarm = "marketplace_out_of_reach",
                    %host,
                    retry_after,
                    "the marketplace cannot be reached; nothing is sent to this host but a try from time to time"
                );
            }
        }
    }
}

/// Tells of an opening and a closing; a turn is neither.
fn tell(breaker: &Breaker, before: &State, after: &State, now: Timestamp) {
    match (before.open_until(), after.open_until()) {
        (None, Some(until)) => {
            let seconds = until.since(now);
            match breaker {
                Breaker::Host(host) => tracing::error!(
                    alarm = "marketplace_out_of_reach",
                    %host,
                    seconds,
                    "the marketplace cannot be reached; nothing is sent to this host for now"
                ),
                Breaker::Lane(app) => {
                    tracing::warn!(%app, seconds, "nothing is sent for this app for now");
                }
                Breaker::Vault => {
                    tracing::warn!(seconds, "the vault did not store a token set; no other is spent for now");
                }
            }
        }
        (Some(_), None) => tracing::info!(%breaker, "works again"),
        _ => {}
    }
}
