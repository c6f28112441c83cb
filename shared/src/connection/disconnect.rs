//! The vendor ends a connection.

use super::{
    Connection, Status,
    settle::{ClaimLost, Spent, let_go},
    webhooks::Webhooks,
};
use crate::{names::AttemptId, time::Timestamp};

/// The connection ends now, in whatever state it is; one that has ended already is left as it is. Whoever held the
/// claim has lost it. The secret is deleted by the schedule, once nothing can be on its way to the vault any more.
pub fn disconnect(item: &Connection, now: Timestamp) -> Connection {
    if item.status == Status::Disconnected {
        return item.clone();
    }
    Connection {
        status: Status::Disconnected,
        label: None,
        not_before: Some(item.attempt.map_or(now, |claim| claim.until.max(now))),
        attempt: None,
        attempts: Vec::new(),
        check_at: None,
        announced_end: None,
        confirm_by: None,
        confirm_granted_at: None,
        refused_at: None,
        refusals: 0,
        failures: 0,
        last_error: None,
        wanted: None,
        updated_at: now,
        ..item.clone()
    }
}

/// The secret of a disconnected connection is deleted: nothing is left to be done, and its shops are nobody's.
///
/// # Errors
/// [`ClaimLost`] if another attempt holds the claim: the seller is connecting anew.
pub fn forget(item: &Connection, attempt: AttemptId, now: Timestamp) -> Result<Connection, ClaimLost> {
    let item = let_go(item, attempt, Spent::No, now)?;
    Ok(Connection {
        secret_version: None,
        fingerprint: None,
        shops: Vec::new(),
        inactive_since: None,
        access_expires_at: None,
        not_before: None,
        last_error: None,
        confirm_granted_at: None,
        webhooks: Webhooks::default(),
        ..item
    })
}

/// A connection that nobody confirmed goes, but something of what it was before is still to be told: what remains is
/// disconnected, and nobody's.
///
/// # Errors
/// [`ClaimLost`] if another attempt holds the claim: the seller is connecting anew.
pub fn give_up(item: &Connection, attempt: AttemptId, now: Timestamp) -> Result<Connection, ClaimLost> {
    let item = forget(item, attempt, now)?;
    Ok(Connection { status: Status::Disconnected, account_id: None, confirm_by: None, attempts: Vec::new(), ..item })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{
        claim::{Trigger, claim},
        due::due_at,
        fixtures::{T0, active, claim_any, fault, next_of_any as next},
        next::Next,
        settle::{Kept, Right, commit, defer},
    };

    #[test]
    fn the_secret_goes_when_nothing_can_be_on_its_way_any_more() {
        let attempt = AttemptId::random();
        let trigger = Trigger::OnDemand { rejected_version: 1 };
        let held = claim(&active(), trigger, T0, attempt).unwrap().item;
        let gone = disconnect(&held, T0.plus(5));
        assert_eq!(gone.status, Status::Disconnected);
        assert_eq!(due_at(&gone), Some(T0.plus(60)), "the refresh under way may still keep something");
        assert_eq!(next(&gone, T0.plus(59)), Next::Nothing);
        let late = Kept::new(&crate::connection::fixtures::token_set(None, T0, T0), attempt.version());
        assert!(commit(&gone, Right::Claim(attempt), late, None, T0.plus(6)).is_err());

        let idle = disconnect(&active(), T0.plus(5));
        assert_eq!(next(&idle, T0.plus(5)), Next::DeleteSecret);
        assert_eq!(disconnect(&idle, T0.plus(9)), idle, "once is enough");
    }

    #[test]
    fn afterwards_there_is_nothing_left_to_do() {
        let attempt = AttemptId::random();
        let held = claim_any(&disconnect(&active(), T0), T0, attempt).unwrap();
        assert_eq!(held.next, Next::DeleteSecret);
        let gone = forget(&held.item, attempt, T0.plus(1)).unwrap();
        assert_eq!((gone.status, due_at(&gone), &gone.secret_version), (Status::Disconnected, None, &None));
        assert!(forget(&gone, attempt, T0.plus(2)).is_err());
    }

    #[test]
    fn a_deletion_that_failed_is_tried_again() {
        let attempt = AttemptId::random();
        let held = claim_any(&disconnect(&active(), T0), T0, attempt).unwrap().item;
        let later = defer(&held, attempt, fault(), 900, T0.plus(1)).unwrap();
        assert_eq!(due_at(&later), Some(T0.plus(901)));
    }
}
