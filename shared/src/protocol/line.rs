//! Which token set is the connection's: the one that its item names, or a later one of the same line. An item that was
//! restored from a backup is older than the vault: `docs/adr/0018-items-older-than-the-vault.md`.

use super::{Protocol, settling::Held};
use crate::{
    connection::settle::Kept,
    marketplace::Marketplace,
    names::{ConnectionKey, VersionId},
    token_set::TokenSet,
    vault::{Vault, VaultError, get_committed},
};

/// Token sets that are followed back at most: as many as Secrets Manager keeps.
const LONGEST_LINE: usize = 100;

/// What the vault has for an item.
pub(super) enum InVault {
    /// The token set that the item names, and none that stems from it.
    Current(TokenSet),
    /// One that stems from it.
    Later(Kept),
}

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// The token set that the item names as `version`, unless the newest in the vault stems from it. One that does not
    /// is nobody's, and passed over: of an attempt that was too late, or of a connection that had ended.
    pub(super) async fn in_vault(&self, held: &Held, version: &VersionId) -> Result<InVault, VaultError> {
        let connection = &held.item.connection;
        match self.vault.newest(connection).await {
            Ok(Some((newest, set))) if newest == *version => return Ok(InVault::Current(set)),
            Ok(Some((newest, set))) if self.stems_from(connection, version, &set).await? => {
                return Ok(InVault::Later(Kept::new(&set, newest)));
            }
            Ok(_) | Err(VaultError::Unreadable) => {}
            Err(error) => return Err(error),
        }
        get_committed(&self.vault, connection, version).await.map(InVault::Current)
    }

    /// Whether a token set was obtained by way of this version, from parent to parent. A new connection begins a line of
    /// its own, so a line never leads from one account to another.
    async fn stems_from(
        &self,
        connection: &ConnectionKey,
        version: &VersionId,
        newest: &TokenSet,
    ) -> Result<bool, VaultError> {
        let mut parent = newest.parent.clone();
        for _ in 0..LONGEST_LINE {
            let Some(ancestor) = parent else { return Ok(false) };
            if ancestor == *version {
                return Ok(true);
            }
            parent = match self.vault.get(connection, &ancestor).await {
                Ok(set) => set.and_then(|set| set.parent),
                Err(VaultError::Unreadable) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(false)
    }
}
