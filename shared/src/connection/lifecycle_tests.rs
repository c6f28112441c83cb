//! Whole lives of a connection, step by step, without any I/O.

use super::{
    Connection, Purpose, Reason, Status,
    claim::{Trigger, claim},
    due::due_at,
    fixtures::{T0, active, api, claim_any, fault, key, next_of_any as next, token_set, watched},
    grant::{Grant, GrantRefused, Origin, claim_for_grant, confirm},
    next::Next,
    settle::{Kept, Right, Spent, back_off, commit, defer, fail, refuse},
    verdict::{SECOND_LOOK_AFTER, Verdict},
};
use crate::{names::AttemptId, time::Timestamp, token_set::TokenSet};

fn claimed(item: &Connection, now: Timestamp) -> (Connection, AttemptId) {
    let (item, attempt, _) = claimed_for(item, now);
    (item, attempt)
}

/// The same, with what the claim is for.
fn claimed_for(item: &Connection, now: Timestamp) -> (Connection, AttemptId, Next) {
    let attempt = AttemptId::random();
    let claimed = claim_any(item, now, attempt).unwrap();
    (claimed.item, attempt, claimed.next)
}

fn grant_for(account: &str, confirm: bool) -> Grant {
    Grant {
        connection: key("seller-1"),
        app_key: "app-key".into(),
        seller_name: Some("Seller".into()),
        seller_base_region: None,
        purpose: Purpose::All,
        api: api(),
        shops: None,
        fingerprint: None,
        origin: Origin::Session { account_id: account.parse().unwrap(), confirm, reconnect: None },
    }
}

fn kept(item: &Connection, attempt: AttemptId, now: Timestamp) -> Kept {
    Kept::new(&token_set(item.secret_version.clone(), item.granted_at, now), attempt.version())
}

#[test]
fn a_refresh_moves_both_clocks_and_clears_all_doubt() {
    let due = T0.plus(6 * 86_400);
    let (item, attempt) = claimed(&Connection { refusals: 1, failures: 3, ..active() }, due);
    let after = commit(&item, Right::Claim(attempt), kept(&item, attempt, due), None, due.plus(1)).unwrap();
    assert_eq!(after.status, Status::Active);
    assert_eq!(after.token_version, 2);
    assert_eq!(after.secret_version, Some(attempt.version()));
    assert_eq!(after.access_expires_at, Some(due.plus(7 * 86_400)));
    assert_eq!(after.authorization_expires_at, Some(due.plus(365 * 86_400)));
    assert_eq!(after.not_before, Some(due.plus(1 + 15 * 60)));
    assert_eq!((after.refusals, after.failures, after.attempt), (0, 0, None));
    assert!(after.attempts.is_empty());
    assert_eq!(after.authorized_at, Some(T0), "a refresh is no new grant");
}

#[test]
fn a_short_lived_token_rests_for_a_quarter_of_its_life() {
    let (item, attempt) = claimed(&active(), T0.plus(6 * 86_400));
    let mut set = token_set(None, item.granted_at, T0);
    set.access_expires_at = T0.plus(120);
    let after = commit(&item, Right::Claim(attempt), Kept::new(&set, attempt.version()), None, T0).unwrap();
    assert_eq!(after.not_before, Some(T0.plus(30)));
}

#[test]
fn nobody_writes_an_outcome_for_a_claim_that_another_took_over() {
    let due = T0.plus(6 * 86_400);
    let (frozen_item, frozen) = claimed(&active(), due);
    let (item, _) = claimed(&frozen_item, due.plus(60));
    assert!(commit(&item, Right::Claim(frozen), kept(&item, frozen, due), None, due).is_err());
    assert!(fail(&item, frozen, fault(), Spent::Unknown, 60, due).is_err());
    assert!(refuse(&item, frozen, fault().into(), Verdict::Doubted, SECOND_LOOK_AFTER, due).is_err());
}

#[test]
fn a_refused_connection_is_asked_about_again_and_may_end() {
    let due = T0.plus(6 * 86_400);
    let (item, attempt) = claimed(&active(), due);
    let doubted = refuse(&item, attempt, fault().into(), Verdict::Doubted, SECOND_LOOK_AFTER, due).unwrap();
    assert_eq!((doubted.status, doubted.refusals), (Status::Active, 1));
    assert_eq!(next(&doubted, due.plus(SECOND_LOOK_AFTER - 1)), Next::Nothing);
    let (item, attempt) = claimed(&doubted, due.plus(SECOND_LOOK_AFTER));
    let at = due.plus(SECOND_LOOK_AFTER);
    let again = refuse(&item, attempt, fault().into(), Verdict::Doubted, 3_000, at).unwrap();
    assert_eq!((again.refused_at, again.refusals, again.not_before), (Some(due), 2, Some(at.plus(3_000))));
    let ended = refuse(&item, attempt, fault().into(), Verdict::Ended, 0, at).unwrap();
    assert_eq!(ended.status, Status::ReauthorizationRequired { reason: Reason::Refused });
    assert_eq!(ended.secret_version, active().secret_version.and(ended.secret_version.clone()));
}

