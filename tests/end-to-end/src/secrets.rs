//! What must not turn up anywhere but in the vault.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// Shorter values would be found everywhere.
const SHORTEST: usize = 12;

/// The secrets seen so far. Clones see the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<BTreeSet<String>>>);

impl Seen {
    pub(crate) fn note(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
        }
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
