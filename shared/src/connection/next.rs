//! What to do next with a connection.

use super::{
    Connection, Status,
    due::{self, Work},
    ended, watch, webhooks,
};
use crate::time::Timestamp;

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing yet.
    Nothing,
    /// A claim ran out without an outcome: look whether the vault holds what it had obtained.
    LookBack,
    /// Spend the refresh token for a new token set.
    Refresh,
    /// Ask the marketplace whether the token still works.
    Check,
    /// The authorization ends soon: tell the vendor.
    Remind,
    /// Never confirmed by the vendor: take it away with its secret.
    Remove,
    /// Disconnected: delete its secret.
    DeleteSecret,
    /// Register the webhooks of its shops. Needs no claim: registering twice does no harm.
    RegisterWebhooks,
    /// Publish its events. Needs no claim: publishing twice does no harm.
    Publish,
}

/// What to do with this connection now, of one kind of work. A chore never leads to a call at the marketplace that can be
/// stopped, nor the other way round.
pub fn next(item: &Connection, now: Timestamp, work: Work) -> Next {
    match work {
        _ if item.held_at(now).is_some() => Next::Nothing,
        // Somebody has to look back first.
        Work::Marketplace if item.attempt.is_some() => Next::Nothing,
        Work::Marketplace => question(item, now),
        Work::Chore => match chore(item, now) {
            // Whoever held the claim may have obtained a token set and died before it could say so.
            Next::Nothing | Next::Remind | Next::Publish if item.attempt.is_some() => Next::LookBack,
            next => next,
        },
    }
}

/// What to ask the marketplace, the claim aside.
fn question(item: &Connection, now: Timestamp) -> Next {
    match item.status {
        Status::Active if reached(due::refresh_at(item), now) => Next::Refresh,
        Status::Active if reached(due::check_at(item), now) => Next::Check,
        Status::Active if reached(webhooks::register_at(item), now) => Next::RegisterWebhooks,
        Status::ReauthorizationRequired { .. } if reached(ended::ask_again_at(item), now) => {
            if item.has_refresh() {
                Next::Refresh
            } else {
                Next::Check
            }
        }
        _ => Next::Nothing,
    }
}

/// What to do without the marketplace, the claim aside.
fn chore(item: &Connection, now: Timestamp) -> Next {
    match item.status {
        Status::Pending if due::leaves_at(item) <= now => match item.secret_version {
            None => Next::LookBack,
            Some(_) => Next::Remove,
        },
        Status::Active if reached(watch::remind_at(item), now) => Next::Remind,
        Status::Disconnected if reached(item.not_before, now) => Next::DeleteSecret,
        _ if reached(due::publish_at(item), now) => Next::Publish,
        _ => Next::Nothing,
    }
}

fn reached(time: Option<Timestamp>, now: Timestamp) -> bool {
    time.is_some_and(|time| time <= now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        connection::{
            Claim,
            fixtures::{T0, active, arbitrary, next_of_any as next_of},
        },
        names::AttemptId,
    };

    proptest! {
        /// The index wakes the sweep exactly when there is something to do: never for nothing, never too late.
        #[test]
        fn due_and_next_agree(item in arbitrary(), later in 0_i64..86_400 * 400) {
            let now = T0.plus(later);
            for work in Work::ALL {
                let due = work.due_at(&item).is_some_and(|due| due <= now);
                prop_assert_eq!(next(&item, now, work) != Next::Nothing, due, "{:?} {:?}", work, item);
            }
        }

        #[test]
        fn no_chore_asks_and_no_question_is_a_chore(item in arbitrary(), later in 0_i64..86_400 * 400) {
            let now = T0.plus(later);
            let asks = |next| matches!(next, Next::Refresh | Next::Check | Next::RegisterWebhooks);
            prop_assert!(!asks(next(&item, now, Work::Chore)));
            let next = next(&item, now, Work::Marketplace);
            prop_assert!(asks(next) || next == Next::Nothing);
        }

        #[test]
        fn a_held_claim_is_left_alone(item in arbitrary(), later in 0_i64..86_400 * 400) {
            let now = T0.plus(later);
            let held = Connection { attempt: Some(Claim { id: AttemptId::random(), until: now.plus(1) }), ..item };
            prop_assert!(Work::ALL.into_iter().all(|work| next(&held, now, work) == Next::Nothing));
        }
    }

    #[test]
    fn each_state_has_its_next_step() {
        let item = active();
        let expires = item.access_expires_at.unwrap();
        assert_eq!(next_of(&item, T0.plus(10)), Next::Nothing);
        assert_eq!(next_of(&item, expires), Next::Refresh);
        let ended = Connection { access_expires_at: Some(T0.plus(400 * 86_400)), ..active() };
        assert_eq!(next_of(&ended, T0.plus(100 * 86_400)), Next::Nothing);
        assert_eq!(
            next_of(&ended, ended.authorization_expires_at.unwrap()),
            Next::Refresh,
            "only the marketplace ends it"
        );

        let crashed = Connection { attempt: Some(Claim { id: AttemptId::random(), until: T0.plus(60) }), ..active() };
        assert_eq!(next_of(&crashed, T0.plus(59)), Next::Nothing);
        assert_eq!(next_of(&crashed, T0.plus(60)), Next::LookBack);
        assert_eq!(next_of(&crashed, expires), Next::LookBack, "before anything else is obtained");

        let waiting = Connection { status: Status::Pending, confirm_by: Some(T0.plus(3_600)), ..active() };
        assert_eq!(next_of(&waiting, expires.plus(-1).min(T0.plus(3_599))), Next::Nothing);
        assert_eq!(next_of(&waiting, T0.plus(3_600)), Next::Remove);
    }
}
