//! A session for one connection that is there already: which ones a seller can come back to.

use shop_keyring::{
    connect_session::Reconnect,
    connection::{Connection, Status},
    names::{AccountId, ConnectionKey},
};

use crate::{apps, problem::Problem, router::Keyring};

/// What a session of this account for the connection `wanted` alone is opened with.
///
/// # Errors
/// If there is no such connection, or the seller cannot come back to it by this account.
pub(crate) async fn reconnect(
    keyring: &Keyring,
    wanted: &ConnectionKey,
    account: &AccountId,
) -> Result<Reconnect, Problem> {
    apps::app(&keyring.registry, &wanted.app).await?;
    let item = keyring.connections.get(wanted).await?.ok_or(Problem::NothingToReconnect)?;
    reconnectable(item, account)
}

/// Every connection of the account, except one that waits for its confirmation: a new authorization would take that from
/// it.
fn reconnectable(item: Connection, account: &AccountId) -> Result<Reconnect, Problem> {
    if item.account_id.as_ref() != Some(account) {
        return Err(Problem::AccountConflict);
    }
    match item.status {
        Status::Pending => Err(Problem::Pending),
        Status::Active | Status::ReauthorizationRequired { .. } | Status::Disconnected => {
            let seller_name = item.name().map(str::to_owned);
            Ok(Reconnect { connection: item.connection, seller_name, purpose: item.purpose })
        }
    }
}
