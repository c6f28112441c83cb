//! An HTTP API of API Gateway in front of Lambda functions: routes, IAM authorization by signature,
//! events of payload format 2.0 in, responses out.
//!
//! What API Gateway really does is kept where a function could notice: `rawPath` arrives
//! percent-decoded, cookies apart from the headers, form bodies in base64. Its refusals are
//! `{"message":"…"}` with the real statuses.
//!
//! A byte that is no UTF-8, in a header or a cookie, becomes U+FFFD in the event; how API Gateway writes it is not known. Raw
//! spaces, quotes and control characters, which API Gateway passes on, cannot be sent to this one: tests invoke functions
//! with such events themselves.
//!
//! Kept simple: one stage, `$default`; no CORS, throttling or presigned URLs. Of a signature's
//! credentials only the key and the session token are checked, not what policies would allow.

mod answer;
mod config;
mod event;
mod invoke;
mod routes;
mod signature;

pub use config::{Auth, Config, Credential, Route};

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{Method, StatusCode, request::Parts},
    response::Response,
};
use uuid::Uuid;

use self::{answer::refusal, event::Incoming, invoke::Functions, routes::Routes};
use crate::server::{Peer, Server};

/// The quota on a request's body.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// A sandbox may run for days.
const LOGGED_ACCESSES: usize = 10_000;

/// A running gateway. Clones see the same one.
#[derive(Clone, Debug)]
pub struct Gateway {
    server: Server,
    state: Arc<Inner>,
}

/// A line of the access log: the route, never the path, for paths hold connect sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When it was answered.
    pub at: SystemTime,
    /// The request's method.
    pub method: Method,
    /// The key of the route that matched, if one did.
    pub route_key: Option<String>,
    /// What was answered.
    pub status: u16,
}

#[derive(Debug)]
struct Inner {
    routes: Routes,
    credentials: Vec<Credential>,
    functions: RwLock<Functions>,
    log: Mutex<VecDeque<Access>>,
}

impl Gateway {
    /// Starts it.
    ///
    /// # Errors
    /// When the address cannot be bound or a route key is malformed.
    pub async fn start(address: SocketAddr, config: Config) -> io::Result<Self> {
        let state = Arc::new(Inner {
            routes: Routes::parse(config.routes)?,
            credentials: config.credentials,
            functions: RwLock::new(Functions::new(config.invoke_endpoint, config.integration_timeout)?),
            log: Mutex::default(),
        });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&state));
        Ok(Self { server: Server::start(address, router).await?, state })
    }

    /// The listener.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Where it listens, without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Invokes the functions elsewhere from now on, for a runtime that was started anew.
    pub fn set_invoke_endpoint(&self, url: &str) {
        self.state.functions.write().unwrap_or_else(PoisonError::into_inner).move_to(url);
    }

    /// The last ten thousand requests, oldest first.
    pub fn accesses(&self) -> Vec<Access> {
        self.state.log.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

async fn handle(State(state): State<Arc<Inner>>, ConnectInfo(peer): ConnectInfo<Peer>, request: Request) -> Response {
    let method = request.method().clone();
    let (route_key, response) = match state.routes.find(&method, request.uri().path()) {
        Some(found) => (Some(found.route.key.clone()), state.serve(&found, &peer, request).await),
        None => (None, refusal(StatusCode::NOT_FOUND, "Not Found")),
    };
    state.log(Access { at: SystemTime::now(), method, route_key, status: response.status().as_u16() });
    response
}

impl Inner {
    async fn serve(&self, found: &routes::Found<'_>, peer: &Peer, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let caller = match found.route.auth {
            Auth::None => None,
            Auth::AwsIam => match signature::caller(&parts, &body, &self.credentials, SystemTime::now()) {
                Some(caller) => Some(caller),
                None => return refusal(StatusCode::FORBIDDEN, "Forbidden"),
            },
        };
        self.invoke(found, caller, peer, &parts, &body).await
    }

    async fn invoke(
        &self,
        found: &routes::Found<'_>,
        caller: Option<&Credential>,
        peer: &Peer,
        parts: &Parts,
        body: &Bytes,
    ) -> Response {
        let request_id = event::request_id(Uuid::new_v4());
        let (source, now) = (peer.address, SystemTime::now());
        let event = Incoming { found, caller, parts, body, source, request_id: &request_id, now }.event();
        let functions = self.functions.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut response = match functions.invoke(&found.route.function, &event).await {
            Ok(output) => answer::response(&output),
            Err(failure) => failure.refusal(),
        };
        answer::sign_off(&mut response, &request_id);
        response
    }

    fn log(&self, access: Access) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == LOGGED_ACCESSES {
            log.pop_front();
        }
        log.push_back(access);
    }
}
