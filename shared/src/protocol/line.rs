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
    /// The token set that the item names as `version`, unless the newest in the vault stems from it. One of the same
    /// authorization that does not is nobody's, and passed over: it was kept by an attempt that was too late.
    ///
    /// # Errors
    /// Those of the vault; [`VaultError::AnotherAuthorization`] if the newest is of a later authorization that does not
    /// stem from this one. Every grant writes its moment into the item before it keeps, so the item is out of a backup,
    /// and the connection has been ended and begun anew since, perhaps for another account.
    pub(super) async fn in_vault(&self, held: &Held, version: &VersionId) -> Result<InVault, VaultError> {
        let connection = &held.item.connection;
        let (newest, set) = match self.vault.newest(connection).await {
            Ok(Some((newest, set))) if newest == *version => return Ok(InVault::Current(set)),
            Ok(Some(newest)) => newest,
            Ok(None) | Err(VaultError::Unreadable) => {
                return get_committed(&self.vault, connection, version).await.map(InVault::Current);
            }
            Err(error) => return Err(error),
        };
        if set.parent.as_ref() == Some(version) {
            return Ok(InVault::Later(Kept::new(&set, newest)));
        }
        let own = match get_committed(&self.vault, connection, version).await {
            Err(error @ VaultError::Unavailable { .. }) => return Err(error),
            own => own,
        };
        let before = own.as_ref().ok().and_then(|own| own.parent.as_ref());
        if self.stems_from(connection, version, before, &set).await? {
            return Ok(InVault::Later(Kept::new(&set, newest)));
        }
        if set.granted_at > held.item.granted_at {
            return Err(VaultError::AnotherAuthorization);
        }
        tracing::warn!(%connection, version = %newest, "the newest token set in the vault was kept too late: passed over");
        own.map(InVault::Current)
    }

    /// Whether a token set was obtained by way of this version, from parent to parent, which is followed no further back
    /// than to the one `before` it. A new connection begins a line of its own, without a parent.
    async fn stems_from(
        &self,
        connection: &ConnectionKey,
        version: &VersionId,
        before: Option<&VersionId>,
        newest: &TokenSet,
    ) -> Result<bool, VaultError> {
        let mut parent = newest.parent.clone();
        for _ in 0..LONGEST_LINE {
            let Some(ancestor) = parent.filter(|ancestor| Some(ancestor) != before) else { return Ok(false) };
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
