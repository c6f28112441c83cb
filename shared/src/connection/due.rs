//! When there is something to do with a connection, and where it stands in the indexes `due` and `chores`.
//!
//! Two indexes, because work that asks a marketplace can be stopped, and nothing else must wait behind it:
//! `docs/adr/0029-lanes-and-chores.md`.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{
    Connection, Status, ended::ask_again_at, notice::CLOCKS_APART, wanted::wanted_at, watch::remind_at,
    webhooks::register_at,
};
use crate::{
    names::{AppKeyPath, ConnectionKey},
    time::Timestamp,
};

/// Partitions of the indexes `listing` and `attention`. Changing it requires every item to be written again.
pub const SHARDS: u8 = 16;

/// Partitions of each lane in the index `due`, and of the index `chores`. Changing it requires every item to be written again.
pub const PARTS: u8 = 4;

/// A kind of work that the schedule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// Work that asks the marketplace: refreshes, checks, and the registration of webhooks.
    Marketplace,
    /// Work that needs no marketplace: looking back at a claim that ran out, events, reminders, removals and deletions.
    Chore,
}

impl Work {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Marketplace, Self::Chore];

    /// When the next work of this kind is to be done, or `None` for an item without any.
    ///
    /// The store writes both times to their indexes with every change, so item and index cannot disagree.
    pub fn due_at(self, item: &Connection) -> Option<Timestamp> {
        match self {
            Self::Marketplace => asks_at(item),
            Self::Chore => chore_at(item),
        }
    }
}

/// A queue of due connections that is worked on independently of all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Work that asks the marketplace of this app.
    App(AppKeyPath),
    /// The chores of all apps.
    Chores,
}

impl Lane {
    /// The kind of work in this lane.
    pub const fn work(&self) -> Work {
        match self {
            Self::App(_) => Work::Marketplace,
            Self::Chores => Work::Chore,
        }
    }

    /// The partition key of part `0..`[`PARTS`] in this lane's index.
    pub fn partition_key(&self, part: u8) -> String {
        format!("{self}#{part}")
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App(app) => app.fmt(f),
            Self::Chores => f.write_str("chores"),
        }
    }
}

/// A refresh falls between these shares of the access token's life. Late enough that a seven-day token is not
/// exchanged daily, early enough that almost two days of outage pass before a token dies.
const EARLIEST: f64 = 0.60;
const LATEST: f64 = 0.75;

/// The first refresh of a grant may fall this much earlier. A fleet that connected within one hour would else come due
/// within 15 % of a life while a whole life's work is 60 to 75 %: 4.5 times the steady rate. From 45 % on it is 2.3 times.
/// Later refreshes need no more than their usual range: what has come apart stays apart.
const EARLIEST_FIRST: f64 = 0.45;

/// Which partition of the indexes `listing` and `attention` this connection lies in: `0..SHARDS`.
pub fn shard(key: &ConnectionKey) -> u8 {
    hash(key)[0] % SHARDS
}

/// Which part of its lane, and of the chores, this connection lies in: `0..PARTS`.
pub fn part(key: &ConnectionKey) -> u8 {
    hash(key)[0] % PARTS
}

/// When the next thing is to be done, of either kind, or `None` for an item without a future.
pub fn due_at(item: &Connection) -> Option<Timestamp> {
    Work::ALL.into_iter().filter_map(|work| work.due_at(item)).min()
}

/// When the marketplace is to be asked. Not while a claim is held, nor before somebody has looked back at one that ran
/// out: both are chores.
fn asks_at(item: &Connection) -> Option<Timestamp> {
    if item.attempt.is_some() {
        return None;
    }
    match item.status {
        Status::Active => [refresh_at(item), check_at(item), register_at(item)].into_iter().flatten().min(),
        Status::ReauthorizationRequired { .. } => ask_again_at(item),
        Status::Pending | Status::Disconnected => None,
    }
}

