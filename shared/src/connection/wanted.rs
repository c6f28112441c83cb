//! A refresh on demand that could not be done at once: the item says that it is wanted, and the schedule takes it. Pure.
//!
//! It concerns one version of the token set. It brings the work forward and changes no other rule: it waits for backoff and
//! cooldown like a caller, and a connection in doubt is left to the schedule's own second look.

use serde::{Deserialize, Serialize};

use super::{Connection, Status, claim::may_refresh_on_demand};
use crate::{connection::claim::NotClaimed, time::Timestamp};

/// A caller's wish for another token set than this one, or for a check where there is no refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wanted {
    /// The `token_version` that will not do.
    pub version: u64,
    /// Since when.
    pub at: Timestamp,
}

/// Makes the connection due now, for a caller for whom this version of the token set will not do. One that is wanted already
/// is left as it is.
///
/// # Errors
/// [`NotClaimed`] says why that cannot help: as for the refresh on demand itself.
pub fn want(item: &Connection, rejected_version: u64, now: Timestamp) -> Result<Connection, NotClaimed> {
    if item.held_at(now).is_some() {
        return Err(NotClaimed::Held);
    }
    may_refresh_on_demand(item, rejected_version, now)?;
    if item.is_wanted() {
        return Ok(item.clone());
    }
    Ok(Connection { wanted: Some(Wanted { version: rejected_version, at: now }), updated_at: now, ..item.clone() })
}

impl Connection {
    /// Whether a caller waits for the schedule to replace the current token set, or to check it.
    pub fn is_wanted(&self) -> bool {
        wanted_at(self).is_some()
    }
}

/// When the wanted refresh or check is due; never before `not_before`.
pub(super) fn wanted_at(item: &Connection) -> Option<Timestamp> {
    let applies = item.status == Status::Active && item.refusals == 0;
    let wanted = item.wanted.filter(|wanted| applies && wanted.version == item.token_version)?;
    Some(item.not_before.map_or(wanted.at, |not_before| wanted.at.max(not_before)))
}

#[cfg(test)]
mod tests;
