//! Keep: into the vault under the attempt's id, before anything else. What an exchange gave exists nowhere else.

use std::time::Duration;

use super::{Protocol, health::Turns};
use crate::{
    clock::ClaimTimer,
    health::Breaker,
    marketplace::Marketplace,
    names::{AttemptId, ConnectionKey, VersionId},
    secret::Secret,
    token_set::TokenSet,
    vault::{Create, Vault, VaultError},
};

/// The first wait between two tries; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// What one put may take.
const ONE_TRY: Duration = Duration::from_secs(4);

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// Keeps a token set: serialized once, so that a repeated put is the same put; tried until the claim's three quarters.
    /// The first try that fails opens the vault's breaker, so that nobody else spends a token meanwhile.
    pub(super) async fn keep(
        &self,
        connection: &ConnectionKey,
        attempt: AttemptId,
        set: &TokenSet,
        create: Create,
        timer: &ClaimTimer,
        turns: &mut Turns,
    ) -> Result<VersionId, VaultError> {
        let text = Secret::new(serde_json::to_string(set).map_err(|_| VaultError::Unreadable)?);
        let mut wait = FIRST_WAIT;
        let mut has_failed = false;
        loop {
            // One whole try in any case: what the exchange gave exists nowhere else, and a late put is found by look back.
            let patience = timer.left().max(ONE_TRY);
            let put = self.vault.put(connection, attempt, &text, create);
            let error = match tokio::time::timeout(patience, put).await {
                Err(_) => VaultError::Unavailable { operation: "put", code: "no answer in time".into() },
                Ok(Err(error @ VaultError::Unavailable { .. })) => error,
                Ok(Err(error)) => return Err(error),
                Ok(Ok(version)) => {
                    self.health.closes(&self.connections, &Breaker::Vault, turns).await;
                    return Ok(version);
                }
            };
            if !has_failed {
                has_failed = true;
                self.health.fails(&self.connections, &Breaker::Vault, &connection.to_string(), turns).await;
            }
            if timer.left() < wait {
                return Err(error);
            }
            tracing::warn!(%connection, %attempt, %error, "keep failed; trying again");
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }
}
