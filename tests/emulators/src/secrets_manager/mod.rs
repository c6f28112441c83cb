//! Secrets Manager with the real rules of versions and staging labels, in memory, behind a [`Front`].
//!
//! The rules are pure functions of the stored secrets and the time; HTTP is only wrapped around them.
//! Signatures are not looked at.

mod input;
mod lifecycle;
mod output;
mod refusal;
mod secret;
mod store;
mod stored;
mod versions;
mod wire;

#[cfg(test)]
mod tests;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::Response};
use serde_json::Value;

use crate::{
    front::{Front, Service, Subject},
    roles::{Asked, Key},
    server::Server,
    times,
};
use secret::SecretValue;
use store::{NewSecret, Store};

pub use stored::StoredSecret;

/// A running Secrets Manager, in Region `us-east-1` of account `123456789012`. Clones see the same
/// secrets.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    server: Server,
    front: Front,
    state: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    store: Mutex<Store>,
    ahead: AtomicI64,
}

impl Inner {
    fn now(&self) -> SystemTime {
        times::shifted(SystemTime::now(), self.ahead.load(Ordering::SeqCst))
    }
}

impl SecretsManager {
    /// Starts without secrets.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let front = Front::new(Service {
            name: "secretsmanager",
            content_type: wire::CONTENT_TYPE,
            internal_error: "InternalServiceError",
            throttled: "ThrottlingException",
            subject: Arc::new(|_, input| subject(input)),
            asked: Arc::new(|_, operation, input| vec![asked(operation, input)]),
        });
        let state = Arc::new(Inner::default());
        let router = front.before(Router::new().fallback(answer).with_state(Arc::clone(&state)));
        Ok(Self { server: Server::start(address, router).await?, front, state })
    }

    /// The listener.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// What stands before it: log, faults, pause points.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Where it listens, as the SDK's `endpoint_url` wants it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Creates a secret without a call: for the many that a benchmark begins with.
    ///
    /// # Errors
    /// As `CreateSecret`, in a line.
    pub fn create(&self, name: &str, version_id: &str, text: &str) -> Result<(), String> {
        let new = NewSecret {
            name: name.to_owned(),
            description: None,
            kms_key_id: None,
            version_id: version_id.to_owned(),
            value: Some(SecretValue::String(text.to_owned())),
        };
        let mut store = self.state.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.create(new, self.state.now()).map(drop).map_err(|refusal| refusal.message)
    }

    /// Lets time pass: recovery windows end, versions grow old enough to be dropped.
    pub fn advance(&self, seconds: u32) {
        self.state.ahead.fetch_add(seconds.into(), Ordering::SeqCst);
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.state.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(state): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or("");
    let mut store = state.store.lock().unwrap_or_else(PoisonError::into_inner);
    wire::answer(&mut store, target, &body, state.now())
}

fn subject(input: &Value) -> Subject {
    let id = input["SecretId"].as_str().or_else(|| input["Name"].as_str());
    Subject { resource: id.map(|id| store::name_of(id).to_owned()), keys: Vec::new() }
}

/// A secret has no random end before it is there. Of a list, the resource is everything.
fn asked(operation: &str, input: &Value) -> Asked {
    let resource = match (input["SecretId"].as_str(), input["Name"].as_str()) {
        (Some(id), _) => format!("secret:{}-a1B2c3", store::name_of(id)),
        (None, Some(name)) => format!("secret:{name}"),
        (None, None) => "*".to_owned(),
    };
    let forced = input["ForceDeleteWithoutRecovery"].as_bool().unwrap_or_default().to_string();
    Asked::new("secretsmanager", operation, &resource).with(Key::ForceDeleteWithoutRecovery, vec![forced])
}