/// When there is something to do that asks no marketplace: the end of a claim comes before all else.
fn chore_at(item: &Connection) -> Option<Timestamp> {
    if let Some(claim) = item.attempt {
        return Some(claim.until);
    }
    let chore = match item.status {
        Status::Pending => Some(leaves_at(item)),
        Status::Active => remind_at(item),
        Status::ReauthorizationRequired { .. } => None,
        Status::Disconnected => item.not_before,
    };
    [chore, publish_at(item)].into_iter().flatten().min()
}

/// When its events are to be published: at once, after a failed try not before `publish_at`.
pub(super) fn publish_at(item: &Connection) -> Option<Timestamp> {
    let oldest = item.events.first()?.at;
    Some(item.publish_at.map_or(oldest, |publish_at| publish_at.max(oldest)))
}

/// When a pending connection is to be settled: at once if nothing was ever committed, at the end of its hour if nobody
/// has confirmed it; after a failed try not before `not_before`.
pub(super) fn leaves_at(item: &Connection) -> Timestamp {
    let by = item.confirm_by.filter(|_| item.secret_version.is_some()).unwrap_or(item.updated_at);
    if item.last_error.is_some() { by.max(item.not_before.unwrap_or(by)) } else { by }
}

/// When the marketplace is to be asked because the known end of the authorization has come, after a failed try not before
/// `not_before`. The seller may have renewed it where nobody has told us, so it is the marketplace that says whether it is
/// over; by its own clock it must be.
fn end_at(item: &Connection) -> Option<Timestamp> {
    after_end(item, item.authorization_expires_at)
}

fn after_end(item: &Connection, end: Option<Timestamp>) -> Option<Timestamp> {
    let at = end?.plus(CLOCKS_APART);
    Some(item.not_before.map_or(at, |not_before| at.max(not_before)))
}

/// Whether it has events to be published now, whatever else there is to do.
pub fn has_due_events(item: &Connection, now: Timestamp) -> bool {
    publish_at(item).is_some_and(|at| at <= now)
}

/// When the access token is to be refreshed: a point between 60 and 75 % of its life, for the first one of a grant
/// between 45 and 75 %, at the end of the authorization, and at once if a caller wants it; never before `not_before`.
///
/// The point is the connection's own, so a fleet that connected within one hour spreads over two days in its first
/// cycle and further with each one.
///
/// A connection in doubt is not left to that point: the marketplace is asked again as soon as that may be. `None` where the
/// marketplace knows no refresh.
pub(super) fn refresh_at(item: &Connection) -> Option<Timestamp> {
    if !item.has_refresh() {
        return None;
    }
    if item.refusals > 0 && item.not_before.is_some() {
        return item.not_before;
    }
    [refresh_point(item), end_at(item), wanted_at(item)].into_iter().flatten().min()
}

fn refresh_point(item: &Connection) -> Option<Timestamp> {
    let refreshed_at = item.refreshed_at?;
    let life = item.access_life()?.max(0);
    let is_first = item.authorized_at.is_some_and(|at| refreshed_at <= at);
    let earliest = if is_first { EARLIEST_FIRST } else { EARLIEST };
    let share = earliest + (LATEST - earliest) * own_fraction(&item.connection);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "lives are far below 2^52 seconds"
    )]
    let point = refreshed_at.plus((life as f64 * share) as i64);
    Some(item.not_before.map_or(point, |not_before| point.max(not_before)))
}

/// When to ask the marketplace whether the token still works: at the check's own time, and where nothing is refreshed also at
/// the end of the authorization and of the token, and at once if a caller wants it.
///
/// After a failed try, and where checks are the schedule's own, never before `not_before`; a connection in doubt is looked at
/// a second time as soon as possible. A check that a notification has made due does not wait for the rest after a commit,
/// because a check spends nothing.
pub fn check_at(item: &Connection) -> Option<Timestamp> {
    let watched = !item.has_refresh();
    if watched && item.refusals > 0 && item.not_before.is_some() {
        return item.not_before;
    }
    let waits = watched || item.last_error.is_some();
    let not_before = item.not_before.filter(|_| waits);
    let check_at = item.check_at.map(|check_at| not_before.map_or(check_at, |not_before| check_at.max(not_before)));
    // The end of a token may be stated where that of the authorization is unclear.
    let of_watched = [end_at(item), after_end(item, item.access_expires_at), wanted_at(item)];
    [check_at, of_watched.into_iter().flatten().min().filter(|_| watched)].into_iter().flatten().min()
}