#[test]
fn a_refusal_on_demand_gets_its_second_look_from_the_schedule() {
    let attempt = AttemptId::random();
    let claimed = claim(&active(), Trigger::OnDemand { rejected_version: 1 }, T0.plus(100), attempt).unwrap();
    let doubted =
        refuse(&claimed.item, attempt, fault().into(), Verdict::Doubted, SECOND_LOOK_AFTER, T0.plus(100)).unwrap();
    assert_eq!(next(&doubted, T0.plus(100 + SECOND_LOOK_AFTER)), Next::Refresh, "long before 60 % of its life");
}

#[test]
fn a_refusal_after_an_unknown_outcome_says_rotation_lost() {
    let due = T0.plus(6 * 86_400);
    let (item, timed_out) = claimed(&active(), due);
    let unsure = fail(&item, timed_out, fault(), Spent::Unknown, 100, due).unwrap();
    assert_eq!(unsure.attempts, [timed_out]);
    let mut now = due.plus(100);
    let mut item = unsure;
    for verdict in [Verdict::Doubted, Verdict::Ended] {
        let (held, attempt) = claimed(&item, now);
        item = refuse(&held, attempt, fault().into(), verdict, SECOND_LOOK_AFTER, now).unwrap();
        now = now.plus(SECOND_LOOK_AFTER);
    }
    assert_eq!(item.status, Status::ReauthorizationRequired { reason: Reason::RotationLost });
}

#[test]
fn a_deferred_connection_is_not_marked() {
    let due = T0.plus(6 * 86_400);
    let (item, attempt) = claimed(&active(), due);
    let after = defer(&item, attempt, fault(), 900, due).unwrap();
    assert_eq!((after.status, after.refusals, after.failures), (Status::Active, 0, 0));
    assert!(after.attempts.is_empty());
}

#[test]
fn a_known_end_is_asked_about() {
    for item in [active(), watched()] {
        let end = item.authorization_expires_at.unwrap();
        let asked = if item.has_refresh() { Next::Refresh } else { Next::Check };
        let reminded = Some(1);
        let refreshed_at = Some(end.plus(-60));
        let access_expires_at = Some(end.plus(86_400));
        let item = Connection { access_expires_at, refreshed_at, check_at: None, reminded, ..item };
        assert_eq!(next(&item, end.plus(299)), Next::Nothing, "it must have come by the marketplace's clock, too");
        let end = end.plus(300);
        let (held, attempt, what) = claimed_for(&item, end);
        assert_eq!(what, asked);
        let ended = refuse(&held, attempt, fault().into(), Verdict::Expired, 0, end).unwrap();
        assert_eq!(ended.status, Status::ReauthorizationRequired { reason: Reason::AuthorizationExpired });
    }
}

#[test]
fn a_seller_who_has_renewed_elsewhere_goes_on_at_the_end() {
    let end = active().authorization_expires_at.unwrap();
    let (held, attempt, _) = claimed_for(&active(), end);
    for (stated, known) in [(Some(end.plus(365 * 86_400)), Some(end.plus(365 * 86_400))), (None, None)] {
        let set = TokenSet {
            authorization_expires_at: stated,
            end_unclear: stated.is_none(),
            ..token_set(held.secret_version.clone(), held.granted_at, end)
        };
        let after = commit(&held, Right::Claim(attempt), Kept::new(&set, attempt.version()), None, end).unwrap();
        assert_eq!((after.status, after.authorization_expires_at), (Status::Active, known));
        assert_eq!(after.end_unclear, stated.is_none());
        assert!(due_at(&after).unwrap() > end.plus(86_400), "not asked again and again");
    }
}

