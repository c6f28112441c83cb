//! Keep: into the vault under the attempt's id, before anything else. What an exchange gave exists nowhere else.

use std::time::Duration;

use crate::{
    clock::ClaimTimer,
    names::{AttemptId, ConnectionKey, VersionId},
    secret::Secret,
    token_set::TokenSet,
    vault::{Create, Vault, VaultError},
};

/// The first wait between two tries; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// What one put may take.
const ONE_TRY: Duration = Duration::from_secs(4);

/// Keeps a token set: serialized once, so that a repeated put is the same put; tried until the claim's three quarters.
pub(super) async fn keep(
    vault: &impl Vault,
    connection: &ConnectionKey,
    attempt: AttemptId,
    set: &TokenSet,
    create: Create,
    timer: &ClaimTimer,
) -> Result<VersionId, VaultError> {
    let text = Secret::new(serde_json::to_string(set).map_err(|_| VaultError::Unreadable)?);
    let mut wait = FIRST_WAIT;
    loop {
        // One whole try in any case: what the exchange gave exists nowhere else, and a late put is found by look back.
        let patience = timer.left().max(ONE_TRY);
        let error = match tokio::time::timeout(patience, vault.put(connection, attempt, &text, create)).await {
            Err(_) => VaultError::Unavailable { operation: "put", code: "no answer in time".into() },
            Ok(Err(error @ VaultError::Unavailable { .. })) => error,
            Ok(kept_or_final) => return kept_or_final,
        };
        if timer.left() < wait {
            return Err(error);
        }
        tracing::warn!(%connection, %attempt, %error, "keep failed; trying again");
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}
