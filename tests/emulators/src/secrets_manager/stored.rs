//! What is stored, past the API: all versions of all secrets, also of deleted ones.

use super::{
    SecretsManager,
    secret::{Secret, SecretValue},
};

/// A secret as it is stored. It cannot be printed.
#[derive(Clone)]
pub struct StoredSecret {
    /// Its name.
    pub name: String,
    /// Whether it was deleted and can still be restored.
    pub deleted: bool,
    /// The id and the text of each version, oldest first; versions that hold bytes are left out.
    pub versions: Vec<(String, String)>,
}

impl StoredSecret {
    fn of(secret: &Secret) -> Self {
        let versions = secret.versions.iter().filter_map(|version| match &version.value {
            SecretValue::String(text) => Some((version.id.clone(), text.clone())),
            SecretValue::Binary(_) => None,
        });
        Self { name: secret.name.clone(), deleted: secret.window_end.is_some(), versions: versions.collect() }
    }
}

impl SecretsManager {
    /// The secrets whose names begin so. Not logged, and never held or failed.
    pub fn stored(&self, prefix: &str) -> Vec<StoredSecret> {
        let mut store = self.store();
        store.purge(self.state.now());
        store.secrets.values().filter(|secret| secret.name.starts_with(prefix)).map(StoredSecret::of).collect()
    }

    /// Takes away the secrets whose names begin so, as if they had never been.
    pub fn forget(&self, prefix: &str) {
        self.store().secrets.retain(|name, _| !name.starts_with(prefix));
    }
}