#[test]
fn a_new_seller_waits_for_the_vendor() {
    let attempt = AttemptId::random();
    let grant = grant_for("acme", true);
    let item = claim_for_grant(None, &grant, attempt, T0).unwrap().item;
    assert_eq!((item.status, item.secret_version.clone()), (Status::Pending, None));
    assert_eq!(next(&item, T0.plus(60)), Next::LookBack, "a crash is healed by the next sweep");

    let right = Right::Grant { granted_at: T0, token_version: 0 };
    let waiting = commit(&item, right, kept(&item, attempt, T0), None, T0).unwrap();
    assert_eq!((waiting.status, waiting.token_version), (Status::Pending, 1));
    assert_eq!(next(&waiting, T0.plus(3_599)), Next::Nothing);
    assert_eq!(next(&waiting, T0.plus(3_600)), Next::Remove);

    let acme = "acme".parse().unwrap();
    assert!(confirm(&waiting, &"other".parse().unwrap(), T0, T0.plus(5)).is_err());
    assert!(confirm(&waiting, &acme, T0.plus(-1), T0.plus(5)).is_err(), "another grant's result");
    assert!(confirm(&waiting, &acme, T0, T0.plus(3_600)).is_err(), "too late");
    let (leaving, _) = claimed(&waiting, T0.plus(3_600));
    assert!(confirm(&leaving, &acme, T0, T0.plus(3_599)).is_err(), "the sweep is taking it away");
    let confirmed = confirm(&waiting, &acme, T0, T0.plus(5)).unwrap();
    assert_eq!((confirmed.status, confirmed.confirm_by), (Status::Active, None));
    assert_eq!(confirm(&confirmed, &acme, T0, T0.plus(6)).unwrap(), confirmed, "twice is harmless");
}

#[test]
fn what_cannot_be_taken_away_gives_way_for_a_while() {
    let hour = T0.plus(3_600);
    let waiting = Connection { status: Status::Pending, confirm_by: Some(hour), not_before: Some(T0), ..active() };
    let (held, attempt) = claimed(&waiting, hour);
    let kept = defer(&held, attempt, fault(), 900, hour).unwrap();
    assert_eq!(due_at(&kept), Some(hour.plus(900)), "not the oldest again in the next run");
    assert_eq!(next(&kept, hour.plus(899)), Next::Nothing);
    assert_eq!(next(&kept, hour.plus(900)), Next::Remove);

    let never_committed = claim_for_grant(None, &grant_for("acme", true), AttemptId::random(), T0).unwrap().item;
    let (held, attempt) = claimed(&never_committed, T0.plus(60));
    let kept = defer(&held, attempt, fault(), 900, T0.plus(60)).unwrap();
    assert_eq!(next(&kept, T0.plus(959)), Next::Nothing);
    assert_eq!(next(&kept, T0.plus(960)), Next::LookBack);

    let end = active().authorization_expires_at.unwrap();
    let (held, attempt) = claimed(&Connection { reminded: Some(1), ..active() }, end);
    let kept = defer(&held, attempt, fault(), 900, end).unwrap();
    assert_eq!(next(&kept, end.plus(899)), Next::Nothing);
    assert_eq!(next(&kept, end.plus(900)), Next::Refresh);
}

#[test]
fn a_seller_already_connected_under_this_account_needs_no_confirmation() {
    let now = T0.plus(100);
    let attempt = AttemptId::random();
    let (refreshing, refresher) = claimed(&active(), T0.plus(6 * 86_400));
    let taken = claim_for_grant(Some(&refreshing), &grant_for("acme", true), attempt, now).unwrap();
    assert_eq!(taken.refused, None);
    let item = taken.item;
    assert_eq!((item.status, item.granted_at, item.confirm_by), (Status::Active, now, None));
    assert!(commit(&item, Right::Claim(refresher), kept(&item, refresher, now), None, now).is_err());
    let right = Right::Grant { granted_at: now, token_version: 1 };
    let after = commit(&item, right, kept(&item, attempt, now), None, now).unwrap();
    assert_eq!((after.token_version, after.authorized_at), (2, Some(now)));
}

#[test]
fn a_sweep_that_took_over_does_not_stand_in_a_grants_way() {
    let attempt = AttemptId::random();
    let item = claim_for_grant(Some(&active()), &grant_for("acme", true), attempt, T0.plus(9)).unwrap().item;
    let (item, sweeper) = claimed(&item, T0.plus(70));
    assert!(item.is_held_by(sweeper));
    let right = Right::Grant { granted_at: T0.plus(9), token_version: 1 };
    assert!(commit(&item, right, kept(&item, attempt, T0.plus(71)), None, T0.plus(71)).is_ok());
}

