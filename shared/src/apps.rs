//! An app with its credentials: the registry's entry, and what Secrets Manager keeps for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};
use serde::Deserialize;

use crate::{
    connection::Purpose,
    marketplace::temu::permissions::{self, Missing},
    names::AppKeyPath,
    registry::{AppConfig, AppRegistry, RegistryError},
    secret::Secret,
};

/// How long credentials are kept in memory, so that a rotated secret is taken up without a restart.
const KEPT: Duration = Duration::from_mins(5);

/// An app with its credentials.
#[derive(Debug, Clone)]
pub struct App {
    /// Which one it is.
    pub path: AppKeyPath,
    /// What the registry says about it.
    pub config: Arc<AppConfig>,
    /// The public half of its credentials.
    pub app_key: String,
    /// The secret half.
    pub app_secret: Secret,
    /// The one before it, while both are in use: webhooks may still be signed with it.
    pub previous_app_secret: Option<Secret>,
    /// What identifies it in TikTok Shop's authorization link.
    pub service_id: Option<String>,
}

impl App {
    /// The vendor's permissions that a token for this purpose lacks; none where the marketplace does not say what it may do.
    /// The permissions of an app for orders are not asked of a token that is for compliance only.
    pub fn missing_permissions(&self, purpose: Purpose, scopes: Option<&[String]>) -> Missing {
        if purpose == Purpose::Compliance && self.config.purposes().contains(&Purpose::Order) {
            return Missing::default();
        }
        scopes.map_or_else(Missing::default, |scopes| permissions::missing(&self.config.permissions, scopes))
    }
}

/// Why an app cannot be used. None of these is a seller's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// The registry has no such app, or its entry is wrong.
    #[error("the registry has no app {0} that can be used: set it up with `make app`")]
    NotSetUp(AppKeyPath),
    /// The registry was never read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Secrets Manager does not respond: try again.
    #[error("the secret {name} cannot be read now ({code})")]
    Unavailable {
        /// Its name.
        name: String,
        /// What Secrets Manager said.
        code: String,
    },
    /// There is no secret, or it cannot be read.
    #[error("the secret {name} cannot be read ({code})")]
    Unreadable {
        /// Its name.
        name: String,
        /// What Secrets Manager said.
        code: String,
    },
    /// The secret is not the JSON that it should be.
    #[error("the secret {name} must be JSON with `app_key` and `app_secret`")]
    Malformed {
        /// Its name.
        name: String,
    },
}

#[derive(Deserialize)]
struct Credentials {
    app_key: String,
    app_secret: Secret,
    previous_app_secret: Option<Secret>,
    service_id: Option<String>,
}

/// Reads and remembers the apps: the registry, and the credentials `{prefix}/apps/{marketplace}/{app}`.
#[derive(Debug)]
pub struct Apps {
    client: Client,
    prefix: String,
    registry: AppRegistry,
    known: Mutex<HashMap<AppKeyPath, (Instant, Arc<App>)>>,
}

impl Apps {
    /// With the prefix of the secrets' names. Reads nothing yet.
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        Self { registry: AppRegistry::new(client.clone(), &prefix), client, prefix, known: Mutex::default() }
    }

    /// The registry.
    pub const fn registry(&self) -> &AppRegistry {
        &self.registry
    }

    /// The app with its credentials, at most five minutes old.
    ///
    /// # Errors
    /// [`AppError`]: the operator has to act.
    pub async fn get(&self, path: &AppKeyPath) -> Result<Arc<App>, AppError> {
        let config = self.registry.find(path).await?.ok_or_else(|| AppError::NotSetUp(path.clone()))?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some((read_at, app)) = known
            && read_at.elapsed() < KEPT
        {
            // The registry may have changed since.
            return Ok(if app.config == config { app } else { Arc::new(App { config, ..(*app).clone() }) });
        }
        let app = Arc::new(self.read(path, config).await?);
        let entry = (Instant::now(), Arc::clone(&app));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), entry);
        Ok(app)
    }

    /// Has the credentials read again at the next use, because the marketplace did not accept them.
    pub fn forget(&self, path: &AppKeyPath) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    async fn read(&self, path: &AppKeyPath, config: Arc<AppConfig>) -> Result<App, AppError> {
        let name = format!("{}/apps/{path}", self.prefix);
        let response = self.client.get_secret_value().secret_id(&name).send().await.map_err(|error| {
            let name = name.clone();
            match error.code() {
                None => AppError::Unavailable { name, code: "no response".to_owned() },
                Some(code @ ("ThrottlingException" | "InternalServiceError" | "ServiceUnavailable")) => {
                    AppError::Unavailable { name, code: code.to_owned() }
                }
                Some(code) => AppError::Unreadable { name, code: code.to_owned() },
            }
        })?;
        let credentials = response.secret_string().and_then(|text| serde_json::from_str::<Credentials>(text).ok());
        let Some(Credentials { app_key, app_secret, previous_app_secret, service_id }) = credentials else {
            return Err(AppError::Malformed { name });
        };
        if app_key.is_empty() || app_secret.is_empty() {
            return Err(AppError::Malformed { name });
        }
        let previous_app_secret = previous_app_secret.filter(|secret| !secret.is_empty());
        Ok(App { path: path.clone(), config, app_key, app_secret, previous_app_secret, service_id })
    }
}
