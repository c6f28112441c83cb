//! The claim: lock, write-ahead record and retry in one.
//!
//! If the holder dies, the claim's end makes the item due again, and the attempt's id tells the next one where in
//! the vault to look for what the dead one had obtained.

use super::{
    Claim, Connection, Status,
    due::Work,
    next::{Next, next},
};
use crate::{names::AttemptId, time::Timestamp};

/// How long a claim lasts, in seconds.
///
/// The longest work under a claim must end well before it: an exchange starts within the first quarter and is given
/// up at three quarters ([`crate::clock::ClaimTimer`]). If it were shorter than the work, two exchanges of one
/// refresh token could overlap, and where tokens rotate the second would be refused.
pub const CLAIM_SECONDS: i64 = 60;

/// Unsettled attempts that are remembered. Each costs a read of the vault when a refresh is tried; they add up only
/// when holders die or exchanges time out in a row, and the oldest has been looked for the most often.
const REMEMBERED: usize = 5;

/// Who wants the work done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The schedule: due work of this kind.
    Schedule(Work),
    /// A caller for whom this version of the token set will not do.
    OnDemand {
        /// The `token_version` that the caller saw.
        rejected_version: u64,
    },
}

impl Trigger {
    /// Whether nobody waits for it.
    pub const fn is_schedule(self) -> bool {
        matches!(self, Self::Schedule(_))
    }
}

/// A claim that was decided: to be written before anything else is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The item as it is to be written.
    pub item: Connection,
    /// What the claim is for.
    pub next: Next,
}

/// Why there is nothing to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotClaimed {
    /// Somebody is at work.
    #[error("somebody else holds the claim")]
    Held,
    /// Nothing to do but to publish its events, which needs no claim.
    #[error("only its events are to be published")]
    OnlyEvents,
    /// Nothing to do but to register the webhooks of its shops, which needs no claim.
    #[error("only its webhooks are to be registered")]
    OnlyWebhooks,
    /// Nothing to do.
    #[error("nothing is due")]
    NotDue,
    /// The token set is not the one that the caller saw.
    #[error("the token set has changed since")]
    Superseded,
    /// Too soon after the last exchange.
    #[error("too soon after the last exchange")]
    NotBefore,
    /// The marketplace has refused it: only the schedule asks again.
    #[error("refused before; the schedule asks again")]
    InDoubt,
    /// A refresh or a check needs the app, and the registry of apps was never read.
    #[error("the registry of apps cannot be read")]
    NoRegistry,
    /// The marketplace or the vault is left alone at present.
    #[error("a circuit breaker is open")]
    BreakerOpen,
    /// Not a connection that is refreshed.
    #[error("the connection is not active")]
    NotActive,
}

/// Decides whether this trigger may claim the connection, and how the item changes by it.
///
/// # Errors
/// [`NotClaimed`] says why there is nothing to do.
pub fn claim(item: &Connection, trigger: Trigger, now: Timestamp, attempt: AttemptId) -> Result<Claimed, NotClaimed> {
    if item.held_at(now).is_some() {
        return Err(NotClaimed::Held);
    }
    let next = match trigger {
        Trigger::Schedule(work) => match next(item, now, work) {
            Next::Nothing => return Err(NotClaimed::NotDue),
            Next::RegisterWebhooks => return Err(NotClaimed::OnlyWebhooks),
            Next::Publish => return Err(NotClaimed::OnlyEvents),
            next => next,
        },
        Trigger::OnDemand { rejected_version } => {
            may_refresh_on_demand(item, rejected_version, now)?;
            // What no refresh can mend: the marketplace says whether the token works.
            if item.has_refresh() { Next::Refresh } else { Next::Check }
        }
    };
    Ok(Claimed { item: hold(item, next, now, attempt), next })
}

