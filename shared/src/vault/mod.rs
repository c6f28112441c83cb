//! The vault: where token sets lie. One secret a connection, one version a token set; versions never change.

mod cache;
mod permits;
mod secrets_manager;

use std::{future::Future, time::Duration};

pub use cache::{CachedVault, Source};
pub use permits::PutPermits;
pub use secrets_manager::SecretsManagerVault;

use crate::{
    names::{AttemptId, ConnectionKey, VersionId},
    secret::Secret,
    token_set::TokenSet,
};

/// What the protocol needs of a vault, kept narrow so that a second kind is little work.
pub trait Vault: Send + Sync {
    /// The token set kept under this version; `None` if there is none, or none that can be seen yet.
    fn get(
        &self,
        connection: &ConnectionKey,
        version: &VersionId,
    ) -> impl Future<Output = Result<Option<TokenSet>, VaultError>> + Send;

    /// The token set that was put last, with its version; `None` as in [`Vault::get`].
    fn newest(
        &self,
        connection: &ConnectionKey,
    ) -> impl Future<Output = Result<Option<(VersionId, TokenSet)>, VaultError>> + Send;

    /// Keeps a serialized token set under the attempt's id and answers the version that it can be read by.
    /// Idempotent: the same attempt with the same text is one version. Only a new grant may create or restore.
    fn put(
        &self,
        connection: &ConnectionKey,
        attempt: AttemptId,
        text: &Secret,
        create: Create,
    ) -> impl Future<Output = Result<VersionId, VaultError>> + Send;

    /// Deletes the connection's secret, with a recovery window. Deleting what is not there is a success.
    fn delete(&self, connection: &ConnectionKey) -> impl Future<Output = Result<(), VaultError>> + Send;

    /// Takes a deletion back.
    fn restore(&self, connection: &ConnectionKey) -> impl Future<Output = Result<(), VaultError>> + Send;
}

/// Whether a put may bring a secret into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// A new grant: create the secret, or restore it from its recovery window.
    Allowed,
    /// A refresh: a secret that is missing or deleted means stop.
    Never,
}

/// Why the vault did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The secret is missing, or deleted and in its recovery window.
    #[error("the connection's secret is missing or deleted")]
    Gone,
    /// It did not answer, or refused for a reason that has nothing to do with this connection.
    #[error("the vault cannot {operation} ({code})")]
    Unavailable {
        /// What was asked of it.
        operation: &'static str,
        /// What it said.
        code: String,
    },
    /// What lies there is of a later authorization than the item knows of, and does not stem from the item's own.
    #[error(
        "the vault has the token set of a later authorization, given after this connection had ended: disconnect it, and \
         let the seller connect anew"
    )]
    AnotherAuthorization,
    /// What lies there is no token set.
    #[error("what the vault holds under this version is no token set")]
    Unreadable,
}

/// How often, and how long between, a committed version is asked for that cannot be seen yet.
const SEEN_AFTER: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(150), Duration::from_millis(400), Duration::from_secs(1)];

/// Reads a version that is known to have been committed. The vault's reads are eventually consistent, so one that is
/// not found is asked for again.
///
/// # Errors
/// Those of the vault; [`VaultError::Gone`] if it stays away.
pub async fn get_committed(
    vault: &impl Vault,
    connection: &ConnectionKey,
    version: &VersionId,
) -> Result<TokenSet, VaultError> {
    for wait in SEEN_AFTER {
        if let Some(set) = vault.get(connection, version).await? {
            return Ok(set);
        }
        tokio::time::sleep(wait).await;
    }
    vault.get(connection, version).await?.ok_or(VaultError::Gone)
}
