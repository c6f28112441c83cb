//! Tokens from Shop Keyring: signed requests, a copy in memory until shortly before each token ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
use reqwest::{Method, RequestBuilder, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};

/// A token is fetched anew so long before it ends. One that lasts longer (seconds) is asked for, so that what comes is
/// kept, by a clock that is half a minute off as well.
const MARGIN: Duration = Duration::from_mins(1);
const MIN_TTL: u32 = 90;
/// For so long nobody is asked again about a connection that has no token to give.
const REFUSED_FOR: Duration = Duration::from_mins(2);
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
    pub(crate) base_url: Option<String>,
    pub(crate) app_key: String,
    pub(crate) token_header: Option<String>,
}

impl Token {
    fn is_good(&self, rejected_version: Option<u64>, now: SystemTime) -> bool {
        let end = self.expires_at.parse::<jiff::Timestamp>();
        Some(self.version) != rejected_version && end.is_ok_and(|end| SystemTime::from(end) > now + MARGIN)
    }
}

/// The keyring has no token to give. `code` is one of docs/errors.md, or tells what went wrong on the way. The same is
/// not asked again until `not_before`, if there is one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {detail}")]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) not_before: Option<SystemTime>,
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
    /// For each connection, by the version that was to be replaced, `None` for a lookup.
    refusals: HashMap<String, HashMap<Option<u64>, Refused>>,
    fetches: HashMap<Wanted, Fetch>,
}

/// A connection, and the version that the marketplace has rejected.
type Wanted = (String, Option<u64>);

impl Known {
    fn token(&self, connection: &str, rejected_version: Option<u64>, now: SystemTime) -> Option<&Arc<Token>> {
        self.tokens.get(connection).filter(|token| token.is_good(rejected_version, now))
    }

    fn refusal(&self, connection: &str, rejected_version: Option<u64>, now: SystemTime) -> Option<&Refused> {
        let refused = self.refusals.get(connection)?.get(&rejected_version)?;
        refused.not_before.is_some_and(|not_before| not_before > now).then_some(refused)
    }

    fn keep(&mut self, wanted: &Wanted, token: Token, now: SystemTime) -> Result<Arc<Token>, Refused> {
        let (connection, rejected_version) = wanted;
        // Perhaps another answer has overtaken this one.
        if let Some(known) = self.token(connection, *rejected_version, now)
            && known.version > token.version
        {
            return Ok(Arc::clone(known));
        }
        // Perhaps the marketplace does not take this version, and there is no other one yet.
        if let Some(refused) = self.refusal(connection, Some(token.version), now) {
            return Err(refused.clone());
        }
        self.refusals.remove(connection);
        let token = Arc::new(token);
        self.tokens.insert(connection.clone(), Arc::clone(&token));
        Ok(token)
    }

    fn remember(&mut self, wanted: &Wanted, refused: &Refused, now: SystemTime) {
        let (connection, rejected_version) = wanted;
        self.refusals.entry(connection.clone()).or_default().insert(*rejected_version, refused.clone());
        if self.token(connection, *rejected_version, now).is_none() {
            self.tokens.remove(connection);
        }
    }
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
            let (mut known, now) = (self.0.known(), SystemTime::now());
            if let Some(token) = known.token(connection, rejected_version, now) {
                return Ok(Arc::clone(token));
            }
            if let Some(refused) = known.refusal(connection, rejected_version, now) {
                return Err(refused.clone());
            }
            let (inner, wanted) = (Arc::clone(&self.0), (connection.to_owned(), rejected_version));
            let fetch = || async move { inner.fetch(wanted).await }.boxed().shared();
            known.fetches.entry((connection.to_owned(), rejected_version)).or_insert_with(fetch).clone()
        };
        fetch.await
    }
}

