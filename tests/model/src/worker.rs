//! What a worker does, in the order of `shop_keyring::protocol`: claim, look back, exchange, keep, commit, or a
//! check. The decisions are the product's; here is only who reads and writes when.

use std::sync::Arc;

use shop_keyring::{
    connection::{
        Connection, Status,
        claim::{Claimed, NotClaimed, Trigger, claim},
        due::Work as Kind,
        evidence::Call,
        next::Next,
    },
    time::Timestamp,
};

use crate::{
    config::Naive,
    explore::{How, Protocol},
    state::{Broken, State, Step, Task, Work},
    vault::{Newest, Number, Set, id, number, number_of, version},
};

/// No exchange starts later than this after the claim, in seconds.
const START: i64 = 15;

/// The schedule's claim, for work of either kind.
fn claim_by_schedule(item: &Connection, now: Timestamp, attempt: Number) -> Result<Claimed, NotClaimed> {
    let [asking, chore] = Kind::ALL.map(|kind| claim(item, Trigger::Schedule(kind), now, id(attempt)));
    asking.or(chore)
}

impl Protocol {
    /// The product's decision to claim.
    pub(crate) fn decide_claim(
        &self,
        item: &Connection,
        on_demand: bool,
        rejected_version: u64,
        now: Timestamp,
        attempt: Number,
    ) -> Option<(Connection, Task)> {
        let rejecting = Trigger::OnDemand { rejected_version };
        let claimed = if on_demand && self.config.is(Naive::IgnoresBackOff) {
            let rash = Connection { not_before: None, refusals: 0, ..item.clone() };
            claim(&rash, rejecting, now, id(attempt)).map(|mut claimed| {
                (claimed.item.refusals, claimed.item.not_before) = (item.refusals, item.not_before);
                claimed
            })
        } else if on_demand {
            claim(item, rejecting, now, id(attempt))
        } else {
            claim_by_schedule(item, now, attempt)
        };
        let claimed = claimed.ok()?;
        let mut item = claimed.item;
        if self.config.is(Naive::ShortClaim)
            && let Some(claim) = &mut item.attempt
        {
            claim.until = now.plus(20);
        }
        if self.config.is(Naive::TakeoverForgets) {
            item.attempts.retain(|known| *known == id(attempt));
        }
        let task = match claimed.next {
            Next::Refresh => Task::Refresh,
            Next::Check => Task::Check,
            Next::Remove => Task::Remove,
            Next::DeleteSecret => Task::DeleteSecret,
            Next::LookBack if item.status == Status::Pending && item.secret_version.is_none() => Task::Remove,
            Next::LookBack => Task::LookBack,
            Next::Remind => Task::Remind,
            Next::Nothing | Next::RegisterWebhooks | Next::Publish => {
                unreachable!("nothing ends by itself here, and nothing is told")
            }
        };
        Some((item, task))
    }

    /// Takes the next step; what comes after it, or nothing if the work is over.
    pub(crate) fn after(&self, s: &mut State, work: &Work, how: How) -> Option<Step> {
        let attempt = work.attempt;
        let now = self.now_of(s, attempt);
        match work.step.clone() {
            Step::Claim { decided, task, version, on_demand, stale } => {
                let (item, task) = if stale {
                    self.decide_claim(s.item.as_deref()?, on_demand, version, now, attempt)?
                } else {
                    ((*decided).clone(), task)
                };
                s.past.unknown |= s.item.as_ref().is_some_and(|item| item.attempt.is_some());
                self.write(s, item);
                let held = s.item.clone()?;
                Some(Step::LookBack { held, task })
            }
            Step::LookBack { held, task } => {
                let nothing = || match task {
                    Task::Refresh => Step::Send { held: Arc::clone(&held) },
                    Task::Check => Step::Check { held: Arc::clone(&held) },
                    Task::LookBack => Step::LetGo,
                    Task::Remind => Step::Remind,
                    Task::Remove | Task::DeleteSecret => Step::StillHeld { task },
                };
                Some(self.found(s, &held, attempt, how).unwrap_or_else(nothing))
            }
            Step::LookAgain { held, sent_at } => {
                Some(self.found(s, &held, attempt, how).unwrap_or(Step::Refuse { call: Call::Refresh, sent_at }))
            }
            Step::Keep { set } => {
                s.past.unknown |= how != How::Well;
                match how {
                    How::Fails => Some(Step::Fail { unknown: true, late: None }),
                    How::Late => Some(Step::Fail { unknown: true, late: Some(set) }),
                    how if s.vault.put_again(set) && how == How::Well => Some(Step::Commit { set, listed: true }),
                    _ => Some(Step::Fail { unknown: true, late: None }),
                }
            }
            Step::LatePut { set, grant: true } => {
                s.vault.put(set);
                None
            }
            Step::LatePut { set, grant: false } | Step::KeepCommitted { set } => {
                s.vault.put_again(set);
                None
            }
            Step::Send { .. } | Step::Exchange { .. } | Step::Check { .. } => self.asks(s, work, how),
            Step::StillHeld { .. }
            | Step::Delete { .. }
            | Step::Forget { .. }
            | Step::LookWhose { .. }
            | Step::Restore => self.removes(s, work, how),
            Step::ClaimForGrant { .. } | Step::KeepGrant { .. } | Step::CommitGrant { .. } => {
                self.after_authorized(s, work, how)
            }
            Step::Commit { .. }
            | Step::Refuse { .. }
            | Step::Fail { .. }
            | Step::Defer
            | Step::LetGo
            | Step::Verify
            | Step::Remind => self.settles(s, work),
        }
    }

