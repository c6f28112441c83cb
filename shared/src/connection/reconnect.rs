//! A session for one connection alone: what a grant that comes by it may change.
//!
//! Who authorizes becomes known only by the exchange, which may have ended the tokens of whoever it turns out to be. So
//! what a known seller gave is stored where it belongs, whether or not that is what the session was opened for:
//! `docs/adr/0017-reconnect-one-connection.md`.

use super::{
    Connection, Status,
    grant::{Grant, GrantClaimed, GrantRefused, Relation, account, claim_any},
};
use crate::{
    names::{AttemptId, ConnectionKey},
    time::Timestamp,
};

/// Takes the claim for a grant by a session that is for the connection `wanted` alone. Nothing becomes a new connection,
/// none changes its account, and of other connections only those that stand are renewed.
pub(super) fn claim(
    wanted: &ConnectionKey,
    existing: Option<&Connection>,
    grant: &Grant,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<GrantClaimed, GrantRefused> {
    if grant.connection != *wanted {
        // One that waits for its confirmation is nobody's yet: a new grant would take the confirmation from it.
        let known =
            existing.filter(|item| matches!(item.status, Status::Active | Status::ReauthorizationRequired { .. }));
        let claimed = known.and_then(|item| claim_any(Some(item), grant, attempt, now).ok());
        let renewed = claimed.map(|claimed| GrantClaimed { refused: Some(GrantRefused::OtherSeller), ..claimed });
        return renewed.ok_or(GrantRefused::OtherSeller);
    }
    let existing = existing.ok_or(GrantRefused::NothingToReconnect)?;
    if Relation::of(existing, grant) == Relation::Free && existing.account_id != account(grant) {
        return Err(GrantRefused::AccountConflict);
    }
    claim_any(Some(existing), grant, attempt, now)
}

#[cfg(test)]
mod tests;
