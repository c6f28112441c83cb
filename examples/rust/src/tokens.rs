//! Tokens from Shop Keyring: signed requests, a copy in memory until shortly before each token ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use reqwest::{Method, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};

/// A token is fetched anew so long before it ends: as long as one is good for that is served (`min_ttl`).
const MARGIN: Duration = Duration::from_mins(1);
/// How often a request is sent at most, and how long is waited for the next time at most.
const ATTEMPTS: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The keyring answers within 20 seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// The token answer. It cannot be printed: it has no `Debug`.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "as the keyring names it")]
pub(crate) struct Token {
    pub(crate) access_token: String,
    pub(crate) version: u64,
    pub(crate) expires_at: String,
    pub(crate) marketplace: String,
    pub(crate) app: String,
    pub(crate) api: Api,
}

/// Where and how the token is used.
#[derive(Deserialize)]
pub(crate) struct Api {
    pub(crate) base_url: String,
    pub(crate) app_key: String,
    pub(crate) token_header: Option<String>,
}

impl Token {
    fn is_good(&self, now: SystemTime) -> bool {
        let end = self.expires_at.parse::<jiff::Timestamp>();
        end.is_ok_and(|end| SystemTime::from(end) > now + MARGIN)
    }
}

/// The keyring has no token to give. `code` is one of docs/api.md.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {detail}")]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) detail: String,
}

type Fetch = Shared<BoxFuture<'static, Result<Arc<Token>, Refused>>>;

/// Clones are the same one; keep one for the whole process.
#[derive(Clone)]
pub(crate) struct Keyring(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    url: String,
    region: String,
    credentials: SharedCredentialsProvider,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    tokens: HashMap<String, Arc<Token>>,
    fetches: HashMap<(String, Option<u64>), Fetch>,
}

impl Keyring {
    pub(crate) fn new(url: &str, region: &str, credentials: SharedCredentialsProvider) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let (url, region) = (url.to_owned(), region.to_owned());
        Ok(Self(Arc::new(Inner { http, url, region, credentials, known: Mutex::default() })))
    }

    /// The token of a connection; another one than the version that the marketplace has rejected, if there is one.
    /// Callers who need the same wait for one fetch.
    pub(crate) async fn token(&self, connection: &str, rejected_version: Option<u64>) -> Result<Arc<Token>, Refused> {
        let fetch = {
            let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(token) = known.tokens.get(connection)
                && Some(token.version) != rejected_version
                && token.is_good(SystemTime::now())
            {
                return Ok(Arc::clone(token));
            }
            let wanted = (connection.to_owned(), rejected_version);
            let inner = Arc::clone(&self.0);
            let fetch = || async move { inner.fetch(wanted).await }.boxed().shared();
            known.fetches.entry((connection.to_owned(), rejected_version)).or_insert_with(fetch).clone()
        };
        fetch.await
    }
}

impl Inner {
    async fn fetch(&self, wanted: (String, Option<u64>)) -> Result<Arc<Token>, Refused> {
        let (connection, rejected_version) = &wanted;
        let answer = match rejected_version {
            None => self.ask(Method::GET, &format!("/v1/connections/{connection}/token"), String::new()).await,
            Some(version) => {
                let body = json!({ "rejected_version": version }).to_string();
                self.ask(Method::POST, &format!("/v1/connections/{connection}/refresh"), body).await
            }
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.fetches.remove(&wanted);
        known.tokens.remove(connection);
        let token = Arc::new(answer?);
        known.tokens.insert(connection.clone(), Arc::clone(&token));
        Ok(token)
    }

    async fn ask(&self, method: Method, path: &str, body: String) -> Result<Token, Refused> {
        let mut attempt = 1;
        loop {
            let (refused, wait) = match self.send(method.clone(), path, body.clone()).await {
                Ok(response) if response.status().is_success() => {
                    return response.json().await.map_err(|error| no_answer(&error.without_url()));
                }
                Ok(response) => {
                    let wait = time_to_wait(&response, attempt);
                    (problem(response).await, wait)
                }
                Err(refused) => (refused, Some(Duration::from_secs(1 << attempt))),
            };
            match wait {
                // Not all at the same moment.
                Some(wait) if wait <= LONGEST_WAIT && attempt < ATTEMPTS => {
                    tokio::time::sleep(wait + Duration::from_secs_f64(rand::random())).await;
                }
                _ => return Err(refused),
            }
            attempt += 1;
        }
    }

    async fn send(&self, method: Method, path: &str, body: String) -> Result<reqwest::Response, Refused> {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method.clone(), &url).header("content-type", "application/json");
        for (name, value) in self.signature(&method, &url, &body).await? {
            request = request.header(name, value);
        }
        request.body(body).send().await.map_err(|error| no_answer(&error.without_url()))
    }

    async fn signature(&self, method: &Method, url: &str, body: &str) -> Result<Vec<(String, String)>, Refused> {
        // Temporary credentials are renewed by their provider; their session token is signed along.
        let identity = self.credentials.provide_credentials().await.map_err(|error| not_signed(&error))?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("execute-api")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| not_signed(&error))?
            .into();
        let headers = [("content-type", "application/json")].into_iter();
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new(method.as_str(), url, headers, body).map_err(|error| not_signed(&error))?;
        let (instructions, _) = sign(request, &params).map_err(|error| not_signed(&error))?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

async fn problem(response: reqwest::Response) -> Refused {
    let status = response.status();
    let answer: Value = response.json().await.unwrap_or_default();
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    Refused {
        code: text("code").unwrap_or_else(|| format!("http_{}", status.as_u16())),
        // API Gateway's own refusals have a `message` alone.
        detail: text("detail").or_else(|| text("message")).unwrap_or_else(|| "no reason given".into()),
    }
}

fn no_answer(error: &reqwest::Error) -> Refused {
    Refused { code: "no_answer".into(), detail: error.to_string() }
}

fn not_signed(error: &dyn std::error::Error) -> Refused {
    Refused { code: "not_signed".into(), detail: error.to_string() }
}

/// Until the next attempt; `None` if another one is of no use.
fn time_to_wait(response: &reqwest::Response, attempt: u32) -> Option<Duration> {
    let status = response.status();
    if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let told = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Some(Duration::from_secs(told.unwrap_or(1 << attempt)))
}
