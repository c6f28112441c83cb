//! Where the registry comes from: a secret, read once per execution environment and again in the background.
//!
//! A request waits for the registry only where no copy of it exists yet, or where it names an app that the copy lacks. A
//! copy that cannot be replaced stays in use: yesterday's apps are better than none.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};
use tracing::Instrument;

use super::{AppConfig, Registry};
use crate::names::AppKeyPath;

/// How long a copy is used before it is read again.
const FRESH: Duration = Duration::from_mins(5);

/// Shortest time from one read to the next, whatever its result: any request can name an unknown app.
const PAUSE: Duration = Duration::from_secs(10);

/// Why there is no registry. Never a seller's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Secrets Manager does not answer, or not with the secret.
    #[error("the registry of apps, the secret {name}, cannot be read ({code})")]
    Unavailable {
        /// The secret's name.
        name: String,
        /// The error code of Secrets Manager.
        code: String,
    },
    /// The secret has no value yet.
    #[error("the registry of apps, the secret {name}, is empty: set an app up with `make app`")]
    Empty {
        /// The secret's name.
        name: String,
    },
    /// The secret is not what `make app` writes.
    #[error("the registry of apps, the secret {name}, is not a JSON object ({what})")]
    Malformed {
        /// The secret's name.
        name: String,
        /// Where it is wrong.
        what: String,
    },
}

/// The registry of apps. Clones share one copy.
#[derive(Debug, Clone)]
pub struct AppRegistry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    /// The secret's name.
    name: String,
    state: Mutex<State>,
    /// Held while the secret is read.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    copy: Option<(Instant, Arc<Registry>)>,
    /// The last read, and why it failed.
    tried: Option<(Instant, Option<RegistryError>)>,
}

/// What to do for a request that needs the registry.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// Use the copy.
    Use,
    /// Use the copy, and read in the background.
    UseAndRead,
    /// Read, for no copy exists.
    Read,
    /// The last read failed just now: repeat its error.
    Fail,
}

/// Whether a registry without a value raises an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Empty {
    IsAFault,
    IsNoFault,
}

/// Decides by the age of the copy and of the last read.
fn plan(copy: Option<Duration>, tried: Option<Duration>) -> Plan {
    let may_read = tried.is_none_or(|age| age >= PAUSE);
    match copy {
        Some(age) if age >= FRESH && may_read => Plan::UseAndRead,
        Some(_) => Plan::Use,
        None if may_read => Plan::Read,
        None => Plan::Fail,
    }
}

impl AppRegistry {
    /// The registry in the secret `{prefix}/apps`. Reads nothing yet.
    pub fn new(client: Client, prefix: &str) -> Self {
        let name = format!("{prefix}/apps");
        Self(Arc::new(Inner { client, name, state: Mutex::default(), reading: tokio::sync::Mutex::default() }))
    }

    /// The registry, some minutes old at most while it can be read.
    ///
    /// # Errors
    /// [`RegistryError`] if it was never read.
    pub async fn current(&self) -> Result<Arc<Registry>, RegistryError> {
        self.current_or(Empty::IsAFault).await
    }

    /// The same, where a registry that has no value yet is no fault: nothing may have been set up.
    ///
    /// # Errors
    /// [`RegistryError`] if it was never read. [`RegistryError::Empty`] has raised no alarm.
    pub async fn current_if_set_up(&self) -> Result<Arc<Registry>, RegistryError> {
        self.current_or(Empty::IsNoFault).await
    }

    async fn current_or(&self, empty: Empty) -> Result<Arc<Registry>, RegistryError> {
        match self.plan() {
            Plan::Use => {}
            Plan::UseAndRead => {
                // So that no other request starts a second read.
                self.state().tried = Some((Instant::now(), None));
                let registry = self.clone();
                tokio::spawn(async move { registry.read(Empty::IsAFault).await }.in_current_span());
            }
            Plan::Read | Plan::Fail => {
                let _reading = self.0.reading.lock().await;
                // Another request may have read it in the meantime.
                if self.plan() == Plan::Read {
                    self.read(empty).await;
                }
            }
        }
        let state = self.state();
        match (&state.copy, &state.tried) {
            (Some((_, registry)), _) => Ok(Arc::clone(registry)),
            (None, Some((_, Some(error)))) => Err(error.clone()),
            (None, _) => Err(RegistryError::Unavailable { name: self.0.name.clone(), code: "not read yet".into() }),
        }
    }

    /// What the registry says about this app; `None` if it has no such app. A name that the copy lacks is looked up in the
    /// secret, so that a new app works at once.
    ///
    /// # Errors
    /// [`RegistryError`] if the registry was never read.
    pub async fn find(&self, path: &AppKeyPath) -> Result<Option<Arc<AppConfig>>, RegistryError> {
        let registry = self.current().await?;
        if let Some(config) = registry.get(path) {
            return Ok(Some(Arc::clone(config)));
        }
        let _reading = self.0.reading.lock().await;
        let may_read = self.state().tried.as_ref().is_none_or(|(at, _)| at.elapsed() >= PAUSE);
        if may_read {
            self.read(Empty::IsAFault).await;
        }
        Ok(self.copy().and_then(|registry| registry.get(path).cloned()))
    }

    /// The copy, however old. Reads nothing.
    pub fn copy(&self) -> Option<Arc<Registry>> {
        self.state().copy.as_ref().map(|(_, registry)| Arc::clone(registry))
    }

    fn plan(&self) -> Plan {
        let state = self.state();
        let age = |at: Instant| at.elapsed();
        plan(state.copy.as_ref().map(|(at, _)| age(*at)), state.tried.as_ref().map(|(at, _)| age(*at)))
    }

    /// Reads the secret. A failure leaves the copy as it is.
    async fn read(&self, empty: Empty) {
        let read = self.get().await;
        let now = Instant::now();
        let mut state = self.state();
        match read {
            Ok(registry) => {
                for problem in registry.problems() {
                    tracing::error!(alarm = "configuration_fault", problem, "the registry has an entry that is wrong");
                }
                state.copy = Some((now, Arc::new(registry)));
                state.tried = Some((now, None));
            }
            Err(error @ RegistryError::Empty { .. }) if empty == Empty::IsNoFault => {
                state.tried = Some((now, Some(error)));
            }
            Err(error) => {
                let in_use = if state.copy.is_some() { "the last good copy stays in use" } else { "there is no copy" };
                tracing::error!(alarm = "configuration_fault", %error, in_use, "the registry of apps was not read");
                state.tried = Some((now, Some(error)));
            }
        }
    }

    async fn get(&self) -> Result<Registry, RegistryError> {
        let name = || self.0.name.clone();
        let response = self.0.client.get_secret_value().secret_id(&self.0.name).send().await;
        let response = response.map_err(|error| match error.code() {
            Some("ResourceNotFoundException") => RegistryError::Empty { name: name() },
            code => RegistryError::Unavailable { name: name(), code: code.unwrap_or("no response").to_owned() },
        })?;
        let text = response.secret_string().filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| RegistryError::Empty { name: name() })?;
        Registry::parse(text).map_err(|error| RegistryError::Malformed { name: name(), what: error.to_string() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
