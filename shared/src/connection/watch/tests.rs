//! A year of watching, without any I/O.

use super::*;
use crate::connection::{
    Shop, Status,
    change::Change,
    claim::{Trigger, claim},
    end::AuthorizationEnd,
    fixtures::{T0, active, claim_any, fault, key, next_of_any as next, token_set, watched},
    next::Next,
    settle::{Kept, Refused, Right, commit, refuse},
    verdict::{SECOND_LOOK_AFTER, Verdict},
};

fn claimed(item: &Connection, now: Timestamp) -> (Connection, AttemptId, Next) {
    let attempt = AttemptId::random();
    let claimed = claim_any(item, now, attempt).unwrap();
    (claimed.item, attempt, claimed.next)
}

fn refused(reason: Reason) -> Refused {
    Refused { fault: fault(), reason, scopes: None }
}

/// Runs the schedule over a connection at these times and says which reminders were sent when.
fn reminders(mut item: Connection, ticks: impl Iterator<Item = Timestamp>) -> Vec<(u32, Timestamp)> {
    let mut sent = Vec::new();
    for now in ticks {
        let mut steps = 0;
        while next(&item, now) != Next::Nothing {
            steps += 1;
            assert!(steps < 9, "due again and again at {now:?}: {item:?}");
            let (held, attempt, what) = claimed(&item, now);
            item = match what {
                Next::Remind => remind(&held, attempt, now).unwrap(),
                Next::Check | Next::Refresh => verify(&held, attempt, Checked::default(), now).unwrap(),
                _ => return sent,
            };
            if what == Next::Remind {
                sent.push((item.reminded.unwrap(), now));
            }
            if what == Next::Refresh {
                item.refreshed_at = Some(now);
                item.access_expires_at = Some(now.plus(7 * DAY));
            }
        }
    }
    sent
}

#[test]
fn a_check_comes_daily_and_a_fleet_is_spread_over_the_day() {
    let mut hours = [0_u32; 23];
    for n in 0..2_300 {
        let key: ConnectionKey = format!("temu/us/{n}").parse().unwrap();
        let first = first_check(&key, T0).since(T0);
        hours[usize::try_from(first / 3_600).unwrap()] += 1;
    }
    assert!(hours.iter().all(|n| (60..150).contains(n)), "{hours:?}");
    let item = watched();
    let due = item.check_at.unwrap();
    let (held, attempt, what) = claimed(&item, due.plus(30));
    assert_eq!(what, Next::Check);
    assert!(held.attempts.is_empty(), "a check obtains nothing that could be looked for");
    let after = verify(&held, attempt, Checked::default(), due.plus(30)).unwrap();
    assert_eq!(after.check_at, Some(due.plus(CHECK_EVERY)), "what is spread stays spread");
    assert_eq!((after.verified_at, after.attempt), (Some(due.plus(30)), None));
    assert_eq!(following_check(due, due.plus(10 * DAY)).since(due) % CHECK_EVERY, 0, "after an outage, too");
    assert!(following_check(due, due.plus(10 * DAY)) > due.plus(10 * DAY));
}

#[test]
fn a_replaced_token_is_found_within_a_day_and_only_after_a_second_look() {
    let item = watched();
    let mut now = item.check_at.unwrap();
    let (held, attempt, _) = claimed(&item, now);
    let replaced_at = now.plus(1);
    let item = verify(&held, attempt, Checked::default(), now).unwrap();

    now = item.check_at.unwrap();
    let (held, attempt, _) = claimed(&item, now);
    let doubted = refuse(&held, attempt, refused(Reason::Replaced), Verdict::Doubted, SECOND_LOOK_AFTER, now).unwrap();
    assert_eq!((doubted.status, doubted.refusals), (Status::Active, 1));
    assert_eq!(next(&doubted, now.plus(SECOND_LOOK_AFTER - 1)), Next::Nothing);
    now = now.plus(SECOND_LOOK_AFTER);
    let (held, attempt, what) = claimed(&doubted, now);
    assert_eq!(what, Next::Check);
    let ended = refuse(&held, attempt, refused(Reason::Replaced), Verdict::Ended, 0, now).unwrap();
    assert_eq!(ended.status, Status::ReauthorizationRequired { reason: Reason::Replaced });
    assert_eq!((ended.check_at, ended.ended_at), (None, Some(now)));
    assert!(now.since(replaced_at) < DAY - 1_800);
}

