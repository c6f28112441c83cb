//! The vendor's apps: what the configuration says of each, and its credentials from Secrets Manager.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};
use serde::Deserialize;
use url::Url;

use crate::{
    marketplace::temu::{
        RouterAddress,
        permissions::{self, Missing, Permission},
    },
    names::AppKeyPath,
    secret::Secret,
};

/// How long credentials are kept in memory, so that a rotated secret is taken up without a restart.
const KEPT: Duration = Duration::from_mins(5);

/// The apps that are set up.
pub type Sites = BTreeMap<AppKeyPath, Site>;

/// What the configuration says of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The app's name as the seller sees it at the marketplace.
    pub name: String,
    /// The authorization link, without its parameters. None where sellers can only paste tokens.
    pub link_url: Option<Url>,
    /// The host that exchanges codes and refresh tokens. At Temu the first router's.
    pub token_url: Url,
    /// The host that the vendor's services call with the token. At Temu the first router's.
    pub api_url: Url,
    /// Temu: the routers that serve the app's tokens, the preferred one first. Empty at TikTok Shop.
    pub routers: Vec<RouterAddress>,
    /// Temu: the permissions that the vendor asks for.
    pub permissions: Vec<Permission>,
}

/// An app with its credentials.
#[derive(Debug, Clone)]
pub struct App {
    /// Which one it is.
    pub path: AppKeyPath,
    /// What the configuration says.
    pub site: Site,
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
    /// What of the vendor's permissions a token does not have; nothing, where the marketplace does not say what it may do.
    pub fn missing_permissions(&self, scopes: Option<&[String]>) -> Missing {
        scopes.map_or_else(Missing::default, |scopes| permissions::missing(&self.site.permissions, scopes))
    }
}

/// Why an app's credentials cannot be had. None of these is a seller's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// The configuration knows no such app.
    #[error("the app {0} is not set up: add it to the configuration")]
    NotSetUp(AppKeyPath),
    /// Secrets Manager does not answer: try again.
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

/// Reads and remembers the credentials of all apps: `{prefix}/apps/{marketplace}/{app}`, written by the operator.
#[derive(Debug)]
pub struct Apps {
    client: Client,
    prefix: String,
    sites: Sites,
    known: Mutex<HashMap<AppKeyPath, (Instant, Arc<App>)>>,
}

impl Apps {
    /// With the names' prefix and the configuration of each app.
    pub fn new(client: Client, prefix: impl Into<String>, sites: Sites) -> Self {
        Self { client, prefix: prefix.into(), sites, known: Mutex::default() }
    }

    /// The apps that are set up.
    pub const fn sites(&self) -> &Sites {
        &self.sites
    }

    /// The app with its credentials, at most five minutes old.
    ///
    /// # Errors
    /// [`AppError`]: the operator has to act.
    pub async fn get(&self, path: &AppKeyPath) -> Result<Arc<App>, AppError> {
        if let Some((read_at, app)) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path)
            && read_at.elapsed() < KEPT
        {
            return Ok(Arc::clone(app));
        }
        let app = Arc::new(self.read(path).await?);
        let entry = (Instant::now(), Arc::clone(&app));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), entry);
        Ok(app)
    }

    /// Reads the credentials anew at the next use: the marketplace did not like them.
    pub fn forget(&self, path: &AppKeyPath) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    async fn read(&self, path: &AppKeyPath) -> Result<App, AppError> {
        let site = self.sites.get(path).ok_or_else(|| AppError::NotSetUp(path.clone()))?.clone();
        let name = format!("{}/apps/{path}", self.prefix);
        let answer = self.client.get_secret_value().secret_id(&name).send().await.map_err(|error| {
            let name = name.clone();
            match error.code() {
                None => AppError::Unavailable { name, code: "no answer".to_owned() },
                Some(code @ ("ThrottlingException" | "InternalServiceError" | "ServiceUnavailable")) => {
                    AppError::Unavailable { name, code: code.to_owned() }
                }
                Some(code) => AppError::Unreadable { name, code: code.to_owned() },
            }
        })?;
        let credentials = answer.secret_string().and_then(|text| serde_json::from_str::<Credentials>(text).ok());
        let Some(Credentials { app_key, app_secret, previous_app_secret, service_id }) = credentials else {
            return Err(AppError::Malformed { name });
        };
        if app_key.is_empty() || app_secret.is_empty() {
            return Err(AppError::Malformed { name });
        }
        let previous_app_secret = previous_app_secret.filter(|secret| !secret.is_empty());
        Ok(App { path: path.clone(), site, app_key, app_secret, previous_app_secret, service_id })
    }
}