/// A number in `0.0..1.0` that is the connection's own.
pub(super) fn own_fraction(key: &ConnectionKey) -> f64 {
    let hash = hash(key);
    f64::from(u32::from_be_bytes([hash[1], hash[2], hash[3], hash[4]])) / (f64::from(u32::MAX) + 1.0)
}

fn hash(key: &ConnectionKey) -> [u8; 32] {
    Sha256::digest(key.to_string().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::connection::{
        Reason,
        fixtures::{T0, active, key},
    };

    proptest! {
        #[test]
        fn a_refresh_is_due_between_60_and_75_percent_the_first_from_45_and_never_after_expiry(
            seller in "[a-zA-Z0-9_-]{1,40}", life in 60_i64..400 * 86_400, authorized_before in 0_i64..400 * 86_400,
        ) {
            let mut item = active();
            item.connection = key(&seller);
            item.access_expires_at = Some(T0.plus(life));
            item.authorization_expires_at = None;
            item.authorized_at = Some(T0.plus(-authorized_before));
            let waited = due_at(&item).unwrap().since(T0);
            let earliest = if authorized_before == 0 { 45 } else { 60 };
            prop_assert!(waited * 100 >= life * earliest - 100 && waited * 100 <= life * 75);
            prop_assert!(waited < life);
        }

        #[test]
        fn never_before_the_back_off_is_over(wait in 0_i64..86_400 * 30) {
            let mut item = active();
            item.not_before = Some(T0.plus(wait));
            item.authorization_expires_at = None;
            prop_assert!(due_at(&item).unwrap() >= T0.plus(wait));
        }

        #[test]
        fn the_end_of_the_authorization_is_never_missed(end in 1_i64..86_400 * 400, wait in 0_i64..86_400) {
            let mut item = active();
            item.not_before = Some(T0.plus(wait));
            (item.authorization_expires_at, item.reminded) = (Some(T0.plus(end)), Some(1));
            prop_assert!(due_at(&item).unwrap() <= T0.plus((end + CLOCKS_APART).max(wait)));
        }
    }

    #[test]
    fn a_fleet_that_connected_at_once_spreads_over_time_and_shards() {
        let mut hours = [0_u32; 51];
        let mut shards = [0_u32; SHARDS as usize];
        let mut parts = [0_u32; PARTS as usize];
        for n in 0..10_000 {
            let mut item = active();
            item.connection = key(&format!("seller-{n}"));
            item.access_expires_at = Some(T0.plus(7 * 86_400));
            let hour = (due_at(&item).unwrap().since(T0) - 7 * 86_400 * 45 / 100) / 3_600;
            hours[usize::try_from(hour).unwrap()] += 1;
            shards[usize::from(shard(&item.connection))] += 1;
            parts[usize::from(part(&item.connection))] += 1;
        }
        // 50.4 hours between 45 and 75 % of seven days: about 198 an hour.
        assert!(hours[..50].iter().all(|&n| (140..260).contains(&n)), "{hours:?}");
        assert!(shards.iter().all(|&n| (500..750).contains(&n)), "{shards:?}");
        assert!(parts.iter().all(|&n| (2_300..2_700).contains(&n)), "{parts:?}");
    }

    #[test]
    fn an_item_without_a_future_is_not_due() {
        let mut item = active();
        item.status = Status::ReauthorizationRequired { reason: Reason::Refused };
        assert_eq!(due_at(&item), None);
    }
}