/// The item was restored from a backup, and the seller has handed in another token since.
#[test]
fn a_token_that_is_found_in_the_vault_was_not_asked_about() {
    let (held, attempt, _) = claimed(&watched(), T0.plus(4 * DAY));
    let given = T0.plus(2 * DAY);
    let set = token_set(held.secret_version.clone(), given, given);
    let later = Kept::new(&set, AttemptId::random().version());
    let healed = commit(&held, Right::Claim(attempt), later, None, T0.plus(4 * DAY)).unwrap();
    assert_eq!(healed.verified_at, Some(given));
    assert!(healed.check_at.unwrap() < T0.plus(4 * DAY), "it is asked about soon");
}

#[test]
fn one_refusal_that_does_not_repeat_is_forgotten() {
    let now = watched().check_at.unwrap();
    let (held, attempt, _) = claimed(&watched(), now);
    let doubted =
        refuse(&held, attempt, refused(Reason::Deauthorized), Verdict::Doubted, SECOND_LOOK_AFTER, now).unwrap();
    let (held, attempt, _) = claimed(&doubted, now.plus(SECOND_LOOK_AFTER));
    let after = verify(&held, attempt, Checked::default(), now.plus(SECOND_LOOK_AFTER)).unwrap();
    assert_eq!((after.refusals, after.last_error.clone(), after.status), (0, None, Status::Active));
    assert_eq!(next(&after, now.plus(2 * SECOND_LOOK_AFTER)), Next::Nothing);
}

#[test]
fn a_caller_whose_token_was_rejected_has_it_checked_at_once() {
    let on_demand = |item: &Connection, now| {
        let attempt = AttemptId::random();
        claim(item, Trigger::OnDemand { rejected_version: 1 }, now, attempt).map(|claimed| (claimed, attempt))
    };
    let (claimed, attempt) = on_demand(&watched(), T0.plus(9)).unwrap();
    assert_eq!(claimed.next, Next::Check);
    let verified = verify(&claimed.item, attempt, Checked::default(), T0.plus(9)).unwrap();
    assert!(on_demand(&verified, T0.plus(9 + 299)).is_err(), "however often it is rejected");
    assert!(on_demand(&verified, T0.plus(9 + 300)).is_ok());
    assert_eq!(verified.check_at, watched().check_at, "the daily check stays where it is");
}

#[test]
fn a_token_at_its_end_was_not_replaced() {
    let end = watched().authorization_expires_at.unwrap();
    assert_eq!(reason(&watched(), Reason::Replaced, end.plus(-1)), Reason::Replaced);
    assert_eq!(reason(&watched(), Reason::Replaced, end), Reason::AuthorizationExpired);
    assert_eq!(reason(&watched(), Reason::Deauthorized, end), Reason::Deauthorized);
}

#[test]
fn a_moved_end_and_changed_permissions_are_taken_over() {
    let now = watched().check_at.unwrap();
    let (held, attempt, _) = claimed(&watched(), now);
    let end = Some(T0.plus(10 * DAY));
    let checked = Checked {
        access_expires_at: end,
        authorization_end: AuthorizationEnd::At(T0.plus(10 * DAY)),
        scopes: Some(vec!["bg.order.list.v2.get".into()]),
        ..Checked::default()
    };
    let after = verify(&held, attempt, checked, now).unwrap();
    assert_eq!((after.access_expires_at, after.authorization_expires_at), (end, end));
    assert_eq!(after.scopes, ["bg.order.list.v2.get"]);
    assert_eq!(next(&after, now), Next::Remind, "an end that came nearer is told at once");
}

#[test]
fn an_inactive_shop_answers_no_doubt() {
    let now = T0.plus(100);
    let doubted = Connection { refusals: 1, check_at: Some(now), ..active() };
    let check = |listed| {
        let attempt = AttemptId::random();
        let held = claim_any(&doubted, now, attempt).unwrap().item;
        verify(&held, attempt, Checked { listed: Some(listed), ..Checked::default() }, now).unwrap()
    };
    let inactive = check(Listed::Inactive);
    assert_eq!((inactive.inactive_since, inactive.refusals, inactive.verified_at), (Some(now), 1, None));
    assert_eq!(inactive.check_at, Some(now.plus(CHECK_EVERY)));
    assert_eq!(inactive.shops, doubted.shops);
    let works = check(Listed::Shops(vec![crate::connection::Shop {
        id: "1".parse().unwrap(),
        cipher: None,
        name: None,
        region: None,
    }]));
    assert_eq!((works.inactive_since, works.refusals, works.verified_at, works.check_at), (None, 0, Some(now), None));
}

