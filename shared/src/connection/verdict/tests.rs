use proptest::prelude::*;

use super::*;
use crate::connection::due::Work;
use crate::connection::fixtures::{T0, active, key, watched};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn refused(seconds_ago: i64) -> Connection {
    Connection { refused_at: Some(T0.plus(-seconds_ago)), refusals: 1, ..active() }
}

fn on(item: &Connection, call: Call, trigger: Trigger, evidence: Option<&Evidence>) -> Verdict {
    verdict(item, AttemptId::random(), Reason::Refused, Asked { call, trigger }, evidence, T0)
}

fn on_refresh(item: &Connection, evidence: &Evidence) -> Verdict {
    on(item, Call::Refresh, Trigger::Schedule(Work::Marketplace), Some(evidence))
}

/// So many other connections accepted and refused, so long ago.
fn lane(accepted: u32, refused: u32, seconds_ago: i64) -> Evidence {
    let mut evidence = Evidence::default();
    let of = |n| Connection { connection: key(&format!("other-{n}")), ..active() };
    (0..accepted).for_each(|n| evidence.note_accepted(&of(n), Call::Refresh, T0.plus(-seconds_ago)));
    (0..refused).for_each(|n| evidence.note_refused(&of(n), Call::Refresh, T0.plus(-seconds_ago)));
    evidence
}

#[test]
fn a_first_refusal_ends_nothing_whatever_speaks_for_it() {
    let told = Connection { deauthorized_at: Some(T0.plus(-60)), ..active() };
    assert_eq!(on_refresh(&told, &lane(100, 0, 10)), Verdict::Doubted);
}

#[test]
fn a_further_one_needs_three_hours_and_another_connection_that_is_accepted() {
    assert_eq!(on_refresh(&refused(3 * HOUR), &lane(0, 0, 0)), Verdict::Doubted);
    assert_eq!(on_refresh(&refused(3 * HOUR), &lane(1, 0, 4 * HOUR)), Verdict::Doubted, "before the first refusal");
    assert_eq!(on_refresh(&refused(3 * HOUR), &lane(1, 0, 2 * HOUR)), Verdict::Ended);
    assert_eq!(on_refresh(&refused(3 * HOUR - 1), &lane(1, 0, 2 * HOUR)), Verdict::Doubted, "too soon");
    let mut alone = Evidence::default();
    alone.note_accepted(&active(), Call::Refresh, T0.plus(-2 * HOUR));
    assert_eq!(on_refresh(&refused(3 * HOUR), &alone), Verdict::Doubted, "itself is no other");
}

#[test]
fn or_a_day() {
    assert_eq!(on_refresh(&refused(DAY - 1), &lane(0, 0, 0)), Verdict::Doubted);
    assert_eq!(on_refresh(&refused(DAY), &lane(0, 0, 0)), Verdict::Ended);
}

#[test]
fn or_the_marketplaces_own_word() {
    let told = Connection { deauthorized_at: Some(T0.plus(-901)), ..refused(900) };
    assert_eq!(on_refresh(&told, &lane(0, 0, 0)), Verdict::Ended);
    let too_soon = Connection { refused_at: Some(T0.plus(-899)), ..told };
    assert_eq!(on_refresh(&too_soon, &lane(0, 0, 0)), Verdict::Doubted);
}

#[test]
fn a_mass_refusal_ends_nobody_for_seven_days() {
    let many = lane(10, 6, 800);
    let told = Connection { deauthorized_at: Some(T0.plus(-DAY)), ..refused(7 * DAY - 1) };
    assert_eq!(on_refresh(&told, &many), Verdict::Doubted);
    assert_eq!(on_refresh(&refused(7 * DAY), &many), Verdict::Ended);
    let lost = Connection { attempts: vec![AttemptId::random()], ..refused(7 * DAY) };
    assert_eq!(on_refresh(&lost, &many), Verdict::Doubted, "its token set may still be found");
    assert_eq!(
        on(&refused(DAY), Call::Refresh, Trigger::Schedule(Work::Marketplace), None),
        Verdict::Doubted,
        "nor does silence"
    );
}

#[test]
fn only_the_schedule_and_only_the_decisive_call_end_a_connection() {
    let evidence = lane(1, 0, 800);
    let on_demand = Trigger::OnDemand { rejected_version: 1 };
    assert_eq!(on(&refused(DAY), Call::Refresh, on_demand, Some(&evidence)), Verdict::Doubted);
    assert_eq!(
        on(&refused(8 * DAY), Call::Check, Trigger::Schedule(Work::Marketplace), Some(&evidence)),
        Verdict::Doubted
    );
    let temu = Connection { refused_at: Some(T0.plus(-DAY)), refusals: 1, ..watched() };
    assert_eq!(on(&temu, Call::Check, Trigger::Schedule(Work::Marketplace), Some(&evidence)), Verdict::Ended);
}

#[test]
fn at_its_known_end_the_first_refusal_ends_it() {
    let over = Connection { authorization_expires_at: Some(T0.plus(-300)), ..active() };
    let quiet = lane(0, 0, 0);
    assert_eq!(on_refresh(&over, &quiet), Verdict::Expired);
    assert_eq!(on_refresh(&over, &lane(0, 6, 10)), Verdict::Doubted, "not while everybody is refused");
    let unsure = Connection { attempts: vec![AttemptId::random()], ..over.clone() };
    assert_eq!(on_refresh(&unsure, &quiet), Verdict::Doubted);
    let missing = Reason::PermissionsMissing;
    let asked = Asked { call: Call::Refresh, trigger: Trigger::Schedule(Work::Marketplace) };
    assert_eq!(verdict(&over, AttemptId::random(), missing, asked, Some(&quiet), T0), Verdict::Doubted);
}

proptest! {
    #[test]
    fn looks_become_rarer(refusals in 0_u32..40) {
        let mut random = rand::rng();
        let (wait, longest) = (next_look(refusals, &mut random), [900, 900, 3_600, 7_200, 14_400]);
        let longest = longest.get(usize::try_from(refusals).unwrap()).copied().unwrap_or(LONGEST_WAIT);
        prop_assert!((SECOND_LOOK_AFTER..=longest).contains(&wait), "{wait}");
        prop_assert!(refusals < 5 || wait >= LONGEST_WAIT / 4);
    }
}
