//! One signed call at each marketplace, with a token from the keyring and the app's secret.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::OnceCell;

use crate::tokens::Token;

const PATIENCE: Duration = Duration::from_secs(30);

/// Why a call came to nothing.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The marketplace does not take the token.
    TokenRejected,
    /// The call is not signed as the marketplace expects: with the app's secret of before, perhaps. In words.
    SignRejected(String),
    /// Something else, in words without a secret.
    Failed(String),
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        // At other calls a URL may have secrets.
        Self::Failed(error.without_url().to_string())
    }
}

/// What calls are signed with: read from Secrets Manager once for each app, and kept in memory.
pub(crate) struct AppSecrets {
    client: aws_sdk_secretsmanager::Client,
    prefix: String,
    read: Mutex<HashMap<String, ReadOnce>>,
}

/// Who needs the same secret waits for one reading, and nobody for another app's.
type ReadOnce = Arc<OnceCell<Arc<str>>>;

#[derive(Deserialize)]
struct AppSecret {
    app_key: String,
    app_secret: String,
}

impl AppSecrets {
    pub(crate) fn new(client: aws_sdk_secretsmanager::Client, prefix: String) -> Self {
        Self { client, prefix, read: Mutex::default() }
    }

    /// The secret of the token's app; read again if the one in memory is the rejected one.
    async fn of(&self, token: &Token, rejected: Option<&str>) -> Result<Arc<str>, CallError> {
        let once = {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            let once = read.entry(token.api.app_key.clone()).or_default();
            if rejected.is_some() && once.get().map(AsRef::as_ref) == rejected {
                *once = ReadOnce::default();
            }
            Arc::clone(once)
        };
        once.get_or_try_init(|| self.read(token)).await.cloned()
    }

    async fn read(&self, token: &Token) -> Result<Arc<str>, CallError> {
        let name = format!("{}/apps/{}/{}", self.prefix, token.marketplace, token.app);
        let unreadable = || CallError::Failed(format!("{name} cannot be read"));
        let answer = self.client.get_secret_value().secret_id(&name).send().await.map_err(|_| unreadable())?;
        let secret: AppSecret =
            serde_json::from_str(answer.secret_string().unwrap_or_default()).map_err(|_| unreadable())?;
        if secret.app_key != token.api.app_key {
            return Err(CallError::Failed(format!("{name} is the secret of another app key than the token's")));
        }
        Ok(secret.app_secret.into())
    }
}

/// The marketplaces, as they are called.
pub(crate) struct Marketplaces {
    http: reqwest::Client,
    secrets: AppSecrets,
}

impl Marketplaces {
    pub(crate) fn new(secrets: AppSecrets) -> reqwest::Result<Self> {
        Ok(Self { http: reqwest::Client::builder().timeout(PATIENCE).build()?, secrets })
    }

    /// What a token opens, in a few words.
    pub(crate) async fn look(&self, token: &Token) -> Result<String, CallError> {
        let Some(base_url) = &token.api.base_url else {
            let app = format!("{}/{}", token.marketplace, token.app);
            let unknown = format!("the keyring does not know the app {app} any more: there is no api.base_url");
            return Err(CallError::Failed(unknown));
        };
        let app_secret = self.secrets.of(token, None).await?;
        match self.look_at(base_url, token, &app_secret).await {
            // Once: the secret may have been changed since it was read.
            Err(CallError::SignRejected(_)) => {
                let app_secret = self.secrets.of(token, Some(&app_secret)).await?;
                self.look_at(base_url, token, &app_secret).await
            }
            seen => seen,
        }
    }

    async fn look_at(&self, base_url: &str, token: &Token, app_secret: &str) -> Result<String, CallError> {
        match token.marketplace.as_str() {
            "temu" => self.mall_at_temu(base_url, token, app_secret).await,
            _ => self.shops_at_tiktok_shop(base_url, token, app_secret).await,
        }
    }

