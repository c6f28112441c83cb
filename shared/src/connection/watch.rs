//! The watch over what cannot be refreshed: a check at the marketplace each day, and the reminders before an
//! authorization ends, for every marketplace.

use super::{
    Connection, Listed, Reason, Status,
    due::own_fraction,
    end::AuthorizationEnd,
    ended::has_ended,
    notice,
    settle::{ClaimLost, Spent, let_go},
};
use crate::{
    names::{AttemptId, ConnectionKey},
    time::Timestamp,
};

/// Seconds from one check to the next. Under a day, so that a token that was taken back is in doubt within the day.
pub const CHECK_EVERY: i64 = 23 * 3_600;

/// Shortest wait from a check to the next, in seconds: callers that reject a token again and again must not use up the
/// calls that the marketplace grants the app.
const REST_AFTER_CHECK: i64 = 5 * 60;

/// Days that are left at least when the vendor is reminded of the end of the authorization, and less than one more:
/// at the connection's own time of the day, so that a fleet that connected within one hour is not told in one.
pub const REMINDERS: [u32; 5] = [30, 14, 7, 3, 1];

/// An end that moves on by this or more, in seconds, is that of a renewed authorization, and its reminders begin again. Less is
/// the same end in other words: marketplaces compute it again for each response, and notifications differ from responses.
const RENEWED: i64 = 7 * 86_400;

const DAY: i64 = 86_400;

/// How long a token counts as good whose end the marketplace never said, in seconds: until well after the next check.
pub const UNSAID_LIFE: i64 = 2 * DAY;

/// The first check after a commit: at the connection's own point of a first round, so that a fleet that connected
/// within one hour spreads over the whole round.
pub(super) fn first_check(key: &ConnectionKey, now: Timestamp) -> Timestamp {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a round is far below 2^52 s")]
    let wait = (CHECK_EVERY as f64 * own_fraction(key)) as i64;
    now.plus(wait.max(1))
}

/// The next check after one that was due at `due`: whole rounds later, so that what is spread stays spread even when a
/// long outage has made all of it overdue at once.
fn following_check(due: Timestamp, now: Timestamp) -> Timestamp {
    // None, if it is still ahead: a caller who asks in between moves nothing.
    let rounds = now.since(due).div_euclid(CHECK_EVERY) + 1;
    due.plus(rounds * CHECK_EVERY)
}

/// Seconds before the end at which this reminder's time comes.
fn ahead(key: &ConnectionKey, days: u32) -> i64 {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a day is far below 2^52 s")]
    let own = (DAY as f64 * own_fraction(key)) as i64;
    i64::from(days) * DAY + own
}

/// The latest reminder whose time has come: the fewest days that are left by now.
pub(super) fn reached(key: &ConnectionKey, end: Option<Timestamp>, now: Timestamp) -> Option<u32> {
    let left = end?.since(now);
    REMINDERS.into_iter().rfind(|days| left <= ahead(key, *days))
}

/// What counts as sent when the end that is reminded of becomes known, or moves. A later end begins again: whatever is past
/// by then is not sent, for the vendor has just been at it. An earlier one goes on, so that it is told.
pub(super) fn reminded_by(item: &Connection, end: Option<Timestamp>, now: Timestamp) -> Option<u32> {
    match (item.reminded_end(), end) {
        (Some(before), Some(end)) if end.since(before) < RENEWED => item.reminded,
        _ => reached(&item.connection, end, now),
    }
}

/// When the next reminder is to be sent: before the end. It asks nobody, so a failed refresh or check holds none back.
pub(super) fn remind_at(item: &Connection) -> Option<Timestamp> {
    let end = item.reminded_end()?;
    let next = REMINDERS.into_iter().find(|days| item.reminded.is_none_or(|reminded| *days < reminded))?;
    let at = end.plus(-ahead(&item.connection, next));
    Some(at).filter(|at| *at < end)
}