#[test]
fn permissions_stay_as_they_were_until_a_loss_is_certain() {
    let now = watched().check_at.unwrap();
    let less = Refused { scopes: Some(Vec::new()), ..refused(Reason::PermissionsMissing) };
    let (held, attempt, _) = claimed(&watched(), now);
    let doubted = refuse(&held, attempt, less.clone(), Verdict::Doubted, SECOND_LOOK_AFTER, now).unwrap();
    assert_eq!(doubted.scopes, watched().scopes);
    let (held, attempt, _) = claimed(&doubted, now.plus(SECOND_LOOK_AFTER));
    let ended = refuse(&held, attempt, less, Verdict::Ended, 0, now.plus(SECOND_LOOK_AFTER)).unwrap();
    assert!(ended.scopes.is_empty());
}

#[test]
fn each_reminder_is_sent_once_over_a_year() {
    let end = T0.plus(365 * DAY);
    let item = Connection { authorization_expires_at: Some(end), access_expires_at: Some(end), ..watched() };
    for step in [60, 3_600, 5 * 3_600 + 7] {
        let sent = reminders(item.clone(), (0..).map(|n| T0.plus(n * step)).take_while(|now| *now < end));
        let days: Vec<_> = sent.iter().map(|(days, _)| *days).collect();
        assert_eq!(days, REMINDERS);
        for (days, at) in sent {
            assert!((0..step).contains(&at.since(end.plus(-ahead(&item.connection, days)))), "{days} at {at:?}");
        }
    }
    let refreshed = Connection { authorization_expires_at: Some(end), ..active() };
    let hourly = (0..).map(|n| T0.plus(n * 3_600)).take_while(|now| *now < end);
    assert_eq!(reminders(refreshed, hourly).len(), REMINDERS.len(), "where tokens are refreshed, too");
}

#[test]
fn a_fleet_is_reminded_over_the_day_before_so_many_days_are_left() {
    let mut hours = [0_u32; 24];
    for n in 0..2_400 {
        let item = Connection { connection: format!("temu/us/{n}").parse().unwrap(), ..watched() };
        for days in REMINDERS {
            let before = Connection { reminded: REMINDERS.into_iter().rfind(|sent| *sent > days), ..item.clone() };
            let (end, at) = (item.authorization_expires_at.unwrap(), remind_at(&before).unwrap());
            let early = end.since(at) - i64::from(days) * DAY;
            assert_eq!(reached(&item.connection, Some(end), at), Some(days));
            assert_eq!(reached(&item.connection, Some(end), at.plus(-1)), before.reminded);
            hours[usize::try_from(early / 3_600).unwrap()] += 1;
        }
    }
    assert!(hours.iter().all(|n| (300..700).contains(n)), "{hours:?}");
}

#[test]
fn what_was_missed_is_not_sent_late() {
    let end = T0.plus(90 * DAY);
    let at = |days_left: i64| end.plus(-days_left * DAY);
    let days = |ticks: &[i64]| {
        let sent = reminders(watched(), ticks.iter().map(|left| at(*left)));
        sent.into_iter().map(|(days, _)| days).collect::<Vec<_>>()
    };
    assert_eq!(days(&[31, 30, 15, 6, 5, 2]), [30, 7, 3]);
    assert_eq!(days(&[40, 13, 13, 8]), [14]);
}

#[test]
fn nothing_is_reminded_of_after_the_end_and_no_failure_holds_a_reminder_back() {
    let end = watched().authorization_expires_at.unwrap();
    let failed = |at: Timestamp, not_before: Timestamp| Connection {
        last_error: Some(crate::connection::LastError { at, fault: fault() }),
        not_before: Some(not_before),
        check_at: None,
        ..watched()
    };
    let now = end.plus(-20 * DAY);
    assert_eq!(next(&failed(now, now.plus(900)), now), Next::Remind);
    let (held, attempt, what) = claimed(&failed(end, end.plus(900)), end.plus(899));
    assert_eq!(what, Next::Remind);
    let late = remind(&held, attempt, end.plus(899)).unwrap();
    assert_eq!(
        (late.reminded, Change::between(Some(&held), &late)),
        (Some(1), None),
        "it counts as sent and is not told"
    );
    assert_eq!(next(&late, end.plus(899)), Next::Nothing);
    assert_eq!(next(&late, end.plus(900)), Next::Check, "an outage at the end is no end");
}

