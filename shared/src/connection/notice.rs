//! What a marketplace says of a connection by itself: a notice. It is a hint, not a proof: what it makes due, the
//! schedule asks the marketplace about.

use super::{Connection, Status, watch};
use crate::{
    names::{SellerId, ShopId},
    time::Timestamp,
};

/// How far the marketplace's clock and the table's may lie apart, in seconds.
pub(super) const CLOCKS_APART: i64 = 5 * 60;

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The seller took the authorization away, of one shop or of all.
    Deauthorized,
    /// The authorization ends soon.
    EndsSoon {
        /// When.
        ends_at: Timestamp,
    },
}

/// Whom a notice names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A shop.
    Shop(ShopId),
    /// A seller.
    Seller(SellerId),
}

/// Why a notice changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NothingNew {
    /// The connection is not one that works.
    #[error("the connection is not active")]
    NotActive,
    /// It is about an authorization before the present one.
    #[error("the seller has authorized anew since")]
    Late,
    /// What it says is known.
    #[error("it is known already")]
    Known,
}

/// Takes note of a notice that the marketplace sent at `sent_at` by its own clock.
///
/// A check that was not needed does no harm, so a deauthorization counts unless it is certainly older than the present
/// authorization. An announced end leads to reminders only; it counts if it is certainly not older, and is announced again
/// each day.
///
/// # Errors
/// [`NothingNew`] says why there is nothing to write.
pub fn take_note(
    item: &Connection,
    notice: Notice,
    sent_at: Timestamp,
    now: Timestamp,
) -> Result<Connection, NothingNew> {
    if item.status != Status::Active {
        return Err(NothingNew::NotActive);
    }
    let mut item = item.clone();
    match notice {
        Notice::Deauthorized => {
            if sent_at.plus(CLOCKS_APART) < item.granted_at {
                return Err(NothingNew::Late);
            }
            let at = earliest(&item).map_or(now, |earliest| now.max(earliest));
            // One that is due already serves, unless the work that it led to has begun.
            if item.check_at.is_some_and(|check_at| check_at <= at && earliest(&item).is_none_or(|it| it <= check_at)) {
                return Err(NothingNew::Known);
            }
            item.check_at = Some(at);
            item.deauthorized_at = Some(now);
        }
        Notice::EndsSoon { ends_at } => {
            if sent_at <= item.granted_at || ends_at <= now {
                return Err(NothingNew::Late);
            }
            // Only one that comes before the end that a response states says anything.
            let announced_end =
                Some(ends_at).filter(|ends_at| item.authorization_expires_at.is_none_or(|end| *ends_at < end));
            if announced_end == item.announced_end {
                return Err(NothingNew::Known);
            }
            let reminded_end = earlier(item.authorization_expires_at, announced_end);
            item.reminded = watch::reminded_by(&item, reminded_end, now);
            item.announced_end = announced_end;
        }
    }
    item.updated_at = now;
    Ok(item)
}

/// The check that a notice has made due while the work was going on: its outcome says nothing of it. What was due before
/// the work began has its answer.
pub(super) fn came_during(item: &Connection) -> Option<Timestamp> {
    item.check_at.filter(|check_at| earliest(item).is_some_and(|earliest| earliest <= *check_at))
}

/// The deauthorization that a notification told of while the work was going on: a success of that work does not answer it.
pub(super) fn deauthorized_during(item: &Connection) -> Option<Timestamp> {
    item.deauthorized_at.filter(|at| item.attempt.is_some_and(|claim| claim.begun() <= *at))
}

/// From when on a check is due that is asked for now: after the work going on, so that the two can be told apart.
fn earliest(item: &Connection) -> Option<Timestamp> {
    item.attempt.map(|claim| claim.begun().plus(1))
}

/// The earlier of two ends, as far as they are known.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

#[cfg(test)]
mod tests;