/// What a marketplace said of a token that works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// When the token ends; `None` leaves what is known.
    pub access_expires_at: Option<Timestamp>,
    /// When the authorization ends.
    pub authorization_end: AuthorizationEnd,
    /// What the seller grants now; `None` leaves what is known.
    pub scopes: Option<Vec<String>>,
    /// The shops under it; `None` leaves those known.
    pub listed: Option<Listed>,
    /// The seller's name; `None` leaves the one known.
    pub seller_name: Option<String>,
}

/// The token works: a moved end and changed permissions are taken over, all doubt is gone. Where the shop is inactive, the
/// doubt stays, and the next check comes a day later.
///
/// # Errors
/// [`ClaimLost`] if another attempt holds the claim.
pub fn verify(
    item: &Connection,
    attempt: AttemptId,
    checked: Checked,
    now: Timestamp,
) -> Result<Connection, ClaimLost> {
    let before = let_go(item, attempt, Spent::No, now)?;
    let end = checked.authorization_end.after(before.known_end(), now);
    let announced_end =
        before.announced_end.filter(|announced| now < *announced && end.at.is_none_or(|end| *announced < end));
    let watched = !before.has_refresh();
    // A token that works has not ended, whatever the response says.
    let access_end = checked.access_expires_at.filter(|end| *end > now);
    let unsaid = watched && access_end.or(end.at).is_none();
    let has_ended = has_ended(&before);
    // An inactive shop hides whether the token works.
    let works = checked.listed != Some(Listed::Inactive);
    let verified = Connection {
        access_expires_at: if unsaid { Some(now.plus(UNSAID_LIFE)) } else { access_end.or(before.access_expires_at) },
        authorization_expires_at: end.at,
        end_unclear: end.unclear,
        announced_end,
        reminded: reminded_by(&before, notice::earlier(end.at, announced_end), now),
        scopes: checked.scopes.unwrap_or_else(|| before.scopes.clone()),
        seller_name: checked.seller_name.or_else(|| before.seller_name.clone()),
        verified_at: if works { Some(now) } else { before.verified_at },
        status: if works && has_ended { Status::Active } else { before.status },
        ended_at: before.ended_at.filter(|_| !works),
        asked_again: if works { 0 } else { before.asked_again },
        check_at: if watched {
            // An ended one had none.
            Some(before.check_at.map_or_else(|| first_check(&before.connection, now), |due| following_check(due, now)))
        } else if works {
            notice::came_during(item)
        } else {
            Some(now.plus(CHECK_EVERY))
        },
        not_before: if watched { Some(now.plus(REST_AFTER_CHECK)) } else { before.not_before },
        // What a dead grant may have kept would have been found before the check.
        attempts: if watched { Vec::new() } else { before.attempts.clone() },
        refused_at: before.refused_at.filter(|_| !works),
        refusals: if works { 0 } else { before.refusals },
        failures: 0,
        // Where there is a refresh, that is what is wanted.
        wanted: before.wanted.filter(|_| !watched),
        last_error: before.last_error.clone().filter(|_| !works),
        ..before
    };
    let answered = works && notice::came_during(item).is_none();
    let mut verified = verified.with_listed(checked.listed, now);
    verified.deauthorized_at = verified.deauthorized_at.filter(|_| !answered);
    Ok(verified)
}

/// The reminder whose time has come counts as sent, and with it those before it that were missed. After the end all do, and
/// nobody is told.
///
/// # Errors
/// [`ClaimLost`] if another attempt holds the claim.
pub fn remind(item: &Connection, attempt: AttemptId, now: Timestamp) -> Result<Connection, ClaimLost> {
    let item = let_go(item, attempt, Spent::No, now)?;
    let reached = reached(&item.connection, item.reminded_end(), now);
    Ok(Connection { reminded: reached.or(item.reminded), ..item })
}

/// Why a token that a check was refused with does not work, given what the marketplace made of it: one that has come
/// to its end was not replaced.
pub fn reason(item: &Connection, said: Reason, now: Timestamp) -> Reason {
    if said == Reason::Replaced && item.is_at_end(now) { Reason::AuthorizationExpired } else { said }
}

#[cfg(test)]
mod tests;
