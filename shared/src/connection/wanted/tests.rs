use proptest::prelude::*;

use super::*;
use crate::{
    connection::{
        Claim,
        change::Change,
        claim::{Trigger, claim},
        disconnect::disconnect,
        due::{Work, due_at},
        fixtures::{T0, active, arbitrary, claim_any, fault, next_of_any, token_set, watched},
        next::Next,
        settle::{Kept, Right, Spent, commit, fail, refuse},
        verdict::Verdict,
        watch::{Checked, verify},
    },
    names::AttemptId,
};

const NOW: Timestamp = T0.plus(3_600);

fn wanted(item: &Connection) -> Connection {
    want(item, item.token_version, NOW).unwrap()
}

fn held(item: &Connection, now: Timestamp) -> (Connection, AttemptId) {
    let attempt = AttemptId::random();
    (claim(item, Trigger::Schedule(Work::Marketplace), now, attempt).unwrap().item, attempt)
}

proptest! {
    /// The schedule takes what a caller may ask for, and nothing else.
    #[test]
    fn what_is_wanted_is_due_as_soon_as_a_caller_may_have_it(item in arbitrary(), version in 0_u64..3, later in 0_i64..86_400) {
        let now = T0.plus(later);
        let demanded = claim(&item, Trigger::OnDemand { rejected_version: version }, now, AttemptId::random());
        match (want(&item, version, now), demanded) {
            (Ok(wanted), Ok(claimed)) => {
                prop_assert!(due_at(&wanted).is_some_and(|due| due <= now) || item.attempt.is_some());
                let scheduled = claim_any(&wanted, now, AttemptId::random()).map(|it| it.next);
                // A claim that ran out is looked back at first, which is a chore.
                prop_assert_eq!(scheduled, Ok(if item.attempt.is_some() { Next::LookBack } else { claimed.next }));
                prop_assert_eq!(want(&wanted, version, now.plus(1)), Ok(wanted.clone()), "once is enough");
                prop_assert_eq!(Change::between(Some(&item), &wanted), None, "nobody is told");
            }
            (Err(one), Err(two)) => prop_assert_eq!(one, two),
            different => prop_assert!(false, "{different:?}"),
        }
    }

    #[test]
    fn a_wish_for_another_version_changes_nothing(item in arbitrary(), version in 0_u64..3, later in 0_i64..86_400 * 400) {
        prop_assume!(item.token_version != version);
        let item = Connection { wanted: None, ..item };
        let wished = Connection { wanted: Some(Wanted { version, at: T0 }), ..item.clone() };
        prop_assert_eq!(due_at(&wished), due_at(&item));
        prop_assert_eq!(next_of_any(&wished, T0.plus(later)), next_of_any(&item, T0.plus(later)));
    }
}

#[test]
fn a_wanted_refresh_is_done_once() {
    let item = wanted(&active());
    assert_eq!((due_at(&item), next_of_any(&item, NOW)), (Some(NOW), Next::Refresh));
    let (item, attempt) = held(&item, NOW);
    let set = token_set(item.secret_version.clone(), item.granted_at, NOW);
    let after = commit(&item, Right::Claim(attempt), Kept::new(&set, attempt.version()), None, NOW.plus(1)).unwrap();
    assert_eq!((after.wanted, next_of_any(&after, NOW.plus(3_600))), (None, Next::Nothing));
    assert_eq!(want(&after, after.token_version, NOW.plus(2)), Err(NotClaimed::NotBefore), "the cooldown holds");
    assert_eq!(want(&after, item.token_version, NOW.plus(3_600)), Err(NotClaimed::Superseded));
}

#[test]
fn a_wanted_check_is_done_once() {
    let item = Connection { check_at: Some(NOW.plus(3_600)), ..watched() };
    let item = wanted(&item);
    assert_eq!((due_at(&item), next_of_any(&item, NOW)), (Some(NOW), Next::Check));
    let (item, attempt) = held(&item, NOW);
    let after = verify(&item, attempt, Checked::default(), NOW.plus(1)).unwrap();
    assert_eq!((after.wanted, next_of_any(&after, NOW.plus(600))), (None, Next::Nothing), "at the same version");
}

#[test]
fn a_refresh_that_failed_is_wanted_after_its_backoff() {
    let (item, attempt) = held(&wanted(&active()), NOW);
    let failed = fail(&item, attempt, fault(), Spent::No, 90, NOW).unwrap();
    assert_eq!(due_at(&failed), Some(NOW.plus(90)));
    assert_eq!(
        (next_of_any(&failed, NOW.plus(89)), next_of_any(&failed, NOW.plus(90))),
        (Next::Nothing, Next::Refresh)
    );
}

#[test]
fn a_connection_in_doubt_is_left_to_its_second_look() {
    let (item, attempt) = held(&wanted(&active()), NOW);
    let doubted = refuse(&item, attempt, fault().into(), Verdict::Doubted, 900, NOW).unwrap();
    assert_eq!((due_at(&doubted), doubted.is_wanted()), (Some(NOW.plus(900)), false));
    assert_eq!(want(&doubted, 1, NOW.plus(1_000)), Err(NotClaimed::InDoubt));
}

#[test]
fn an_end_forgets_what_was_wanted() {
    let (item, attempt) = held(&wanted(&active()), NOW);
    assert_eq!(refuse(&item, attempt, fault().into(), Verdict::Ended, 0, NOW).unwrap().wanted, None);
    assert_eq!(disconnect(&item, NOW).wanted, None);
}

#[test]
fn nothing_is_wanted_while_somebody_is_at_work() {
    let busy = Connection { attempt: Some(Claim { id: AttemptId::random(), until: NOW.plus(1) }), ..active() };
    assert_eq!(want(&busy, 1, NOW), Err(NotClaimed::Held));
    assert!(want(&busy, 1, NOW.plus(1)).is_ok(), "a claim that has run out says nothing");
}
