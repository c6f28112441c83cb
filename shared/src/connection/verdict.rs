//! Whether a refusal ends a connection. Pure.
//!
//! A marketplace can refuse by mistake: one connection for minutes, or everybody for hours. A connection that is ended wrongly
//! costs a seller's work, one that is ended late costs hours in which nothing worked anyway. So a first refusal never
//! ends a connection, except at the known end of its authorization, and a further one only if something confirms it: three
//! hours in which another connection of the app was accepted, a day, or the marketplace's own notification that the seller
//! took the authorization back. Nobody is ended while many are refused ([`Evidence::is_mass_refusal`]), for seven days.
//! A connection that ends wrongly in spite of this is found again: [`super::ended`].

use super::{
    Connection, Reason,
    claim::Trigger,
    ended::has_ended,
    evidence::{Call, Evidence},
};
use crate::{names::AttemptId, time::Timestamp};

/// Shortest wait between a refusal and the second look, in seconds. Longer than any exchange can still be under way
/// (see [`CLAIM_SECONDS`](super::claim::CLAIM_SECONDS)), so the two refusals cannot stem from one race.
pub const SECOND_LOOK_AFTER: i64 = 15 * 60;

/// Seconds since the first refusal after which another connection's acceptance confirms it. In a marketplace's bad hours some
/// calls are accepted and some refused, so that alone proves nothing: `make torture ARGS="--only verdicts"`.
const CONFIRMED_AFTER: i64 = 3 * 3_600;

/// Seconds since the first refusal after which a further one is believed without other evidence.
const BELIEVED_AFTER: i64 = 86_400;

/// Seconds since the first refusal after which a further one is believed although many are refused: by then every access
/// token has expired.
const BELIEVED_IN_ANY_CASE_AFTER: i64 = 7 * 86_400;

/// Longest wait between two looks at a refused connection, in seconds.
const LONGEST_WAIT: i64 = 6 * 3_600;

/// A call that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// What was asked.
    pub call: Call,
    /// Who caused the call.
    pub trigger: Trigger,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The authorization has ended at its known end. Nothing else was to be expected.
    Expired,
    /// The authorization has ended before.
    Ended,
    /// It may be a mistake: the marketplace is asked again.
    Doubted,
}

/// Whether a refusal can end `item` at all, given its evidence.
pub fn may_end(item: &Connection, asked: Asked, now: Timestamp) -> bool {
    let can_tell = asked.trigger.is_schedule() && asked.call.is_decisive(item);
    can_tell && !has_ended(item) && (item.refused_at.is_some() || item.is_at_end(now))
}

/// What a refusal means for `item`, which holds the claim `attempt`. `evidence` is that of its lane; without it, as if many
/// were refused.
pub fn verdict(
    item: &Connection,
    attempt: AttemptId,
    reason: Reason,
    asked: Asked,
    evidence: Option<&Evidence>,
    now: Timestamp,
) -> Verdict {
    if !may_end(item, asked, now) {
        return Verdict::Doubted;
    }
    let is_mass_refusal = evidence.is_none_or(|evidence| evidence.is_mass_refusal(now));
    // An earlier exchange may have obtained another token set that is not visible yet.
    let is_settled = item.attempts.iter().all(|earlier| *earlier == attempt);
    if item.is_at_end(now) && is_settled && !is_mass_refusal && reason != Reason::PermissionsMissing {
        return Verdict::Expired;
    }
    let Some(refused_at) = item.refused_at else { return Verdict::Doubted };
    let since = now.since(refused_at);
    let is_confirmed = item.deauthorized_at.is_some()
        || since >= BELIEVED_AFTER
        || since >= CONFIRMED_AFTER
            && evidence.is_some_and(|evidence| evidence.has_accepted_another(&item.connection, refused_at));
    let is_believed = since >= SECOND_LOOK_AFTER && !is_mass_refusal && is_confirmed;
    if is_believed || (since >= BELIEVED_IN_ANY_CASE_AFTER && is_settled) { Verdict::Ended } else { Verdict::Doubted }
}

/// Seconds until the next look at a connection that has been refused `refusals` times: a quarter of an hour after the first,
/// 15 to 60 minutes after the second, then growing to six hours, so that a lane that was refused at once does not come back
/// at once.
pub fn next_look(refusals: u32, random: &mut impl rand::RngExt) -> i64 {
    match refusals {
        0 | 1 => SECOND_LOOK_AFTER,
        later => {
            let longest = (3_600_i64 << (later - 2).min(3)).min(LONGEST_WAIT);
            random.random_range(longest / 4..=longest)
        }
    }
}

#[cfg(test)]
mod tests;
