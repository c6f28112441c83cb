//! How a claim ends: with a commit, a failure, a refusal, or by letting go.
//!
//! Every outcome belongs to a claim, and is written only while the item still shows that claim.

use super::{
    Connection, Fault, LastError, Listed, Reason, Status,
    claim::CLAIM_SECONDS,
    end::KnownEnd,
    ended::{self, asked_by, has_ended},
    notice,
    verdict::Verdict,
    watch,
    webhooks::{self, Delivery, Webhooks},
};
use crate::{
    api::Api,
    names::{AttemptId, VersionId},
    time::Timestamp,
    token_set::{TokenSet, fingerprint},
};

/// Longest wait after a commit before the next exchange, in seconds, where there are exchanges: callers that reject a token one after another
/// cost one exchange. A quarter of the token's life if that is less.
const REST_AFTER_COMMIT: i64 = 15 * 60;

/// Longest back-off after a transient failure, in seconds.
const LONGEST_BACK_OFF: i64 = 30 * 60;

/// Somebody else holds the claim by now, or the item has moved on: what was decided is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the claim was lost to somebody else")]
pub struct ClaimLost;

/// What entitles to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Holding the claim.
    Claim(AttemptId),
    /// Being the latest grant, with nothing committed since its claim. A sweep that took the claim over meanwhile
    /// does not stand in its way: what it works on is older.
    Grant {
        /// This grant's `granted_at`.
        granted_at: Timestamp,
        /// The `token_version` that its claim saw.
        token_version: u64,
    },
}

/// A token set that lies in the vault: all that the item tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    version: VersionId,
    app_key: String,
    scopes: Vec<String>,
    access_expires_at: Timestamp,
    end: KnownEnd,
    granted_at: Timestamp,
    parent: Option<VersionId>,
    fingerprint: Option<String>,
    api: Option<Api>,
    delivery: Option<Delivery>,
}

impl Kept {
    /// The public part of a token set that is kept under this version.
    pub fn new(set: &TokenSet, version: VersionId) -> Self {
        Self {
            version,
            app_key: set.app_key.clone(),
            scopes: set.scopes.clone(),
            access_expires_at: set.access_expires_at,
            end: set.known_end(),
            granted_at: set.granted_at,
            parent: set.parent.clone(),
            fingerprint: fingerprint(&set.access_token, set.refresh_token.as_ref()),
            api: None,
            delivery: None,
        }
    }

    /// The same, of an app whose tokens are used there now. Without it, the item's addresses stay.
    #[must_use]
    pub fn used_at(self, api: &Api) -> Self {
        Self { api: Some(api.clone()), ..self }
    }

    /// The same, of an app whose webhooks are sent there. Without it, what is known of them stays.
    #[must_use]
    pub fn delivered(self, delivery: Option<Delivery>) -> Self {
        Self { delivery, ..self }
    }

    /// Whether this is what the current token set would have become: obtained from it, under the current grant or, where
    /// that one's own token set was never kept, under the one before.
    pub fn follows(&self, item: &Connection) -> bool {
        self.parent == item.secret_version && self.granted_at <= item.granted_at
    }

    /// Its version in the vault.
    pub fn version(&self) -> &VersionId {
        &self.version
    }
}