    async fn shops_at_tiktok_shop(&self, base_url: &str, token: &Token, app_secret: &str) -> Result<String, CallError> {
        let path = "/authorization/202309/shops";
        let header = token.api.token_header.as_deref().unwrap_or("x-tts-access-token");
        let mut query =
            BTreeMap::from([("app_key", token.api.app_key.clone()), ("timestamp", unix_time().to_string())]);
        let sign = sign_for_tiktok_shop(app_secret, path, &query, "");
        query.insert("sign", sign);
        let request = self.http.get(format!("{base_url}{path}")).query(&query);
        let request = request.header(header, &token.access_token).header("content-type", "application/json");
        let answer = read(request.send().await?).await?;
        let failed = || format!("TikTok Shop answered {}, request {}", answer["code"], text(&answer["request_id"]));
        match answer["code"].as_i64() {
            Some(0) => {
                let shops = answer["data"]["shops"].as_array().into_iter().flatten();
                Ok(shops.filter_map(|shop| shop["id"].as_str()).fold("shops".into(), |list, id| format!("{list} {id}")))
            }
            Some(105_001 | 105_002) => Err(CallError::TokenRejected),
            // Said of many things; of the token in several spellings.
            Some(36_009_004)
                if text(&answer["message"]).to_lowercase().replace(['-', '_'], " ").contains("access token") =>
            {
                Err(CallError::TokenRejected)
            }
            Some(106_001) => Err(CallError::SignRejected(failed())),
            _ => Err(CallError::Failed(failed())),
        }
    }

    async fn mall_at_temu(&self, base_url: &str, token: &Token, app_secret: &str) -> Result<String, CallError> {
        let mut call = BTreeMap::from([
            ("type", json!("bg.open.accesstoken.info.get")),
            ("app_key", json!(token.api.app_key)),
            ("access_token", json!(token.access_token)),
            ("timestamp", json!(unix_time())),
            ("data_type", json!("JSON")),
        ]);
        let sign = sign_for_temu(app_secret, &call);
        call.insert("sign", json!(sign));
        let answer = read(self.http.post(base_url).json(&call).send().await?).await?;
        let failed = || format!("Temu answered {}, request {}", answer["errorCode"], text(&answer["requestId"]));
        match answer["errorCode"].as_i64() {
            // Unknown, expired or replaced, not authorized any more.
            Some(3_000_030 | 3_000_031 | 3_000_034 | 5_000_000) => Err(CallError::TokenRejected),
            _ if answer["success"] == true => Ok(format!("mall {}", answer["result"]["mallId"])),
            Some(3_000_001) => Err(CallError::SignRejected(failed())),
            _ => Err(CallError::Failed(failed())),
        }
    }
}

fn sign_for_tiktok_shop(app_secret: &str, path: &str, query: &BTreeMap<&str, String>, body: &str) -> String {
    let mut text = format!("{app_secret}{path}");
    for (key, value) in query.iter().filter(|(key, _)| !["sign", "access_token"].contains(key)) {
        text.push_str(key);
        text.push_str(value);
    }
    text.push_str(body);
    text.push_str(app_secret);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn sign_for_temu(app_secret: &str, call: &BTreeMap<&str, Value>) -> String {
    let mut text = String::from(app_secret);
    for (key, value) in call.iter().filter(|(key, _)| **key != "sign") {
        text.push_str(key);
        match value {
            Value::String(value) => text.push_str(value),
            other => text.push_str(&other.to_string()),
        }
    }
    text.push_str(app_secret);
    hex::encode_upper(Md5::digest(text.as_bytes()))
}

/// A marketplace in trouble says nothing of the token.
async fn read(response: reqwest::Response) -> Result<Value, CallError> {
    let status = response.status();
    if status.as_u16() == 429 || status.is_server_error() {
        return Err(CallError::Failed(format!("the marketplace answered with HTTP {}", status.as_u16())));
    }
    Ok(response.json().await?)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("without an id")
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        let query = BTreeMap::from([("timestamp", "1623812664".to_owned()), ("app_key", "29a39d".to_owned())]);
        assert_eq!(
            sign_for_tiktok_shop("e59af819cc", "/authorization/202309/shops", &query, ""),
            "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"
        );
        let call = BTreeMap::from([("zebra", json!(1)), ("apple", json!(2))]);
        assert_eq!(sign_for_temu("s", &call), "35600EDD53615FA773EE86B752F7148F");
    }
}