    /// The steps that ask the marketplace.
    fn asks(&self, s: &mut State, work: &Work, how: How) -> Option<Step> {
        let attempt = work.attempt;
        let now = self.now_of(s, attempt);
        match work.step.clone() {
            Step::Send { held } => {
                let Some(version) = &held.secret_version else { return Some(Step::LetGo) };
                match self.newest(s, &held, how) {
                    Newest::Later(set) => return Some(Step::Commit { set, listed: false }),
                    Newest::AnotherAuthorization => return Some(Step::Defer),
                    Newest::Own => {}
                }
                let Some(current) = s.vault.get(number_of(version)) else { return Some(Step::Defer) };
                if how != How::Unseen && s.vault.newest(&held, &[]) == Newest::AnotherAuthorization {
                    s.breaks(Broken::SpentWhatHadEnded);
                }
                if s.now.since(work.began) >= START {
                    return Some(Step::LetGo);
                }
                let token = current.token;
                if self.expires_unasked(&held, now) {
                    return Some(Step::Refuse { call: Call::Refresh, sent_at: s.now });
                }
                let busy = |other: &Work| matches!(other.step, Step::Exchange { token: theirs, .. } if theirs == token);
                if self.config.is_sound() && s.works.iter().any(busy) {
                    s.breaks(Broken::TwoExchanges);
                }
                Some(Step::Exchange { held, token, sent_at: s.now })
            }
            Step::Exchange { held, token, sent_at } => {
                if how == How::NotReached {
                    s.past.unknown = true;
                    return Some(Step::Fail { unknown: true, late: None });
                }
                let Some(token) = s.market.refresh(token, self.config.rotation, s.now) else {
                    // Without an answer it is the same as never reached.
                    return if how == How::Well { Some(Step::LookAgain { held, sent_at }) } else { None };
                };
                if how == How::AnswerLost {
                    s.past.unknown = true;
                    return Some(Step::Fail { unknown: true, late: None });
                }
                let parent = held.secret_version.as_ref().map(number_of);
                let known = parent.and_then(|parent| s.vault.get(parent)).map(Set::known_end).unwrap_or_default();
                let set = Set::new(attempt, token, parent, held.granted_at);
                let set = set.with_end(s.market.stated_end(token), known, s.now);
                if self.config.is(Naive::CommitsBeforeKeep) {
                    return Some(Step::Commit { set, listed: true });
                }
                Some(Step::Keep { set })
            }
            Step::Check { held } => {
                if how == How::NotReached {
                    return Some(Step::Fail { unknown: false, late: None });
                }
                let Some(version) = &held.secret_version else { return Some(Step::LetGo) };
                match self.newest(s, &held, how) {
                    Newest::Later(set) => return Some(Step::Commit { set, listed: false }),
                    Newest::AnotherAuthorization => return Some(Step::Defer),
                    Newest::Own => {}
                }
                let Some(current) = s.vault.get(number_of(version)) else { return Some(Step::Defer) };
                Some(if s.market.stands(current.token, s.now) {
                    Step::Verify
                } else {
                    Step::Refuse { call: Call::Check, sent_at: s.now }
                })
            }
            _ => None,
        }
    }

    /// What the vault has beside the current token set.
    fn newest(&self, s: &State, held: &Connection, how: How) -> Newest {
        if self.config.naive.is_some_and(Naive::reads_by_version) {
            return Newest::Own;
        }
        match s.vault.newest(held, if how == How::Unseen { &s.vault.fresh } else { &[] }) {
            Newest::AnotherAuthorization if self.config.is(Naive::PassesOverAnother) => Newest::Own,
            newest => newest,
        }
    }

    /// What an earlier attempt has kept and could not commit: the newest first. If the item is out of a backup, the vault
    /// may have a later one still.
    fn found(&self, s: &State, held: &Connection, attempt: Number, how: How) -> Option<Step> {
        if self.config.is(Naive::NeverLooksBack) {
            return None;
        }
        let seen = |set: &Set| how != How::Unseen || !s.vault.fresh.contains(&set.attempt);
        let mut earlier: Vec<_> = held.attempts.iter().rev().map(|id| number(*id)).collect();
        if self.config.is(Naive::OldestFirst) {
            earlier.reverse();
        }
        let any = self.config.is(Naive::AnyParent) || self.config.is(Naive::AnyParentAndCommitKeepsAttempts);
        let sets = earlier.into_iter().filter(|earlier| *earlier != attempt).filter_map(|earlier| s.vault.get(earlier));
        let set = sets.into_iter().filter(seen).find(|set| any || set.kept(s.now).follows(held))?;
        let of_it = Connection { secret_version: Some(version(set.attempt)), ..held.clone() };
        let set = match self.newest(s, &of_it, how) {
            Newest::Later(later) => later,
            Newest::AnotherAuthorization => return Some(Step::Defer),
            Newest::Own => set,
        };
        Some(Step::Commit { set, listed: held.shops.is_empty() })
    }
}
