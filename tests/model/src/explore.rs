//! The model as the checker wants it: what may happen in a state, and what comes of it.

use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{Arc, Mutex},
};

use shop_keyring::{
    connection::{
        Status,
        disconnect::disconnect,
        due, grant,
        notice::{NothingNew, Notice, take_note},
    },
    names::AccountId,
    time::Timestamp,
};
use stateright::{Model, Property};

use crate::{
    config::{Config, SOUND},
    granting::Authorized,
    market::YEAR,
    quiet,
    state::{Broken, State, Step, T0, Work},
    vault::Number,
};

/// The protocol under one configuration.
#[derive(Debug, Clone)]
pub struct Protocol {
    pub(crate) config: Config,
    /// In normal running afterwards: time goes far, and nothing is left out of the item.
    pub(crate) quiet: bool,
    /// Fingerprints of what was found to end well.
    pub(crate) ends_well: Arc<Mutex<HashSet<u64>>>,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Somebody reads the item and decides to claim it.
    Begins {
        /// Or by schedule.
        on_demand: bool,
    },
    /// The seller authorizes anew: the code is exchanged.
    Authorizes,
    /// The vendor confirms.
    Confirms,
    /// The vendor ends the connection.
    Disconnects,
    /// The seller takes the authorization back at the marketplace.
    Leaves,
    /// The marketplace's notice that it was taken back comes.
    Notice,
    /// The seller renews the authorization in the marketplace's seller center.
    Renews,
    /// The marketplace announces an end within minutes that is none.
    Announces,
    /// A backup is made.
    BacksUp,
    /// The item is restored from the backup, while nobody is at work.
    IsRestored,
    /// Time passes, to so many seconds after the beginning.
    Time(i64),
    /// Somebody at work takes the next step.
    Step {
        /// Whose attempt it is.
        attempt: Number,
        /// How it goes.
        how: How,
    },
}

/// How a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As it should.
    Well,
    /// The process dies before it.
    Dies,
    /// The marketplace did it, and its answer never came.
    AnswerLost,
    /// The marketplace never got it, and nobody knows.
    NotReached,
    /// The vault does not show yet what was put.
    Unseen,
    /// The vault fails.
    Fails,
    /// The vault did it, and says that it failed.
    Unheard,
    /// The vault says that it failed, and does it later.
    Late,
}

impl Protocol {
    /// To be explored.
    pub fn new(config: Config) -> Self {
        Self { config, quiet: false, ends_well: Arc::default() }
    }

    /// The table's time, as this worker's clock has it.
    pub(crate) fn now_of(&self, state: &State, attempt: Number) -> Timestamp {
        let clocks = self.config.clocks;
        let off = if self.quiet { 0 } else { clocks[usize::from(attempt) % clocks.len()] };
        state.now.plus(off)
    }

    /// The next time at which something becomes possible, if what is in flight may last until then.
    fn next_time(&self, state: &State) -> Option<Timestamp> {
        let item = state.item.as_deref()?;
        let soonest = match item.attempt {
            Some(claim) => [Some(claim.until), None, None],
            None if item.status == Status::Pending => [due::due_at(item), None, None],
            // A refresh at its own time is beyond what is waited for.
            None => [item.not_before, item.check_at, item.announced_end],
        };
        let clocks = self.config.clocks;
        let asked =
            item.authorization_expires_at.filter(|_| item.attempt.is_none()).map(|end| end.plus(ASKED_AFTER_END));
        let ends = [state.market.ends_at(), asked];
        let times =
            soonest.into_iter().chain(ends).flatten().flat_map(|time| clocks.iter().map(move |off| time.plus(-off)));
        let soon = T0.plus(HORIZON);
        times.filter(|time| *time > state.now && *time < soon).min().filter(|time| self.may_be(state, *time))
    }

    /// Whether it may become this late with what is in flight.
    fn may_be(&self, state: &State, time: Timestamp) -> bool {
        let longest = |step: &Step| {
            let frozen = !step.is_of_grant_or_deletion() || !self.config.forgives;
            if frozen { self.config.longest_work } else { self.config.longest_work.min(SOUND) }
        };
        let works = state.works.iter().filter(|work| work.step.is_in_flight());
        works.into_iter().all(|work| time.since(work.began) <= longest(&work.step))
    }

