//! The circuit breakers as this process knows them, and how it passes and changes them. What each change makes of a breaker
//! is decided in [`crate::health`].
//!
//! While all is well nothing is read but what a run reads every five seconds, and nothing is written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{
    health::{Admission, Breaker, State},
    names::AttemptId,
    store::{Connections, Health, StoreError, StoredState},
    time::Timestamp,
};

/// How old the state of a breaker may be by which a call is made, in seconds. A run reads every five.
const FRESH_FOR: i64 = 10;

/// The breakers that this process has to do with.
#[derive(Debug, Default)]
pub struct SharedHealth(Mutex<HashMap<Breaker, Arc<Known>>>);

#[derive(Debug, Default)]
struct Known {
    seen: Mutex<Seen>,
    /// Held while the breaker is changed, so that of many failures at once only the first few are written.
    changing: tokio::sync::Mutex<()>,
}

/// What the table held when it was last asked, and what this process has seen itself.
#[derive(Debug, Default)]
struct Seen {
    stored: StoredState,
    /// What the table should hold and could not be told. This process goes by it.
    unwritten: Option<State>,
    read_at: Option<Timestamp>,
    /// When this process has changed it. A read that began before may have missed that.
    changed_at: Option<Instant>,
    succeeded_at: Option<Timestamp>,
}

/// Why a call is not made now.
#[derive(Debug, thiserror::Error)]
pub enum NotPassed {
    /// A breaker is open.
    #[error("a circuit breaker is open for {retry_after} s")]
    Closed {
        /// Seconds until somebody may try.
        retry_after: i64,
    },
    /// Nobody knows whether one is.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The turns of one piece of work at breakers whose time has passed. What is not used is to be given back.
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

    /// Who has them.
    pub const fn id(&self) -> AttemptId {
        self.id
    }

    fn remove(&mut self, breaker: &Breaker) -> bool {
        self.taken.extract_if(.., |(taken, _)| taken == breaker).count() > 0
    }
}

impl Seen {
    fn state(&self) -> &State {
        self.unwritten.as_ref().unwrap_or(&self.stored.state)
    }
}

impl Known {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedHealth {
    fn known(&self, breaker: &Breaker) -> Arc<Known> {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(breakers.entry(breaker.clone()).or_default())
    }

    /// What these breakers say together, as far as this process knows.
    pub fn admission(&self, breakers: &[Breaker], now: Timestamp) -> Admission {
        let mut together = Admission::Pass;
        for breaker in breakers {
            let admission = self.known(breaker).seen().state().admission(now);
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
            let (unwritten, succeeded_at) = {
                let known = self.known(breaker);
                let seen = known.seen();
                (seen.unwritten.clone(), seen.succeeded_at)
            };
            if let Some(unwritten) = unwritten {
                self.write_late(table, breaker, unwritten).await;
            }
            // What this process has seen succeed speaks against failures that others had written before.
            if let Some(at) = succeeded_at {
                self.change(table, breaker, |state| state.succeeded(at)).await;
            }
        }
        Ok(())
    }

    /// Tells the table what it could not be told before, unless it knows something else by now, or it is too late.
    async fn write_late(&self, table: &Connections, breaker: &Breaker, unwritten: State) {
        let known = self.known(breaker);
        let _changing = known.changing.lock().await;
        let stored = known.seen().stored.clone();
        let is_over = !matches!(unwritten.admission(table.now()), Admission::Refuse { .. });
        let decide = |state: &State| (!is_over && state.open_until().is_none()).then(|| unwritten.clone());
        if let Ok((after, _)) = table.change_health(breaker, stored, decide).await {
            let mut seen = known.seen();
            (seen.stored, seen.unwritten) = (after, None);
            (seen.read_at, seen.changed_at) = (Some(table.now()), Some(Instant::now()));
        }
    }