/// The kept token set becomes the current one. `listed`: the shops listed with it; `None` leaves those known.
///
/// # Errors
/// [`ClaimLost`] if the right is not there any more.
pub fn commit(
    item: &Connection,
    right: Right,
    kept: Kept,
    listed: Option<Listed>,
    now: Timestamp,
) -> Result<Connection, ClaimLost> {
    if !entitles(right, item) {
        return Err(ClaimLost);
    }
    let life = kept.access_expires_at.since(now);
    let rest = if life > 0 { REST_AFTER_COMMIT.min(life / 4) } else { REST_AFTER_COMMIT };
    let first_of_grant = item.authorized_at.is_none_or(|at| at < kept.granted_at);
    // It was announced for the grant before, or has been proved wrong.
    let announced_end = item.announced_end.filter(|announced| {
        kept.granted_at <= item.granted_at && now < *announced && kept.end.at.is_none_or(|end| *announced < end)
    });
    let reminded_end = notice::earlier(kept.end.at, announced_end);
    let watched = !item.has_refresh();
    // The marketplace was asked about it when it was given; who finds it later in the vault asks nobody.
    let verified_at = if matches!(right, Right::Claim(_)) { kept.granted_at } else { now };
    // A token set that a refresh has just obtained says more than a check. One that an earlier attempt had left says
    // nothing, and what was about the grant before a new one was forgotten by the new one's claim.
    let refreshed = matches!(right, Right::Claim(attempt) if kept.version == attempt.version());
    let check_at = match item.check_at {
        _ if watched => Some(watch::first_check(&item.connection, verified_at)),
        _ if refreshed => notice::came_during(item),
        check_at => check_at,
    };
    let committed = Connection {
        status: if item.confirm_by.is_some() { Status::Pending } else { Status::Active },
        token_version: item.token_version + 1,
        secret_version: Some(kept.version),
        app_key: kept.app_key,
        api: kept.api.unwrap_or_else(|| item.api.clone()),
        scopes: kept.scopes,
        access_expires_at: Some(kept.access_expires_at),
        authorization_expires_at: kept.end.at,
        end_unclear: kept.end.unclear,
        announced_end,
        granted_at: item.granted_at.max(kept.granted_at),
        // Whoever has just authorized is not reminded of what was past already.
        reminded: if first_of_grant {
            watch::reached(&item.connection, reminded_end, now)
        } else {
            watch::reminded_by(item, reminded_end, now)
        },
        check_at,
        verified_at: if watched { Some(verified_at) } else { item.verified_at },
        fingerprint: kept.fingerprint,
        authorized_at: if first_of_grant { Some(now.max(kept.granted_at)) } else { item.authorized_at },
        refreshed_at: Some(now),
        attempt: None,
        attempts: Vec::new(),
        // A check spends nothing, and a caller who rejects the token right away is right to have it asked about.
        not_before: if watched { None } else { Some(now.plus(rest)) },
        // What the marketplace said before it ended is not about the shops of now.
        deauthorized_at: item.deauthorized_at.filter(|_| !has_ended(item)),
        ended_at: None,
        asked_again: 0,
        refused_at: None,
        refusals: 0,
        failures: 0,
        last_error: None,
        wanted: None,
        updated_at: now,
        // A marketplace may drop them with the old authorization.
        webhooks: if first_of_grant || has_ended(item) { Webhooks::default() } else { item.webhooks.clone() },
        ..item.clone()
    };
    let mut committed = committed.with_listed(listed, now);
    committed.deauthorized_at = match committed.deauthorized_at {
        _ if watched => None,
        _ if refreshed => notice::deauthorized_during(item),
        deauthorized_at => deauthorized_at.filter(|_| check_at.is_some()),
    };
    Ok(match &kept.delivery {
        Some(delivery) => webhooks::plan(committed, delivery, now),
        None => committed,
    })
}

/// Whether the right is still there. A grant loses to a disconnect that came after its claim.
fn entitles(right: Right, item: &Connection) -> bool {
    match right {
        Right::Claim(attempt) => item.is_held_by(attempt),
        Right::Grant { granted_at, token_version } => {
            let latest = item.granted_at == granted_at && item.token_version == token_version;
            latest && item.status != Status::Disconnected
        }
    }
}

/// What became of the refresh token in an exchange that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// It was not: the attempt is settled.
    No,
    /// Nobody knows: the attempt is remembered.
    Unknown,
}

/// A failure that may pass: the next try after `wait` seconds ([`back_off`]).
///
/// # Errors
/// [`ClaimLost`] if another attempt holds the claim.
pub fn fail(
    item: &Connection,
    attempt: AttemptId,
    fault: Fault,
    spent: Spent,
    wait: i64,
    now: Timestamp,
) -> Result<Connection, ClaimLost> {
    let mut item = let_go(item, attempt, spent, now)?;
    if has_ended(&item) {
        item.not_before = Some(now.plus(wait.max(ended::WAIT)));
        return Ok(item);
    }
    item.failures = item.failures.saturating_add(1);
    item.not_before = Some(now.plus(wait));
    item.last_error = Some(LastError { at: now, fault });
    Ok(item)
}

/// What a marketplace refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What it said.
    pub fault: Fault,
    /// Why the authorization has ended, if it has.
    pub reason: Reason,
    /// What the seller grants now, where it was a permission that is missing.
    pub scopes: Option<Vec<String>>,
}