    fn hows(state: &State, work: &Work) -> &'static [How] {
        use How::{AnswerLost, Dies, Fails, Late, NotReached, Unheard, Unseen, Well};
        // What was not settled when the item was in the backup, it does not tell: troubles come after a restore.
        if state.left.troubles == 0 || state.left.restores > 0 {
            return &[Well];
        }
        match &work.step {
            Step::LookBack { .. } | Step::LookAgain { .. } if state.vault.fresh.is_empty() => &[Well, Dies],
            Step::LookBack { .. } | Step::LookAgain { .. } => &[Well, Dies, Unseen],
            Step::Exchange { .. } => &[Well, AnswerLost, NotReached],
            Step::Send { .. } if !state.vault.fresh.is_empty() => &[Well, Unseen],
            Step::Keep { .. } | Step::KeepGrant { .. } => &[Well, Dies, Fails, Unheard, Late],
            Step::Check { .. } => &[Well, NotReached],
            Step::Delete { .. } => &[Well, Fails],
            Step::Commit { .. }
            | Step::Refuse { .. }
            | Step::Fail { late: None, .. }
            | Step::Verify
            | Step::Remind
            | Step::Forget { .. }
            | Step::LookWhose { .. }
            | Step::Restore
            | Step::KeepCommitted { .. }
            | Step::ClaimForGrant { .. }
            | Step::CommitGrant { .. } => &[Well, Dies],
            Step::Claim { .. }
            | Step::Send { .. }
            | Step::Fail { late: Some(_), .. }
            | Step::LatePut { .. }
            | Step::Defer
            | Step::LetGo
            | Step::StillHeld { .. } => &[Well],
        }
    }

    fn step(&self, state: &State, attempt: Number, how: How) -> Option<State> {
        let mut next = state.clone();
        let at = next.works.iter().position(|work| work.attempt == attempt)?;
        let mut work = next.works.remove(at);
        if how != How::Well {
            next.left.troubles -= 1;
        }
        if how == How::Dies {
            next.past.unknown = true;
            let deleting = matches!(work.step, Step::Forget { .. } | Step::LookWhose { .. } | Step::Restore);
            next.past.died_deleting |= deleting && self.config.forgives;
            return Some(next);
        }
        if let Some(step) = self.after(&mut next, &work, how) {
            work.step = step;
            next.works.insert(at, work);
        }
        Some(next)
    }

    fn begin(&self, state: &State, on_demand: bool) -> Option<State> {
        let attempt = state.next_attempt;
        let item = state.item.as_deref()?;
        let version = item.token_version;
        let (decided, task) = self.decide_claim(item, on_demand, version, self.now_of(state, attempt), attempt)?;
        let mut next = state.clone();
        next.next_attempt += 1;
        next.left.workers = next.left.workers.saturating_sub(1);
        let step = Step::Claim { decided: decided.into(), task, version, on_demand, stale: false };
        let on_demand = on_demand && self.config.end.is_some();
        next.works.push(Work { attempt, began: state.now, step, on_demand });
        Some(next)
    }

    /// One scheduled work from its beginning to its end, without troubles.
    pub(crate) fn sweep(&self, state: &State) -> Option<State> {
        let mut state = self.begin(state, false)?;
        while let Some(work) = state.works.first() {
            let attempt = work.attempt;
            state = self.step(&state, attempt, How::Well)?;
        }
        Some(state)
    }

    fn happens(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Begins { on_demand } => return self.begin(state, on_demand),
            Action::Step { attempt, how } => return self.step(state, attempt, how),
            Action::Time(seconds) => {
                next.now = T0.plus(seconds);
                next.vault.fresh.clear();
                self.forget_what_is_past(&mut next);
            }
            Action::Authorizes => {
                next.left.grants -= 1;
                next.now = next.now.plus(self.config.between_grants);
                self.authorize(&mut next);
            }
            Action::Confirms => {
                let item = next.item.clone()?;
                let account: AccountId = item.account_id.clone()?;
                let active = grant::confirm(&item, &account, item.granted_at, next.now).ok()?;
                self.write(&mut next, active);
            }
            Action::Disconnects => {
                next.left.disconnects -= 1;
                let item = next.item.clone()?;
                next.past.ended = true;
                next.past.struck_at = None;
                self.write(&mut next, disconnect(&item, state.now));
            }
            Action::BacksUp => {
                next.left.backups -= 1;
                next.backup.clone_from(&next.item);
            }
            Action::IsRestored => {
                let backup = next.backup.clone()?;
                next.left.restores -= 1;
                next.past.struck_at = None;
                (next.past.told, next.past.ended, next.past.restored) = (false, false, true);
                self.write(&mut next, (*backup).clone());
            }
            Action::Leaves => {
                next.left.leaves -= 1;
                next.market.leave();
            }
            Action::Renews => {
                next.left.renewals -= 1;
                next.market.renew(state.now);
            }
            Action::Announces => {
                next.left.announcements -= 1;
                let ends_at = state.now.plus(ANNOUNCED);
                let item = take_note(next.item.as_deref()?, Notice::EndsSoon { ends_at }, state.now, state.now).ok()?;
                self.write(&mut next, item);
            }
            Action::Notice => {
                next.left.notices -= 1;
                let item = next.item.clone()?;
                match take_note(&item, Notice::Deauthorized, state.now, state.now) {
                    Ok(item) => {
                        next.past.told |= next.market.left;
                        self.write(&mut next, item);
                    }
                    Err(NothingNew::Known) => next.past.told |= next.market.left,
                    Err(NothingNew::NotActive | NothingNew::Late) => return None,
                }
            }
        }
        Some(next)
    }

    fn authorize(&self, next: &mut State) {
        let ends_at = self.config.end.map(|_| next.now.plus(YEAR));
        let token = next.market.authorize(self.config.ends_old, ends_at);
        next.past.told = false;
        let attempt = next.next_attempt;
        next.next_attempt += 1;
        let began = next.now;
        let step = self.authorized(next, Authorized { token, attempt, began });
        next.works.push(Work { attempt, began, step, on_demand: false });
    }
}