/// Whether a caller may have this version of the token set replaced now, the claim aside.
pub(super) fn may_refresh_on_demand(
    item: &Connection,
    rejected_version: u64,
    now: Timestamp,
) -> Result<(), NotClaimed> {
    if item.status != Status::Active {
        Err(NotClaimed::NotActive)
    } else if item.token_version != rejected_version {
        Err(NotClaimed::Superseded)
    } else if item.not_before.is_some_and(|not_before| now < not_before) {
        Err(NotClaimed::NotBefore)
    } else if item.refusals > 0 {
        Err(NotClaimed::InDoubt)
    } else {
        Ok(())
    }
}

/// The item with the claim in this attempt's hands. Only what may obtain a token set is looked for afterwards.
fn hold(item: &Connection, next: Next, now: Timestamp, attempt: AttemptId) -> Connection {
    let mut item = item.clone();
    item.attempt = Some(Claim { id: attempt, until: now.plus(CLAIM_SECONDS) });
    if next == Next::Refresh {
        remember(&mut item.attempts, attempt);
    }
    item.updated_at = now;
    item
}

/// Adds an attempt to the unsettled ones.
pub(super) fn remember(attempts: &mut Vec<AttemptId>, attempt: AttemptId) {
    attempts.push(attempt);
    let surplus = attempts.len().saturating_sub(REMEMBERED);
    attempts.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::fixtures::{T0, active};

    const ON_DEMAND: Trigger = Trigger::OnDemand { rejected_version: 1 };

    fn refused(item: &Connection, trigger: Trigger) -> NotClaimed {
        claim(item, trigger, T0.plus(10), AttemptId::random()).unwrap_err()
    }

    #[test]
    fn the_schedule_claims_only_what_is_due() {
        let item = active();
        assert_eq!(refused(&item, Trigger::Schedule(Work::Marketplace)), NotClaimed::NotDue);
        let now = item.access_expires_at.unwrap();
        let attempt = AttemptId::random();
        let claimed = claim(&item, Trigger::Schedule(Work::Marketplace), now, attempt).unwrap();
        assert_eq!(claimed.next, Next::Refresh);
        assert_eq!(claimed.item.attempt, Some(Claim { id: attempt, until: now.plus(60) }));
        assert_eq!(claimed.item.attempts, [attempt]);
        assert_eq!(refused(&claimed.item, Trigger::Schedule(Work::Marketplace)), NotClaimed::Held);
    }

    #[test]
    fn on_demand_needs_no_due_time_but_keeps_the_back_off() {
        let item = active();
        assert_eq!(claim(&item, ON_DEMAND, T0.plus(10), AttemptId::random()).unwrap().next, Next::Refresh);
        assert_eq!(refused(&Connection { token_version: 2, ..active() }, ON_DEMAND), NotClaimed::Superseded);
        assert_eq!(
            refused(&Connection { not_before: Some(T0.plus(11)), ..active() }, ON_DEMAND),
            NotClaimed::NotBefore
        );
        assert_eq!(refused(&Connection { refusals: 1, ..active() }, ON_DEMAND), NotClaimed::InDoubt);
        assert_eq!(refused(&Connection { status: Status::Pending, ..active() }, ON_DEMAND), NotClaimed::NotActive);
    }

    #[test]
    fn the_attempt_of_a_dead_holder_is_remembered() {
        let (dead, next) = (AttemptId::random(), AttemptId::random());
        let first = claim(&active(), ON_DEMAND, T0, dead).unwrap().item;
        let second = claim(&first, ON_DEMAND, T0.plus(60), next).unwrap().item;
        assert_eq!(second.attempts, [dead, next]);
    }

    #[test]
    fn the_list_of_attempts_is_bounded() {
        let mut item = active();
        for n in 0..9 {
            item = claim(&item, ON_DEMAND, T0.plus(n * 60), AttemptId::random()).unwrap().item;
        }
        assert_eq!(item.attempts.len(), REMEMBERED);
        assert_eq!(item.attempts.last(), item.attempt.map(|claim| claim.id).as_ref());
    }
}