impl From<Fault> for Refused {
    /// A refusal of which no more is known.
    fn from(fault: Fault) -> Self {
        Self { fault, reason: Reason::Refused, scopes: None }
    }
}

/// A refusal. It ends the authorization, or makes the connection due again after `wait` seconds ([`verdict::next_look`]).
///
/// # Errors
/// [`ClaimLost`] if another attempt holds the claim.
pub fn refuse(
    item: &Connection,
    attempt: AttemptId,
    refused: Refused,
    verdict: Verdict,
    wait: i64,
    now: Timestamp,
) -> Result<Connection, ClaimLost> {
    let mut item = let_go(item, attempt, Spent::No, now)?;
    if has_ended(&item) {
        // It was asked again in vain. Why it has ended is still to be read.
        item.asked_again = asked_by(&item, now);
        item.not_before = None;
        return Ok(item);
    }
    let Refused { fault, reason, scopes } = refused;
    item.last_error = Some(LastError { at: now, fault });
    Ok(match verdict {
        Verdict::Expired => require_reauthorization(item, Reason::AuthorizationExpired, now),
        Verdict::Ended => {
            let reason = match reason {
                Reason::Refused if item.has_refresh() && !item.attempts.is_empty() => Reason::RotationLost,
                // The marketplace has said so itself, and nothing has spoken against it since.
                Reason::Refused if item.deauthorized_at.is_some() => Reason::Deauthorized,
                said => watch::reason(&item, said, now),
            };
            // Until here the old ones stay, so that the second look finds the same thing missing.
            item.scopes = scopes.unwrap_or(item.scopes);
            require_reauthorization(item, reason, now)
        }
        Verdict::Doubted => {
            let refused_at = item.refused_at.or(Some(now));
            let refusals = item.refusals.saturating_add(1);
            Connection { refused_at, refusals, not_before: Some(now.plus(wait)), ..item }
        }
    })
}

/// Something is wrong that is not this connection's fault: no refusal, no failure, and the next try after `wait` seconds.
/// Other connections come first in the meantime, in case this is the only one concerned.
///
/// # Errors
/// [`ClaimLost`] if another attempt holds the claim.
pub fn defer(
    item: &Connection,
    attempt: AttemptId,
    fault: Fault,
    wait: i64,
    now: Timestamp,
) -> Result<Connection, ClaimLost> {
    let mut item = let_go(item, attempt, Spent::No, now)?;
    if has_ended(&item) {
        item.not_before = Some(now.plus(wait.max(ended::WAIT)));
        return Ok(item);
    }
    // Those before count no more: what is said of it is that it was put off.
    item.failures = 0;
    item.last_error = Some(LastError { at: now, fault });
    item.not_before = Some(now.plus(wait));
    Ok(item)
}

/// Ends the claim without an outcome; attempts that were not settled stay remembered.
///
/// # Errors
/// [`ClaimLost`] if another attempt holds the claim.
pub fn let_go(item: &Connection, attempt: AttemptId, spent: Spent, now: Timestamp) -> Result<Connection, ClaimLost> {
    if !item.is_held_by(attempt) {
        return Err(ClaimLost);
    }
    let mut item = item.clone();
    item.attempt = None;
    if spent == Spent::No {
        item.attempts.retain(|id| *id != attempt);
    }
    item.updated_at = now;
    Ok(item)
}

fn require_reauthorization(item: Connection, reason: Reason, now: Timestamp) -> Connection {
    Connection {
        status: Status::ReauthorizationRequired { reason },
        ended_at: Some(now),
        asked_again: 0,
        no_shops_since: None,
        attempt: None,
        attempts: Vec::new(),
        not_before: None,
        check_at: None,
        wanted: None,
        ..item
    }
}

/// Seconds to wait after the given number of failures: a claim's time, so that nothing of the failed attempt is
/// still under way, and exponential with full jitter on top; never less than the marketplace asked for.
pub fn back_off(failures: u32, retry_after: Option<i64>, random: &mut impl rand::RngExt) -> i64 {
    let ceiling = (30_i64 << failures.min(6)).min(LONGEST_BACK_OFF - CLAIM_SECONDS);
    let wait = CLAIM_SECONDS + random.random_range(0..=ceiling);
    retry_after.map_or(wait, |asked| asked.min(86_400) + random.random_range(0..=30)).max(wait)
}