    /// Takes note of what the table held, by a read that `began` then and ended `now`.
    pub(super) fn learn(&self, health: Health, began: Instant, now: Timestamp) {
        for (breaker, stored) in health {
            let known = self.known(&breaker);
            let mut seen = known.seen();
            if seen.changed_at.is_none_or(|changed_at| changed_at < began) {
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
        let admission = |now| self.known(breaker).seen().state().admission(now);
        match admission(table.now()) {
            Admission::Pass => return Ok(()),
            Admission::Refuse { retry_after } => return Err(NotPassed::Closed { retry_after }),
            Admission::NeedsTurn => {}
        }
        let mut before = None;
        let id = turns.id;
        let is_mine = self
            .try_change(table, breaker, |state| {
                before = Some(state.clone());
                state.with_turn(id, table.now())
            })
            .await?;
        if let Some(before) = before.filter(|_| is_mine) {
            turns.taken.push((breaker.clone(), before));
            return Ok(());
        }
        // Somebody else has the turn, or has closed it.
        match admission(table.now()) {
            Admission::Pass => Ok(()),
            Admission::Refuse { retry_after } => Err(NotPassed::Closed { retry_after }),
            Admission::NeedsTurn => Err(NotPassed::Closed { retry_after: 1 }),
        }
    }

    /// Gives back turns that were not used.
    pub async fn give_back(&self, table: &Connections, turns: Turns) {
        for (breaker, before) in &turns.taken {
            self.change(table, breaker, |state| state.given_back(turns.id, before)).await;
        }
    }

    /// What a breaker guards has worked, for who has these turns.
    pub async fn works(&self, table: &Connections, breaker: &Breaker, turns: &mut Turns) {
        let (now, id) = (table.now(), turns.id);
        self.known(breaker).seen().succeeded_at = Some(now);
        if turns.remove(breaker) {
            self.change(table, breaker, |state| state.closed_by(id, now)).await;
        } else {
            self.change(table, breaker, |state| state.succeeded(now)).await;
        }
    }

    /// It has failed for `by`. A turn at it is used up: the breaker stays open.
    pub async fn fails(&self, table: &Connections, breaker: &Breaker, by: &str, turns: &mut Turns) {
        let (now, id) = (table.now(), turns.id);
        if !turns.remove(breaker) {
            self.change(table, breaker, |state| state.failed(breaker, by, id, now)).await;
        }
    }

    /// It has failed for a reason that concerns everybody.
    pub async fn fails_for_all(&self, table: &Connections, breaker: &Breaker) {
        let (now, id) = (table.now(), AttemptId::random());
        self.change(table, breaker, |state| state.failed_for_all(id, now)).await;
    }

    /// A marketplace has asked to wait for so many seconds.
    pub async fn waits(&self, table: &Connections, breaker: &Breaker, seconds: i64) {
        let (now, id) = (table.now(), AttemptId::random());
        self.change(table, breaker, |state| state.asked_to_wait(seconds, id, now)).await;
    }

    /// Closes a breaker that this piece of work has opened itself, or has the turn at.
    pub async fn closes(&self, table: &Connections, breaker: &Breaker, id: AttemptId) {
        let now = table.now();
        self.change(table, breaker, |state| state.closed_by(id, now)).await;
    }

    /// Changes a breaker. If the table fails, this process goes by it alone, and tells the table later.
    async fn change(&self, table: &Connections, breaker: &Breaker, decide: impl FnMut(&State) -> Option<State> + Send) {
        if let Err(error) = self.try_change(table, breaker, decide).await {
            tracing::warn!(%breaker, %error, "the circuit breaker could not be changed");
        }
    }

    /// Changes a breaker, unless `decide` says about its known state that there is nothing to change. Returns whether this
    /// call has written it.
    async fn try_change(
        &self,
        table: &Connections,
        breaker: &Breaker,
        mut decide: impl FnMut(&State) -> Option<State> + Send,
    ) -> Result<bool, StoreError> {
        let known = self.known(breaker);
        let _changing = known.changing.lock().await;
        let (before, state) = {
            let seen = known.seen();
            (seen.stored.clone(), seen.state().clone())
        };
        let Some(decided) = decide(&state) else { return Ok(false) };
        let changed = table.change_health(breaker, before, decide).await;
        let (now, mut seen) = (table.now(), known.seen());
        seen.changed_at = Some(Instant::now());
        match changed {
            Ok((after, is_written)) => {
                if is_written {
                    tell(breaker, &state, &after.state, now);
                }
                (seen.stored, seen.unwritten, seen.read_at) = (after, None, Some(now));
                Ok(is_written)
            }
            Err(error) => {
                tell(breaker, &state, &decided, now);
                seen.unwritten = Some(decided);
                Err(error)
            }
        }
    }
}

impl SharedHealth {
    /// Tells, in the log, of the hosts among these that are not called at present: an alarm that counted failures would fall
    /// silent while they are left alone.
    pub fn tell_of_hosts(&self, breakers: &[Breaker]) {
        for breaker in breakers {
            if let Breaker::Host(host) = breaker
                && let Some(until) = self.known(breaker).seen().state().open_until()
            {
                tracing::error!(
                    alarm = "marketplace_out_of_reach",
                    %host,
                    until = until.0,
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