#[test]
fn another_account_is_refused_and_its_working_connection_kept_alive() {
    let grant = grant_for("other", true);
    let taken = claim_for_grant(Some(&active()), &grant, AttemptId::random(), T0.plus(9)).unwrap();
    assert_eq!(taken.refused, Some(GrantRefused::AccountConflict));
    assert_eq!((taken.item.account_id, taken.item.status), (active().account_id, Status::Active));

    let ended = Connection { status: Status::ReauthorizationRequired { reason: Reason::Refused }, ..active() };
    let refused = claim_for_grant(Some(&ended), &grant, AttemptId::random(), T0.plus(9));
    assert_eq!(refused, Err(GrantRefused::AccountConflict));
}

#[test]
fn what_was_never_confirmed_belongs_to_nobody() {
    let waiting = Connection { status: Status::Pending, confirm_by: Some(T0.plus(3_600)), ..active() };
    let taken = claim_for_grant(Some(&waiting), &grant_for("other", true), AttemptId::random(), T0.plus(9));
    let item = taken.unwrap().item;
    assert_eq!((item.account_id, item.status), (Some("other".parse().unwrap()), Status::Pending));

    let unsolicited = Grant { origin: Origin::Unsolicited { creates: true }, ..grant_for("acme", false) };
    let item = claim_for_grant(Some(&waiting), &unsolicited, AttemptId::random(), T0.plus(3_600)).unwrap().item;
    assert_eq!((item.account_id, item.confirm_by), (None, None), "too late to be confirmed, it has no account");
}

#[test]
fn an_unsolicited_grant_never_changes_an_account() {
    let unsolicited = Grant { origin: Origin::Unsolicited { creates: true }, ..grant_for("acme", false) };
    let item = claim_for_grant(Some(&active()), &unsolicited, AttemptId::random(), T0.plus(9)).unwrap().item;
    assert_eq!(item.account_id, active().account_id);
    let item = claim_for_grant(None, &unsolicited, AttemptId::random(), T0).unwrap().item;
    assert_eq!((item.account_id, item.confirm_by), (None, None));
}

#[test]
fn a_renewal_that_nobody_asked_for_creates_nothing_and_keeps_the_account() {
    let renewal = Grant { origin: Origin::Unsolicited { creates: false }, ..grant_for("acme", false) };
    let claim = |existing: Option<&Connection>| {
        claim_for_grant(existing, &renewal, AttemptId::random(), T0.plus(9)).map(|claimed| {
            assert_eq!(claimed.refused, None);
            claimed.item
        })
    };
    assert_eq!(claim(None), Err(GrantRefused::NothingToRenew));
    let disconnected = Connection { status: Status::Disconnected, ..active() };
    assert_eq!(claim(Some(&disconnected)), Err(GrantRefused::NothingToRenew));
    let ended = Status::ReauthorizationRequired { reason: Reason::AuthorizationExpired };
    for status in [Status::Active, ended] {
        let item = claim(Some(&Connection { status, ..active() })).unwrap();
        assert_eq!((item.account_id, item.confirm_by), (active().account_id, None));
    }
}

#[test]
fn a_pending_connection_that_is_renewed_waits_for_the_same_confirmation() {
    let by = Some(T0.plus(3_600));
    let waiting = Connection { status: Status::Pending, confirm_by: by, ..active() };
    for creates in [false, true] {
        let renewal = Grant { origin: Origin::Unsolicited { creates }, ..grant_for("acme", false) };
        let claimed = claim_for_grant(Some(&waiting), &renewal, AttemptId::random(), T0.plus(9)).unwrap().item;
        assert_eq!((claimed.account_id, claimed.confirm_by), (waiting.account_id.clone(), by), "{creates}");
    }
    let renewal = Grant { origin: Origin::Unsolicited { creates: false }, ..grant_for("acme", false) };
    let late = claim_for_grant(Some(&waiting), &renewal, AttemptId::random(), T0.plus(3_600));
    assert_eq!(late, Err(GrantRefused::NothingToRenew), "the sweep is about to remove it");
    let renew = |item: &Connection, now: Timestamp| {
        let attempt = AttemptId::random();
        let held = claim_for_grant(Some(item), &renewal, attempt, now).unwrap().item;
        let set = token_set(held.secret_version.clone(), held.granted_at, now);
        let right = Right::Grant { granted_at: held.granted_at, token_version: held.token_version };
        commit(&held, right, Kept::new(&set, attempt.version()), None, now).unwrap()
    };
    let twice = renew(&renew(&waiting, T0.plus(9)), T0.plus(20));
    assert_eq!((twice.status, twice.confirm_by, &twice.account_id), (Status::Pending, by, &waiting.account_id));
    assert!(twice.granted_at > waiting.granted_at);
    let acme = "acme".parse().unwrap();
    assert!(confirm(&twice, &acme, twice.granted_at, T0.plus(30)).is_err(), "no session had that grant");
    let confirmed = confirm(&twice, &acme, waiting.granted_at, T0.plus(30)).unwrap();
    assert_eq!((confirmed.status, confirmed.confirm_granted_at), (Status::Active, None));
}

