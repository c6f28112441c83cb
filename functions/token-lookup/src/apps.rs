//! The vendor's apps, where a request names one that may not exist.
//!
//! Tokens are served without the registry: what their responses say about the app is part of the connection's item.

use std::sync::Arc;

use shop_keyring::{
    connection::Connection,
    names::{AppKeyPath, ConnectionKey},
    registry::{AppConfig, AppRegistry, RegistryError},
};

use crate::{problem::Problem, router::Keyring};

impl From<RegistryError> for Problem {
    /// The registry has logged its alarm.
    fn from(_: RegistryError) -> Self {
        Self::StorageUnavailable
    }
}

/// What the registry says about an app.
///
/// # Errors
/// If it has no such app, or was never read.
pub(crate) async fn app(registry: &AppRegistry, path: &AppKeyPath) -> Result<Arc<AppConfig>, Problem> {
    if let Some(config) = registry.find(path).await? {
        return Ok(config);
    }
    let known: Vec<_> = registry.current().await?.iter().map(|(path, _)| format!("`{path}`")).collect();
    Err(Problem::app_not_found(path, &known))
}

/// The connection with this name.
///
/// # Errors
/// If there is none; where its app is not in the registry, that is what is wrong.
pub(crate) async fn connection(keyring: &Keyring, key: &ConnectionKey) -> Result<Connection, Problem> {
    match keyring.connections.get(key).await? {
        Some(item) => Ok(item),
        None => Err(no_connection(&keyring.registry, &key.app).await),
    }
}

/// Why a connection of this app was not found. A registry that cannot be read has nothing to add.
pub(crate) async fn no_connection(registry: &AppRegistry, path: &AppKeyPath) -> Problem {
    match app(registry, path).await {
        Err(problem @ Problem::AppNotFound(_)) => problem,
        Ok(_) | Err(_) => Problem::ConnectionNotFound,
    }
}
