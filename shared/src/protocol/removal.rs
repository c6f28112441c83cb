//! What is taken away: connections that nobody confirmed, and the secrets of those that the vendor has ended. The seller
//! may connect anew at any moment, so a deletion that came too late is taken back.

use super::{
    Protocol,
    outcome::Outcome,
    settling::{Held, local_fault},
};
use crate::{
    audit,
    connection::{Connection, Status, disconnect},
    marketplace::Marketplace,
    store::StoreError,
    vault::Vault,
};

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// Takes away what was never committed or never confirmed: the secret first, so that none stays behind unseen.
    pub(super) async fn remove(&self, held: &Held) -> Result<Outcome, StoreError> {
        let connection = &held.item.connection;
        let Some(current) = self.still_held(held).await? else { return Ok(Outcome::Lost) };
        if let Err(error) = self.vault.delete(connection).await {
            return self.defer(held, local_fault(&error), Outcome::DeletionFailed(error)).await;
        }
        if !current.events.is_empty() {
            let give_up = |item: &Connection| disconnect::give_up(item, held.attempt, self.connections.now());
            return self.deleted(held, self.settle(held, Outcome::Removed, give_up).await).await;
        }
        let removed = self.connections.remove(&current).await;
        if matches!(removed, Ok(true)) || matches!(self.connections.get(connection).await, Ok(None)) {
            audit::removed(&current);
            return Ok(Outcome::Removed);
        }
        // The item is somebody else's by now, or nobody knows: then the secret had better be there.
        if let Err(error) = self.vault.restore(connection).await {
            return Ok(Outcome::DeletionFailed(error));
        }
        removed.map(|_| Outcome::Lost)
    }

    /// Deletes the secret of a connection that the vendor has ended.
    pub(super) async fn delete_secret(&self, held: &Held) -> Result<Outcome, StoreError> {
        let connection = &held.item.connection;
        // With the token that is about to be deleted.
        self.remove_webhooks(&held.item).await;
        if self.still_held(held).await?.is_none() {
            return Ok(Outcome::Lost);
        }
        if let Err(error) = self.vault.delete(connection).await {
            return self.defer(held, local_fault(&error), Outcome::DeletionFailed(error)).await;
        }
        let forget = |item: &Connection| disconnect::forget(item, held.attempt, self.connections.now());
        let settled = self.settle(held, Outcome::SecretDeleted, forget).await;
        self.deleted(held, settled).await
    }

    /// A secret is deleted, and `settled` is what came of writing that down: if the seller has come back meanwhile, the
    /// deletion is taken back.
    async fn deleted(&self, held: &Held, settled: Result<Outcome, StoreError>) -> Result<Outcome, StoreError> {
        if matches!(settled, Ok(Outcome::SecretDeleted | Outcome::Removed)) {
            audit::secret_deleted(&held.item);
            return settled;
        }
        let connection = &held.item.connection;
        let current = self.connections.get(connection).await.inspect_err(|error| {
            let doubt = "a secret was deleted, and whether the seller has come back cannot be told: restore it if so";
            tracing::error!(alarm = "vault_fault", %connection, %error, "{doubt}");
        })?;
        if current.is_some_and(|item| item.status != Status::Disconnected)
            && let Err(error) = self.vault.restore(connection).await
        {
            return Ok(Outcome::DeletionFailed(error));
        }
        settled
    }

    /// The item read again, if the claim is still ours and has time left.
    async fn still_held(&self, held: &Held) -> Result<Option<Connection>, StoreError> {
        let current = self.connections.get(&held.item.connection).await?;
        Ok(current.filter(|item| item.is_held_by(held.attempt) && !held.timer.left().is_zero()))
    }
}
