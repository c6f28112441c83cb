//! Connections that have ended and are asked about again. Pure.
//!
//! Sellers renew in the platform's own seller center without visiting us, and a verdict can be wrong. So nothing ends for
//! ever but what the vendor disconnects.

use super::{Connection, Status, due::own_fraction};
use crate::time::Timestamp;

const DAY: i64 = 86_400;

/// Days after the end at which the marketplace is asked again.
const ASKED_AFTER: [i64; 5] = [1, 2, 4, 8, 16];

/// Seconds over which a cohort that has ended at the same time is spread.
const SPREAD: i64 = 6 * 3_600;

/// Shortest wait after a try that gave no verdict, in seconds. A connection that only its seller may revive must not be
/// asked about like one that works.
pub(super) const WAIT: i64 = 6 * 3_600;

/// Whether it has ended, and needs its seller unless the marketplace accepts it again.
pub const fn has_ended(item: &Connection) -> bool {
    matches!(item.status, Status::ReauthorizationRequired { .. })
}

/// When the marketplace is to be asked again whether the authorization works after all: by a refresh, or by a check where
/// there is none. A time that passes for a day without a verdict counts as used. `None` after the last time, and for a
/// connection that has not ended.
pub(super) fn ask_again_at(item: &Connection) -> Option<Timestamp> {
    let asked = usize::try_from(item.asked_again).ok()?;
    let due = |at: Timestamp| item.not_before.map_or(at, |not_before| at.max(not_before));
    let mut times = times(item)?.skip(asked).filter(|at| due(*at) < at.plus(DAY));
    times.next().map(due)
}

/// How many of the times are over by `now`, at least one more than before.
pub(super) fn asked_by(item: &Connection, now: Timestamp) -> u32 {
    let over = times(item).map_or(0, |times| times.filter(|at| *at <= now).count());
    u32::try_from(over).unwrap_or(u32::MAX).max(item.asked_again.saturating_add(1))
}

fn times(item: &Connection) -> Option<impl Iterator<Item = Timestamp>> {
    let ended_at = item.ended_at.filter(|_| has_ended(item))?;
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "hours are far below 2^52 s")]
    let own = (SPREAD as f64 * own_fraction(&item.connection)) as i64;
    Some(ASKED_AFTER.into_iter().map(move |days| ended_at.plus(days * DAY + own)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::{
            Reason,
            change::{Cause, Change},
            due::due_at,
            event::EventKind,
            fixtures::{active, claim_any, fault, next_of_any as next, token_set, watched},
            next::Next,
            settle::{Kept, Right, Spent, commit, fail, refuse},
            verdict::Verdict,
            watch::{Checked, verify},
        },
        names::AttemptId,
    };

    fn claimed(item: &Connection, now: Timestamp) -> (Connection, AttemptId, Next) {
        let attempt = AttemptId::random();
        let claimed = claim_any(item, now, attempt).unwrap();
        (claimed.item, attempt, claimed.next)
    }

    fn refused(item: &Connection, now: Timestamp) -> Connection {
        let (held, attempt, _) = claimed(item, now);
        refuse(&held, attempt, fault().into(), Verdict::Ended, 0, now).unwrap()
    }

    fn ended(item: &Connection) -> Connection {
        let at = due_at(item).unwrap();
        let ended = refused(item, at);
        assert_eq!(ended.status, Status::ReauthorizationRequired { reason: Reason::Refused });
        ended
    }

    #[test]
    fn an_ended_connection_is_asked_again_five_times_in_sixteen_days() {
        for item in [active(), watched()] {
            let mut item = ended(&item);
            let (since, reason) = (item.ended_at.unwrap(), item.status);
            for days in ASKED_AFTER {
                let at = due_at(&item).unwrap();
                assert!((0..=SPREAD).contains(&at.since(since.plus(days * DAY))), "{days}: {at:?}");
                assert_eq!(next(&item, at.plus(-1)), Next::Nothing);
                assert_eq!(next(&item, at), if item.has_refresh() { Next::Refresh } else { Next::Check });
                item = refused(&item, at);
                assert_eq!((item.status, item.ended_at), (reason, Some(since)), "a refusal is no news");
            }
            assert_eq!(due_at(&item), None);
        }
    }

    #[test]
    fn an_outage_is_not_one_of_the_five() {
        let item = ended(&active());
        let at = due_at(&item).unwrap();
        let (held, attempt, _) = claimed(&item, at);
        let mut failed = fail(&held, attempt, fault(), Spent::No, 600, at).unwrap();
        assert_eq!((failed.asked_again, due_at(&failed)), (0, Some(at.plus(WAIT))));
        assert_eq!(failed.last_error, item.last_error, "why it has ended is still to be read");
        let mut tries = 1;
        while let Some(now) = due_at(&failed).filter(|now| *now < at.plus(2 * DAY)) {
            let (held, attempt, _) = claimed(&failed, now);
            failed = fail(&held, attempt, fault(), Spent::No, 600, now).unwrap();
            tries += 1;
        }
        assert!(tries <= 8, "{tries} tries in two days");
        let late = Connection { not_before: Some(at.plus(40 * DAY)), ..failed };
        assert_eq!(due_at(&late), None, "there is an end to it");
    }

    #[test]
    fn times_that_were_missed_are_not_used_up_within_minutes() {
        let item = ended(&active());
        let now = item.ended_at.unwrap().plus(9 * DAY);
        let asked = refused(&item, now);
        assert!(due_at(&asked).unwrap() >= item.ended_at.unwrap().plus(16 * DAY), "{asked:?}");
    }

    #[test]
    fn accepted_again_it_is_active_and_the_vendor_is_told() {
        let told = |held: &Connection, after: &Connection| {
            assert_eq!((after.status, after.ended_at, after.asked_again), (Status::Active, None, 0));
            assert_eq!((after.refusals, after.confirm_by, &after.last_error), (0, None, &None));
            let change = Change::between(Some(held), after).unwrap();
            assert_eq!((change.cause, change.event), (Cause::AcceptedAgain, Some(EventKind::Reauthorized)));
        };
        let item = ended(&active());
        let at = due_at(&item).unwrap();
        let (held, attempt, _) = claimed(&item, at);
        let set = token_set(held.secret_version.clone(), held.granted_at, at);
        told(&held, &commit(&held, Right::Claim(attempt), Kept::new(&set, attempt.version()), None, at).unwrap());

        let item = ended(&watched());
        let at = due_at(&item).unwrap();
        let (held, attempt, _) = claimed(&item, at);
        let after = verify(&held, attempt, Checked::default(), at).unwrap();
        told(&held, &after);
        assert!(due_at(&after).unwrap() > at, "its checks go on");
    }
}
