//! Whether a token may be served: pure.

use shop_keyring::{
    connection::{Connection, Reason, Status},
    time::Timestamp,
};

use crate::problem::Problem;

/// What to do for somebody who wants a token.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Serve the current one.
    Serve,
    /// Serve the current one, and say that no refresh can give a longer one.
    ServeUnrefreshable,
    /// Refresh first.
    Refresh,
    /// Say why there is none.
    Refuse(Problem),
}

/// Decides for a token that is to last at least `min_ttl` seconds.
pub(crate) fn decide(item: &Connection, min_ttl: i64, now: Timestamp) -> Decision {
    let left = item.access_left(now).unwrap_or_default();
    match item.status {
        Status::Pending => Decision::Refuse(Problem::Pending),
        Status::Disconnected => Decision::Refuse(Problem::Disconnected),
        Status::ReauthorizationRequired { .. } if left > 0 => Decision::Serve,
        Status::ReauthorizationRequired { reason } => Decision::Refuse(Problem::ReauthorizationRequired(reason)),
        Status::Active if left >= min_ttl.max(1) => Decision::Serve,
        Status::Active if !item.has_refresh() => unrefreshable(item, now),
        // A refresh would not help: the new token would be under `min_ttl` from its first second.
        Status::Active if left > 0 && item.access_life().is_some_and(|life| life < min_ttl) => Decision::Serve,
        Status::Active if can_refresh(item, now) => Decision::Refresh,
        Status::Active => after_refresh(item, now),
    }
}

/// Whether asking for a refresh can help: not in a back-off, and not while a refusal waits for the schedule's second
/// try. Somebody else's refresh under way can.
pub(crate) fn can_refresh(item: &Connection, now: Timestamp) -> bool {
    let resting = item.not_before.is_some_and(|not_before| now < not_before);
    item.held_at(now).is_some() || !(resting || item.refusals > 0)
}

/// For a token that only the seller can renew. At the known end of its authorization it waits for the marketplace to say that
/// it is over; any other was not checked for too long.
fn unrefreshable(item: &Connection, now: Timestamp) -> Decision {
    if item.access_left(now).is_some_and(|left| left > 0) {
        Decision::ServeUnrefreshable
    } else if item.is_at_end(now) {
        Decision::Refuse(Problem::ReauthorizationRequired(Reason::AuthorizationExpired))
    } else {
        Decision::Refuse(refresh_failed(item, now))
    }
}

/// Decides for a caller who has rejected a token that only the seller can renew: `fresh` if the marketplace has said since
/// that it works. One that is in doubt is not handed out again as good.
pub(crate) fn decide_after_check(item: &Connection, fresh: bool, now: Timestamp) -> Decision {
    if item.status != Status::Active {
        return decide(item, 0, now);
    }
    match unrefreshable(item, now) {
        Decision::ServeUnrefreshable if !fresh || item.refusals > 0 || item.last_error.is_some() => {
            Decision::Refuse(refresh_failed(item, now))
        }
        decision => decision,
    }
}

/// Decides after a refresh was tried, whatever came of it: a token that is still valid is better than none.
pub(crate) fn decide_after_refresh(item: &Connection, now: Timestamp) -> Decision {
    match item.status {
        Status::Active if !item.has_refresh() => unrefreshable(item, now),
        Status::Active => after_refresh(item, now),
        _ => decide(item, 0, now),
    }
}

fn after_refresh(item: &Connection, now: Timestamp) -> Decision {
    if item.access_left(now).is_some_and(|left| left > 0) {
        Decision::Serve
    } else {
        Decision::Refuse(refresh_failed(item, now))
    }
}

/// Seconds until the schedule has probably done what is wanted: it runs each minute.
const SCHEDULED_WITHIN: i64 = 60;

/// That the refresh failed or is left to the schedule, or the check where there is none, and when another try can help.
pub(crate) fn refresh_failed(item: &Connection, now: Timestamp) -> Problem {
    let wait = item.not_before.map_or(0, |not_before| not_before.since(now));
    let least = if item.is_wanted() { SCHEDULED_WITHIN } else { 5 };
    let retry_after = wait.clamp(least, 3_600);
    if item.has_refresh() { Problem::RefreshFailed { retry_after } } else { Problem::CheckFailed { retry_after } }
}

#[cfg(test)]
mod tests {
    use shop_keyring::{
        api::Api,
        connection::{Claim, FORMAT, Purpose, Reason, UserType, wanted::Wanted, webhooks::Webhooks},
        names::AttemptId,
    };

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    /// A connection whose token lives for `life` seconds and has `left` of them.
    fn item(status: Status, life: i64, left: i64) -> Connection {
        Connection {
            connection: "tiktok-shop/us/7".parse().unwrap(),
            format: FORMAT,
            revision: 1,
            app_key: "key".into(),
            seller_name: None,
            label: None,
            seller_base_region: None,
            user_type: UserType::Seller,
            purpose: Purpose::All,
            api: Api::at("https://open-api.tiktokglobalshop.com".parse().unwrap()),
            account_id: None,
            shops: Vec::new(),
            inactive_since: None,
            scopes: Vec::new(),
            status,
            token_version: 1,
            secret_version: None,
            access_expires_at: Some(NOW.plus(left)),
            authorization_expires_at: None,
            end_unclear: false,
            announced_end: None,
            granted_at: NOW,
            authorized_at: None,
            refreshed_at: Some(NOW.plus(left - life)),
            verified_at: None,
            fingerprint: None,
            created_at: NOW,
            updated_at: NOW,
            attempt: None,
            attempts: Vec::new(),
            not_before: Some(NOW),
            check_at: None,
            deauthorized_at: None,
            no_shops_since: None,
            ended_at: None,
            asked_again: 0,
            reminded: None,
            confirm_by: None,
            confirm_granted_at: None,
            refused_at: None,
            refusals: 0,
            failures: 0,
            last_error: None,
            events: Vec::new(),
            publish_at: None,
            wanted: None,
            webhooks: Webhooks::default(),
        }
    }

