use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::*;
use crate::{
    connection::{
        Listed, Purpose, Reason,
        due::due_at,
        fixtures::{T0, active, api, claim_any, fault, next_of_any as next, token_set},
        grant::{Grant, Origin, claim_for_grant},
        next::Next,
        settle::{Kept, Right, commit, refuse},
        verdict::{SECOND_LOOK_AFTER, Verdict},
        watch::{Checked, remind, verify},
    },
    names::AttemptId,
    token_set::TokenSet,
};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

fn deauthorized(item: &Connection, now: Timestamp) -> Connection {
    take_note(item, Notice::Deauthorized, now, now).unwrap()
}

fn claimed(item: &Connection, now: Timestamp) -> (Connection, AttemptId, Next) {
    let attempt = AttemptId::random();
    let claimed = claim_any(item, now, attempt).unwrap();
    (claimed.item, attempt, claimed.next)
}

#[test]
fn a_deauthorization_is_checked_at_once_and_believed_by_nobody() {
    let now = T0.plus(DAY);
    let item = deauthorized(&active(), now);
    assert_eq!(item.status, Status::Active);
    assert_eq!((due_at(&item), next(&item, now)), (Some(now), Next::Check));
    let (held, attempt, _) = claimed(&item, now.plus(1));
    let after = verify(&held, attempt, Checked::default(), now.plus(2)).unwrap();
    assert_eq!((after.check_at, after.verified_at), (None, Some(now.plus(2))));
    assert!(due_at(&after).unwrap() > now.plus(DAY), "the refresh is next");
}

#[test]
fn a_token_that_is_refused_is_refreshed_and_only_then_believed_dead() {
    let now = T0.plus(DAY);
    let (held, attempt, next) = claimed(&deauthorized(&active(), now), now);
    assert_eq!(next, Next::Check);
    let doubted = refuse(&held, attempt, fault().into(), Verdict::Doubted, SECOND_LOOK_AFTER, now).unwrap();
    assert_eq!((doubted.status, doubted.refusals), (Status::Active, 1));
    let second = now.plus(SECOND_LOOK_AFTER);
    let (held, attempt, next) = claimed(&doubted, second);
    assert_eq!(next, Next::Refresh);
    let ended = refuse(&held, attempt, fault().into(), Verdict::Ended, 0, second).unwrap();
    // The attempt of the refresh itself is settled by the refusal.
    assert_eq!(ended.status, Status::ReauthorizationRequired { reason: Reason::Deauthorized });
    let kept = Kept::new(&token_set(held.secret_version.clone(), held.granted_at, second), attempt.version());
    let alive = commit(&held, Right::Claim(attempt), kept, Some(Listed::Shops(Vec::new())), second).unwrap();
    assert_eq!((alive.check_at, alive.refusals, alive.status), (None, 0, Status::Active));
}

#[test]
fn a_notice_during_the_work_is_looked_into_afterwards() {
    let due = T0.plus(6 * DAY);
    let (held, attempt, next) = claimed(&active(), due);
    assert_eq!(next, Next::Refresh);
    let noted = deauthorized(&held, due.plus(1));
    assert_eq!(due_at(&noted), due_at(&held), "nobody disturbs the work");
    let kept = Kept::new(&token_set(held.secret_version.clone(), held.granted_at, due), attempt.version());
    let after = commit(&noted, Right::Claim(attempt), kept.clone(), None, due.plus(2)).unwrap();
    assert_eq!(after.check_at, Some(due.plus(1)));

    let (held, attempt, _) = claimed(&deauthorized(&active(), due.plus(-1)), due);
    let kept = Kept::new(&token_set(held.secret_version.clone(), held.granted_at, due), attempt.version());
    let after = commit(&held, Right::Claim(attempt), kept, None, due.plus(2)).unwrap();
    assert_eq!(after.check_at, None, "a refresh says more than a check");
    let found = Kept::new(&token_set(held.secret_version.clone(), held.granted_at, due), AttemptId::random().version());
    let after = commit(&held, Right::Claim(attempt), found, None, due.plus(2)).unwrap();
    assert_eq!(after.check_at, held.check_at, "nobody was asked");

    let (held, attempt, _) = claimed(&deauthorized(&active(), T0.plus(DAY)), T0.plus(DAY + 5));
    let again = deauthorized(&held, T0.plus(DAY + 6));
    let verified = verify(&again, attempt, Checked::default(), T0.plus(DAY + 7)).unwrap();
    assert_eq!(due_at(&verified), Some(T0.plus(DAY + 6)), "by another check");
}

#[test]
fn a_new_grant_forgets_a_notice_that_was_about_the_one_before() {
    let answered = T0.plus(DAY);
    let grant = Grant {
        connection: active().connection,
        app_key: "app-key".into(),
        seller_name: None,
        seller_base_region: None,
        purpose: Purpose::All,
        api: api(),
        shops: None,
        fingerprint: None,
        origin: Origin::Session { account_id: "acme".parse().unwrap(), confirm: false, reconnect: None },
    };
    let claimed = |noted: Timestamp| {
        let item = deauthorized(&active(), noted);
        claim_for_grant(Some(&item), &grant, AttemptId::random(), answered).unwrap().item
    };
    assert_eq!(claimed(answered.plus(-1)).check_at, None);
    // The seller authorized and left before the grant could be written.
    for noted in [0, 1] {
        let held = claimed(answered.plus(noted));
        let kept = Kept::new(&token_set(None, held.granted_at, answered), AttemptId::random().version());
        let right = Right::Grant { granted_at: held.granted_at, token_version: held.token_version };
        let after = commit(&held, right, kept, None, answered.plus(9)).unwrap();
        assert_eq!(next(&after, answered.plus(9)), Next::Check, "it is about this grant");
    }
}