impl Inner {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, wanted: Wanted) -> Result<Arc<Token>, Refused> {
        let (connection, rejected_version) = &wanted;
        let answer = match rejected_version {
            None => {
                let path = format!("/v1/connections/{connection}/token?min_ttl={MIN_TTL}");
                self.ask(Method::GET, &path, String::new()).await
            }
            Some(version) => {
                let body = json!({ "rejected_version": version }).to_string();
                self.ask(Method::POST, &format!("/v1/connections/{connection}/refresh"), body).await
            }
        };
        let (mut known, now) = (self.known(), SystemTime::now());
        known.fetches.remove(&wanted);
        match answer {
            Ok(token) => known.keep(&wanted, token, now),
            Err(refused) => {
                known.remember(&wanted, &refused, now);
                Err(refused)
            }
        }
    }

    async fn ask(&self, method: Method, path: &str, body: String) -> Result<Token, Refused> {
        let mut attempt = 1;
        loop {
            let (refused, wait) = match self.signed(&method, path, body.clone()).await?.send().await {
                Ok(response) if response.status().is_success() => {
                    return response.json().await.map_err(no_answer);
                }
                Ok(response) => {
                    let wait = time_to_wait(&response, attempt);
                    (problem(response).await, wait)
                }
                Err(error) => (no_answer(error), Some(Duration::from_secs(1 << attempt))),
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

    async fn signed(&self, method: &Method, path: &str, body: String) -> Result<RequestBuilder, Refused> {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method.clone(), &url).header("content-type", "application/json");
        for (name, value) in self.signature(method, &url, &body).await? {
            request = request.header(name, value);
        }
        Ok(request.body(body))
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
    let time = match status.as_u16() {
        404 | 409 | 410 => Some(REFUSED_FOR),
        _ => retry_after(&response),
    };
    let answer: Value = response.json().await.unwrap_or_default();
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    Refused {
        code: text("code").unwrap_or_else(|| format!("http_{}", status.as_u16())),
        // API Gateway's own refusals have a `message` alone.
        detail: text("detail").or_else(|| text("message")).unwrap_or_else(|| "no reason given".into()),
        not_before: time.and_then(|time| SystemTime::now().checked_add(time)),
    }
}

fn no_answer(error: reqwest::Error) -> Refused {
    Refused { code: "no_answer".into(), detail: error.without_url().to_string(), not_before: None }
}

fn not_signed(error: &dyn std::error::Error) -> Refused {
    Refused { code: "not_signed".into(), detail: error.to_string(), not_before: None }
}

/// Until the next attempt; `None` if another one is of no use.
fn time_to_wait(response: &reqwest::Response, attempt: u32) -> Option<Duration> {
    match response.status().as_u16() {
        429 | 500 | 502 | 503 | 504 => Some(retry_after(response).unwrap_or(Duration::from_secs(1 << attempt))),
        _ => None,
    }
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let told = response.headers().get(RETRY_AFTER)?;
    told.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELLER: &str = "tiktok-shop/us/1";

    fn wanted(rejected_version: Option<u64>) -> Wanted {
        (SELLER.to_owned(), rejected_version)
    }

    fn token(version: u64) -> Token {
        let api = Api { base_url: None, app_key: "key".into(), token_header: None };
        let expires_at = "2100-01-01T00:00:00Z".into();
        let (marketplace, app) = ("tiktok-shop".into(), "us".into());
        Token { access_token: format!("token-{version}"), version, expires_at, marketplace, app, api }
    }

    fn kept(outcome: Result<Arc<Token>, Refused>) -> Result<u64, String> {
        outcome.map(|token| token.version).map_err(|refused| refused.code)
    }

    #[test]
    fn a_late_answer_does_not_bring_an_older_version_back() {
        let (mut known, now) = (Known::default(), SystemTime::now());
        assert_eq!(kept(known.keep(&wanted(Some(1)), token(2), now)), Ok(2));
        assert_eq!(kept(known.keep(&wanted(None), token(1), now)), Ok(2));
        assert_eq!(known.token(SELLER, None, now).map(|token| token.version), Some(2));
        // Unless the newer one is what the marketplace has rejected, or has ended.
        assert_eq!(kept(known.keep(&wanted(Some(2)), token(1), now)), Ok(1));
        known.tokens.insert(SELLER.into(), Arc::new(Token { expires_at: "2001-01-01T00:00:00Z".into(), ..token(2) }));
        assert_eq!(kept(known.keep(&wanted(None), token(1), now)), Ok(1));
    }

    #[test]
    fn a_late_refusal_drops_the_rejected_version_alone() {
        let (mut known, now) = (Known::default(), SystemTime::now());
        let not_before = Some(now + Duration::from_mins(15));
        let refused = Refused { code: "refresh_failed".into(), detail: String::new(), not_before };
        assert_eq!(kept(known.keep(&wanted(None), token(2), now)), Ok(2));
        known.remember(&wanted(Some(1)), &refused, now);
        assert_eq!(known.token(SELLER, None, now).map(|token| token.version), Some(2));
        known.remember(&wanted(Some(2)), &refused, now);
        assert!(known.token(SELLER, None, now).is_none());
        // A lookup is not refused, but the version that it brings.
        assert!(known.refusal(SELLER, None, now).is_none());
        assert_eq!(kept(known.keep(&wanted(None), token(2), now)), Err("refresh_failed".into()));
        let later = now + Duration::from_mins(16);
        assert_eq!(kept(known.keep(&wanted(None), token(2), later)), Ok(2));
    }
}
