//! A bounded copy of token sets in memory. Keyed by version, and versions never change: never stale.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::{Vault, VaultError, get_committed};
use crate::{
    metrics,
    names::{ConnectionKey, VersionId},
    token_set::TokenSet,
};

/// Token sets in memory at most; about a kilobyte each.
const CAPACITY: usize = 10_000;

/// Whether an answer came from memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From memory: no call to the vault.
    Memory,
    /// From the vault.
    Vault,
}

/// A vault's reads, remembered.
#[derive(Debug)]
pub struct CachedVault<V> {
    vault: V,
    sets: Cache<VersionId, Arc<TokenSet>>,
}

impl<V: Vault> CachedVault<V> {
    /// In front of this vault.
    pub fn new(vault: V) -> Self {
        Self { vault, sets: Cache::new(CAPACITY) }
    }

    /// The token set of a version that is known to have been committed.
    ///
    /// # Errors
    /// Those of the vault.
    pub async fn get(
        &self,
        connection: &ConnectionKey,
        version: &VersionId,
    ) -> Result<(Arc<TokenSet>, Source), VaultError> {
        if let Some(set) = self.sets.get(version) {
            metrics::cache(Source::Memory);
            return Ok((set, Source::Memory));
        }
        let set = Arc::new(get_committed(&self.vault, connection, version).await?);
        self.sets.insert(version.clone(), Arc::clone(&set));
        metrics::cache(Source::Vault);
        Ok((set, Source::Vault))
    }
}