#[test]
fn the_very_same_token_changes_nothing_while_nothing_speaks_against_it() {
    let there = Connection { fingerprint: Some("digest".into()), ..watched() };
    let grant = |account: &str| Grant {
        connection: there.connection.clone(),
        fingerprint: there.fingerprint.clone(),
        ..grant_for(account, true)
    };
    let claim = |item: &Connection, grant: &Grant| {
        claim_for_grant(Some(item), grant, AttemptId::random(), T0.plus(9)).map(|claimed| claimed.item.status)
    };
    assert_eq!(claim(&there, &grant("acme")), Err(GrantRefused::AlreadyThere));
    assert_eq!(claim(&there, &grant("other")), Err(GrantRefused::AccountConflict));
    let pending = Connection { status: Status::Pending, confirm_by: Some(T0.plus(10)), ..there.clone() };
    assert_eq!(claim(&pending, &grant("acme")), Err(GrantRefused::AlreadyThere));

    let late = Connection { confirm_by: Some(T0.plus(9)), ..pending.clone() };
    assert_eq!(claim(&late, &grant("acme")), Ok(Status::Pending));
    assert_eq!(claim(&pending, &grant("other")), Ok(Status::Pending), "nobody has it yet");
    let doubted = Connection { refusals: 1, ..there.clone() };
    assert_eq!(claim(&doubted, &grant("acme")), Ok(Status::Active), "a token that works ends the doubt");
    let reason = Reason::Deauthorized;
    let ended = Connection { status: Status::ReauthorizationRequired { reason }, ..there.clone() };
    assert!(claim(&ended, &grant("acme")).is_ok(), "and revives what had ended");
    let another = Grant { fingerprint: Some("another".into()), ..grant("acme") };
    assert_eq!(claim(&there, &another), Ok(Status::Active));
    assert_eq!(claim(&there, &Grant { fingerprint: None, ..grant("acme") }), Ok(Status::Active));
}

#[test]
fn grants_are_ordered() {
    let grant = grant_for("acme", true);
    let earlier = claim_for_grant(Some(&active()), &grant, AttemptId::random(), T0.plus(-3));
    assert_eq!(earlier, Err(GrantRefused::LaterGrant));
    let item = claim_for_grant(Some(&active()), &grant, AttemptId::random(), T0).unwrap().item;
    assert_eq!(item.granted_at, T0.plus(1), "a grant of the same second gets a name of its own");
}

#[test]
fn back_off_grows_is_capped_and_honours_retry_after() {
    let mut random = rand::rng();
    for failures in 0..40 {
        let wait = back_off(failures, None, &mut random);
        assert!((60..=30 * 60).contains(&wait), "{failures}: {wait}");
        assert!(back_off(failures, Some(7_200), &mut random) >= 7_200);
    }
    assert!((0..200).any(|_| back_off(6, None, &mut random) > 900));
    assert!((0..200).all(|_| back_off(0, None, &mut random) <= 90));
}

/// The item was restored from a backup, and the seller has authorized anew since.
#[test]
fn a_later_grant_that_the_vault_has_is_the_items_own_afterwards() {
    let ended = Connection { announced_end: Some(T0.plus(20 * 86_400)), ..active() };
    let (held, attempt) = claimed(&ended, T0.plus(6 * 86_400));
    let (regranted, now) = (T0.plus(2 * 86_400), T0.plus(6 * 86_400));
    let set = token_set(held.secret_version.clone(), regranted, now);
    let later = Kept::new(&set, AttemptId::random().version());
    let healed = commit(&held, Right::Claim(attempt), later, None, now).unwrap();
    assert_eq!(healed.granted_at, regranted);
    assert_eq!((healed.announced_end, healed.authorization_expires_at), (None, set.authorization_expires_at));
    let (held, attempt) = claimed(&ended, now);
    let same = commit(&held, Right::Claim(attempt), kept(&held, attempt, now), None, now).unwrap();
    assert_eq!((same.granted_at, same.announced_end), (T0, ended.announced_end));
}