/// How long after the known end the marketplace is asked, in seconds.
const ASKED_AFTER_END: i64 = 300;

/// How far ahead the marketplace announces an end, in seconds.
const ANNOUNCED: i64 = 10 * 60;

/// Nothing that becomes possible later than this is waited for while others are at work, in seconds. Longer than two
/// refusals and the hour for a confirmation take, shorter than a token's life.
pub(crate) const HORIZON: i64 = 3 * 3_600;

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(&self.config)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken.is_some() {
            return;
        }
        for work in &state.works {
            let attempt = work.attempt;
            actions.extend(Self::hows(state, work).iter().map(|how| Action::Step { attempt, how: *how }));
        }
        let left = &state.left;
        if !state.works.is_empty() && self.waits_for_restore(state) {
            return;
        }
        if left.workers > 0 && state.item.is_some() {
            actions.push(Action::Begins { on_demand: false });
            actions.push(Action::Begins { on_demand: true });
        }
        if left.grants > 0 && self.may_be(state, state.now.plus(self.config.between_grants)) {
            actions.push(Action::Authorizes);
        }
        let status = state.item.as_ref().map(|item| item.status);
        if status == Some(Status::Pending) {
            actions.push(Action::Confirms);
        }
        if left.disconnects > 0 && status.is_some_and(|status| status != Status::Disconnected) {
            actions.push(Action::Disconnects);
        }
        if left.backups > 0 && left.restores > 0 && status.is_some() {
            actions.push(Action::BacksUp);
        }
        if left.restores > 0 && state.works.is_empty() && status.is_some() {
            actions.push(Action::IsRestored);
        }
        if left.leaves > 0 && !state.market.left {
            actions.push(Action::Leaves);
        }
        if left.notices > 0 && status == Some(Status::Active) {
            actions.push(Action::Notice);
        }
        // A seller who renews while a refusal is being written is asked again a day later.
        let refused = |work: &Work| matches!(work.step, Step::LookAgain { .. } | Step::Refuse { .. });
        let renews = left.renewals > 0 && !state.market.left && !state.works.iter().any(refused);
        if renews && status == Some(Status::Active) {
            actions.push(Action::Renews);
        }
        if left.announcements > 0 && status == Some(Status::Active) {
            actions.push(Action::Announces);
        }
        if let Some(time) = self.next_time(state) {
            actions.push(Action::Time(time.since(T0)));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        if action == (Action::Begins { on_demand: true }) && self.schedule_does_the_same(state) {
            return None;
        }
        self.happens(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(RULES, |protocol, state| protocol.verdict(state).is_none())]
    }
}

/// The one property: that no rule is broken.
pub(crate) const RULES: &str = "every rule holds";

impl Protocol {
    /// The rule that is broken in this state, or after it in normal running.
    pub(crate) fn verdict(&self, state: &State) -> Option<Broken> {
        if state.broken.is_some() || !state.works.is_empty() {
            return state.broken;
        }
        // What may still come makes no difference to how it ends without.
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let State { now, item, vault, market, next_attempt, past, .. } = state;
        let fingerprint = hasher.hash_one((now, item, vault, market, next_attempt, past));
        if self.ends_well.lock().unwrap().contains(&fingerprint) {
            return None;
        }
        let verdict = quiet::verdict(self, state, |_| ());
        if verdict.is_none() {
            self.ends_well.lock().unwrap().insert(fingerprint);
        }
        verdict
    }

    /// Whether what begins before a restore has to wait until nobody is at work: a refresh that keeps beside a new
    /// authorization is the newest in the vault, though not the one that counts.
    const fn waits_for_restore(&self, state: &State) -> bool {
        self.config.forgives && self.config.grants > 0 && state.left.restores > 0
    }

    /// Whether a work on demand would begin as one by schedule does.
    fn schedule_does_the_same(&self, state: &State) -> bool {
        let Some(item) = state.item.as_deref() else { return true };
        // At the end of an authorization only the schedule believes a refusal.
        if self.config.end.is_some() {
            return false;
        }
        let attempt = state.next_attempt;
        let decide =
            |on_demand| self.decide_claim(item, on_demand, item.token_version, self.now_of(state, attempt), attempt);
        decide(true) == decide(false)
    }
}