    fn say(decision: &Decision) -> String {
        match decision {
            Decision::Serve => "serve".into(),
            Decision::ServeUnrefreshable => "serve unrefreshable".into(),
            Decision::Refresh => "refresh".into(),
            Decision::Refuse(problem) => format!("{problem:?}"),
        }
    }

    #[test]
    fn every_state_has_its_answer() {
        let reauthorization = Status::ReauthorizationRequired { reason: Reason::Refused };
        for (status, life, left, min_ttl, before, after) in [
            (Status::Active, 600, 300, 60, "serve", "serve"),
            (Status::Active, 600, 60, 60, "serve", "serve"),
            (Status::Active, 600, 59, 60, "refresh", "serve"),
            (Status::Active, 600, 0, 60, "refresh", "RefreshFailed { retry_after: 5 }"),
            (Status::Active, 600, 0, 0, "refresh", "RefreshFailed { retry_after: 5 }"),
            (Status::Active, 50, 40, 60, "serve", "serve"),
            (Status::Active, 50, -1, 60, "refresh", "RefreshFailed { retry_after: 5 }"),
            (Status::Pending, 600, 300, 60, "Pending", "Pending"),
            (Status::Disconnected, 600, 300, 60, "Disconnected", "Disconnected"),
            (reauthorization, 600, 1, 60, "serve", "serve"),
            (reauthorization, 600, 0, 60, "ReauthorizationRequired(Refused)", "ReauthorizationRequired(Refused)"),
        ] {
            let item = item(status, life, left);
            assert_eq!(say(&decide(&item, min_ttl, NOW)), before, "{status:?} {life} {left} {min_ttl}");
            assert_eq!(say(&decide_after_refresh(&item, NOW)), after, "{status:?} {life} {left} {min_ttl}");
        }
    }

    #[test]
    fn what_only_the_seller_can_renew_is_served_while_it_lasts() {
        for (left, min_ttl, before, after) in [
            (300, 60, "serve", "serve unrefreshable"),
            (59, 60, "serve unrefreshable", "serve unrefreshable"),
            (1, 86_400, "serve unrefreshable", "serve unrefreshable"),
            (0, 60, "ReauthorizationRequired(AuthorizationExpired)", "ReauthorizationRequired(AuthorizationExpired)"),
        ] {
            let connection = "temu/us/7".parse().unwrap();
            let authorization_expires_at = Some(NOW.plus(left));
            let item = Connection { connection, authorization_expires_at, ..item(Status::Active, 90 * 86_400, left) };
            assert_eq!(say(&decide(&item, min_ttl, NOW)), before, "{left} {min_ttl}");
            assert_eq!(say(&decide_after_refresh(&item, NOW)), after, "{left} {min_ttl}");
        }
    }

    #[test]
    fn a_rejected_token_is_handed_out_again_only_if_its_marketplace_stands_by_it() {
        let connection = "temu/us/7".parse().unwrap();
        let good = Connection { connection, ..item(Status::Active, 90 * 86_400, 300) };
        assert_eq!(say(&decide_after_check(&good, true, NOW)), "serve unrefreshable");
        let failed = "CheckFailed { retry_after: 900 }";
        let doubted = Connection { refusals: 1, not_before: Some(NOW.plus(900)), ..good.clone() };
        assert_eq!(say(&decide_after_check(&doubted, true, NOW)), failed);
        assert!(say(&decide_after_check(&good, false, NOW)).starts_with("CheckFailed"));
        let unsaid = Connection { access_expires_at: Some(NOW), authorization_expires_at: None, ..good };
        assert!(say(&decide_after_check(&unsaid, true, NOW)).starts_with("CheckFailed"));
    }

    #[test]
    fn what_is_left_to_the_schedule_is_ready_in_a_minute() {
        let wanted =
            |left| Connection { wanted: Some(Wanted { version: 1, at: NOW }), ..item(Status::Active, 600, left) };
        assert_eq!(say(&decide_after_refresh(&wanted(0), NOW)), "RefreshFailed { retry_after: 60 }");
        assert_eq!(say(&decide_after_refresh(&wanted(1), NOW)), "serve");
        let renewed = Connection { token_version: 2, ..wanted(0) };
        assert_eq!(say(&decide_after_refresh(&renewed, NOW)), "RefreshFailed { retry_after: 5 }");
    }

    #[test]
    fn who_cannot_be_helped_by_a_refresh_gets_an_answer_at_once() {
        let resting = |left| Connection { not_before: Some(NOW.plus(90)), ..item(Status::Active, 600, left) };
        assert_eq!(say(&decide(&resting(10), 60, NOW)), "serve");
        assert_eq!(say(&decide(&resting(0), 60, NOW)), "RefreshFailed { retry_after: 90 }");
        let in_doubt = Connection { refusals: 1, ..item(Status::Active, 600, 10) };
        assert_eq!(say(&decide(&in_doubt, 60, NOW)), "serve");
        let under_way = Claim { id: AttemptId::random(), until: NOW.plus(30) };
        assert_eq!(say(&decide(&Connection { attempt: Some(under_way), ..resting(0) }, 60, NOW)), "refresh");
    }
}