#[test]
fn a_token_that_is_accepted_after_its_end_is_served_and_not_asked_about_every_five_minutes() {
    let end = watched().authorization_expires_at.unwrap();
    let stale = Connection { check_at: Some(end.plus(-100)), ..watched() };
    let (held, attempt, what) = claimed(&stale, end);
    assert_eq!(what, Next::Check);
    for said in [AuthorizationEnd::At(end), AuthorizationEnd::Missing] {
        let checked = Checked { access_expires_at: said.stated(), authorization_end: said, ..Checked::default() };
        let after = verify(&held, attempt, checked, end).unwrap();
        assert_eq!((after.authorization_expires_at, after.end_unclear), (None, true), "{said:?}");
        assert_eq!(after.access_expires_at, Some(end.plus(UNSAID_LIFE)));
        assert_eq!(next(&after, end.plus(12 * 3_600)), Next::Nothing);
    }
}

#[test]
fn an_end_that_was_never_said_moves_on_with_each_check_and_a_known_one_stays() {
    let now = watched().check_at.unwrap();
    let verified = |item: &Connection| {
        let (held, attempt, _) = claimed(item, now);
        verify(&held, attempt, Checked::default(), now).unwrap()
    };
    let unsaid = Connection { authorization_expires_at: None, ..watched() };
    assert_eq!(verified(&unsaid).access_expires_at, Some(now.plus(UNSAID_LIFE)));
    assert_eq!(verified(&watched()).access_expires_at, watched().access_expires_at);
}

#[test]
fn an_end_that_moves_on_begins_anew_and_one_that_wavers_does_not() {
    let end = T0.plus(90 * DAY);
    let reminded = Connection { reminded: Some(7), ..watched() };
    let now = end.plus(-5 * DAY);
    assert_eq!(reminded_by(&reminded, Some(end.plus(3_600)), now), Some(7));
    assert_eq!(reminded_by(&reminded, Some(end.plus(RENEWED - 1)), now), Some(7));
    assert_eq!(reminded_by(&reminded, Some(end.plus(-DAY)), now), Some(7));
    assert_eq!(reminded_by(&reminded, Some(end.plus(90 * DAY)), now), None);
    assert_eq!(reminded_by(&reminded, Some(end.plus(20 * DAY)), now), Some(30), "25 days are left");
    assert_eq!(reached(&key("a"), None, now), None);
    assert_eq!(first_check(&key("a"), T0).max(T0.plus(1)), first_check(&key("a"), T0));
}

#[test]
fn an_empty_list_of_shops_is_believed_at_the_second_look() {
    let shop = Shop { id: "1".parse().unwrap(), cipher: None, name: None, region: None };
    let known = Connection { shops: vec![shop.clone()], check_at: Some(T0), ..active() };
    let check = |item: &Connection, now, shops: Vec<Shop>| {
        let (held, attempt, what) = claimed(item, now);
        assert_eq!(what, Next::Check);
        verify(&held, attempt, Checked { listed: Some(Listed::Shops(shops)), ..Checked::default() }, now).unwrap()
    };
    let once = check(&known, T0, Vec::new());
    assert_eq!((&once.shops, once.no_shops_since, once.check_at), (&known.shops, Some(T0), Some(T0.plus(3_600))));
    let twice = check(&once, T0.plus(3_600), Vec::new());
    assert_eq!((twice.shops.len(), twice.no_shops_since, twice.check_at), (0, None, None));
    let back = check(&once, T0.plus(3_600), vec![shop]);
    assert_eq!((&back.shops, back.no_shops_since, back.check_at), (&known.shops, None, None));
    let deauthorized = Connection { deauthorized_at: Some(T0), ..known };
    assert_eq!(check(&deauthorized, T0, Vec::new()).shops, [], "the marketplace has said so itself");
}