#[test]
fn late_and_repeated_notices_do_no_harm() {
    let now = T0.plus(DAY);
    let item = active();
    let note = |item: &Connection, notice, sent_at| take_note(item, notice, sent_at, now);
    assert_eq!(note(&item, Notice::Deauthorized, T0.plus(-301)), Err(NothingNew::Late));
    assert!(note(&item, Notice::Deauthorized, T0.plus(-300)).is_ok(), "the clocks may be so far apart");
    let once = deauthorized(&item, now);
    assert_eq!(note(&once, Notice::Deauthorized, now), Err(NothingNew::Known));

    let ends = |days| Notice::EndsSoon { ends_at: T0.plus(days * DAY) };
    assert_eq!(note(&item, ends(20), T0), Err(NothingNew::Late));
    assert_eq!(note(&item, ends(1), now), Err(NothingNew::Late));
    assert_eq!(note(&item, ends(365), now), Err(NothingNew::Known));
    assert_eq!(note(&item, ends(400), now), Err(NothingNew::Known));
    let ended = Connection { status: Status::ReauthorizationRequired { reason: Reason::Refused }, ..active() };
    assert_eq!(note(&ended, ends(20), now), Err(NothingNew::NotActive));
}

#[test]
fn an_announced_end_leads_to_reminders_and_to_nothing_else() {
    let now = T0.plus(2 * DAY);
    let end = now.plus(10 * DAY);
    let item = take_note(&active(), Notice::EndsSoon { ends_at: end }, now, now).unwrap();
    assert_eq!((item.announced_end, item.authorization_expires_at), (Some(end), active().authorization_expires_at));
    assert_eq!(next(&item, now.plus(DAY)), Next::Remind);
    let (held, attempt, _) = claimed(&item, now.plus(DAY));
    let reminded = remind(&held, attempt, now.plus(DAY)).unwrap();
    assert_eq!(reminded.reminded, Some(14));

    // The response still names the year that was granted.
    let refreshed = |item: &Connection, at: Timestamp| {
        let (held, attempt, next) = claimed(item, at);
        assert_eq!(next, Next::Refresh);
        let kept = Kept::new(&token_set(held.secret_version.clone(), held.granted_at, at), attempt.version());
        commit(&held, Right::Claim(attempt), kept, None, at).unwrap()
    };
    let before = refreshed(&reminded, T0.plus(6 * DAY));
    assert_eq!((before.announced_end, before.reminded), (Some(end), Some(14)));
    assert_eq!(before.authorization_expires_at, Some(T0.plus((365 + 6) * DAY)), "the response's end stands beside it");
    assert!(due_at(&before).unwrap() <= end.plus(-7 * DAY + HOUR * 24));
    let idle = Connection { access_expires_at: Some(end.plus(9 * DAY)), reminded: Some(1), ..before };
    assert_eq!(next(&idle, end), Next::Nothing, "no notification ends anything");

    let after = refreshed(&idle, end.plus(8 * DAY));
    assert_eq!((after.announced_end, after.reminded), (None, None), "a success after it proves it wrong");
}

#[test]
fn a_later_notification_corrects_an_earlier_one() {
    let (now, year) = (T0.plus(2 * DAY), active().authorization_expires_at.unwrap());
    let note = |item: &Connection, ends_at| take_note(item, Notice::EndsSoon { ends_at }, now, now);
    let near = note(&active(), now.plus(10 * DAY)).unwrap();
    let moved = note(&near, now.plus(10 * DAY + HOUR)).unwrap();
    assert_eq!((moved.announced_end, moved.reminded), (Some(now.plus(10 * DAY + HOUR)), near.reminded));
    assert_eq!(note(&moved, now.plus(10 * DAY + HOUR)), Err(NothingNew::Known));
    let corrected = note(&moved, year.plus(DAY)).unwrap();
    assert_eq!((corrected.announced_end, corrected.reminded), (None, None));
    assert_eq!(note(&active(), now.plus(-1)), Err(NothingNew::Late), "an end that is past says nothing");
}

#[test]
fn reminders_are_five_in_all_whatever_refreshes_and_notifications_say() {
    let end = T0.plus(60 * DAY);
    let mut item = Connection { authorization_expires_at: Some(end), ..active() };
    let (mut reminders, mut random) = (Vec::new(), SmallRng::seed_from_u64(7));
    for hour in 0..60 * 24 {
        let now = T0.plus(hour * HOUR);
        if hour % 24 == 0 {
            let ends_at = end.plus(random.random_range(-2 * DAY..2 * DAY));
            item = take_note(&item, Notice::EndsSoon { ends_at }, now, now).unwrap_or(item);
        }
        while next(&item, now) != Next::Nothing {
            let (held, attempt, what) = claimed(&item, now);
            if what == Next::Remind {
                item = remind(&held, attempt, now).unwrap();
                reminders.push(item.reminded.unwrap());
                continue;
            }
            let stated = end.plus(random.random_range(-2 * DAY..2 * DAY));
            let tokens = TokenSet {
                authorization_expires_at: Some(stated).filter(|stated| *stated > now),
                ..token_set(held.secret_version.clone(), held.granted_at, now)
            };
            let kept = Kept::new(&tokens, attempt.version());
            item = commit(&held, Right::Claim(attempt), kept, None, now).unwrap();
        }
    }
    assert_eq!(reminders, [30, 14, 7, 3, 1]);
}
