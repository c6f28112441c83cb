//! The audit: a line in the log for each token that leaves, and for each change of a token or a status. Every line has
//! the field `audit`; together they tell who had which token, and why it changed. Nothing else in the log tells of a
//! token.

use crate::{
    connection::{
        Connection, Reason, Status,
        change::{Cause, Change},
    },
    metrics,
    vault::Source,
};

/// The token or the status of a connection has changed: the change is written.
pub(crate) fn changed(before: Option<&Connection>, after: &Connection, change: &Change) {
    let reason = match after.status {
        Status::ReauthorizationRequired { reason } => Some(reason),
        _ => None,
    };
    if let Some(reason) = reason.filter(|_| before.is_none_or(|before| before.status != after.status)) {
        metrics::reauthorization_required(after.connection.app.marketplace, reason);
    }
    tracing::info!(
        audit = "changed",
        connection = %after.connection,
        cause = change.cause.as_str(),
        attempt = change.attempt.map(tracing::field::display),
        status = after.status.as_str(),
        status_before = before.map(|before| before.status.as_str()),
        reason = reason.map(Reason::as_str),
        version = after.token_version,
        version_before = before.map(|before| before.token_version),
        "a token or a status has changed"
    );
}

/// A connection that nobody confirmed is gone, and its secret deleted.
pub(crate) fn removed(item: &Connection) {
    tracing::info!(
        audit = "removed",
        connection = %item.connection,
        cause = Cause::Unconfirmed.as_str(),
        attempt = item.attempt.map(|claim| tracing::field::display(claim.id)),
        status_before = item.status.as_str(),
        version_before = item.token_version,
        "a connection that was never confirmed is gone"
    );
}

/// A caller, by ARN and address, has got a token.
pub fn token_read(item: &Connection, caller: &str, source_ip: &str, source: Source) {
    tracing::info!(
        audit = "token_read",
        connection = %item.connection,
        version = item.token_version,
        caller,
        source_ip,
        from_cache = source == Source::Memory,
        "token read"
    );
}
