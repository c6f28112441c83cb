//! The audit: a line in the log for each token that leaves, and for each change of a token or a status. Every line has
//! the field `audit`; together they tell who had which token, and why it changed. Nothing else in the log tells of a
//! token.

use crate::{
    connect_session::ConnectSession,
    connection::{
        Connection, Reason, Status,
        change::{Cause, Change},
    },
    metrics,
    names::AccountId,
    vault::Source,
};

/// Where these lines say that they come from: logged at every `LOG_LEVEL`, with the spans around them.
pub const TARGET: &str = "shop_keyring::audit";

/// The token or the status of a connection has changed. Not `written`: the table has not answered, so it may have changed.
pub(crate) fn changed(before: Option<&Connection>, after: &Connection, change: &Change, written: bool) {
    let reason = match after.status {
        Status::ReauthorizationRequired { reason } => Some(reason),
        _ => None,
    };
    if let Some(reason) = reason.filter(|_| before.is_none_or(|before| before.status != after.status)) {
        metrics::reauthorization_required(after.connection.app.marketplace, reason);
    }
    tracing::info!(
        target: TARGET,
        audit = "changed",
        connection = %after.connection,
        cause = change.cause.as_str(),
        attempt = change.attempt.map(tracing::field::display),
        status = after.status.as_str(),
        written,
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
        target: TARGET,
        audit = "removed",
        connection = %item.connection,
        cause = Cause::Unconfirmed.as_str(),
        attempt = item.attempt.map(|claim| tracing::field::display(claim.id)),
        status_before = item.status.as_str(),
        version_before = item.token_version,
        "a connection that was never confirmed is gone"
    );
}

/// The secret of a connection that was ended is deleted, up to its recovery window.
pub(crate) fn secret_deleted(item: &Connection) {
    tracing::info!(
        target: TARGET,
        audit = "secret_deleted",
        connection = %item.connection,
        attempt = item.attempt.map(|claim| tracing::field::display(claim.id)),
        version = item.token_version,
        "the secret of a connection that was ended is deleted"
    );
}

/// A connection was given to an account, or taken from one.
pub fn assigned(item: &Connection, account_id_before: Option<&AccountId>) {
    tracing::info!(
        target: TARGET,
        audit = "assigned",
        connection = %item.connection,
        account_id = item.account_id.as_ref().map(AccountId::as_str),
        account_id_before = account_id_before.map(AccountId::as_str),
        "the account of a connection has changed"
    );
}

/// Label changed or removed. It may name a person, so it is not logged.
pub fn labelled(item: &Connection) {
    tracing::info!(
        target: TARGET,
        audit = "labelled",
        connection = %item.connection,
        "the label of a connection has changed"
    );
}

/// A connect session was opened: whoever has its link can connect a shop to this account.
pub fn session_opened(session: &ConnectSession) {
    tracing::info!(
        target: TARGET,
        audit = "session_opened",
        session_id = session.id,
        account_id = session.account_id.as_str(),
        confirm = session.confirm,
        reconnect = session.reconnect.as_ref().map(|reconnect| tracing::field::display(&reconnect.connection)),
        "a connect session was opened"
    );
}

/// A caller, by ARN and address, has got a token.
pub fn token_read(item: &Connection, caller: &str, source_ip: &str, source: Source) {
    tracing::info!(
        target: TARGET,
        audit = "token_read",
        connection = %item.connection,
        version = item.token_version,
        caller,
        source_ip,
        from_cache = source == Source::Memory,
        "token read"
    );
}
