//! One signed call at each marketplace, with a token from the keyring and the app's secret.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::Mutex;

use crate::tokens::Token;

const PATIENCE: Duration = Duration::from_secs(30);

/// Why a call came to nothing.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The marketplace does not take the token.
    TokenRejected,
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
    read: Mutex<HashMap<String, Arc<str>>>,
}

#[derive(Deserialize)]
struct AppSecret {
    app_key: String,
    app_secret: String,
}

impl AppSecrets {
    pub(crate) fn new(client: aws_sdk_secretsmanager::Client, prefix: String) -> Self {
        Self { client, prefix, read: Mutex::default() }
    }

    async fn of(&self, token: &Token) -> Result<Arc<str>, CallError> {
        let mut read = self.read.lock().await;
        if let Some(secret) = read.get(&token.api.app_key) {
            return Ok(Arc::clone(secret));
        }
        let name = format!("{}/apps/{}/{}", self.prefix, token.marketplace, token.app);
        let unreadable = || CallError::Failed(format!("{name} cannot be read"));
        let answer = self.client.get_secret_value().secret_id(&name).send().await.map_err(|_| unreadable())?;
        let secret: AppSecret =
            serde_json::from_str(answer.secret_string().unwrap_or_default()).map_err(|_| unreadable())?;
        if secret.app_key != token.api.app_key {
            return Err(CallError::Failed(format!("{name} is the secret of another app key than the token's")));
        }
        let app_secret: Arc<str> = secret.app_secret.into();
        read.insert(secret.app_key, Arc::clone(&app_secret));
        Ok(app_secret)
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
        let app_secret = self.secrets.of(token).await?;
        match token.marketplace.as_str() {
            "temu" => self.mall_at_temu(token, &app_secret).await,
            _ => self.shops_at_tiktok_shop(token, &app_secret).await,
        }
    }

    async fn shops_at_tiktok_shop(&self, token: &Token, app_secret: &str) -> Result<String, CallError> {
        let path = "/authorization/202309/shops";
        let header = token.api.token_header.as_deref().unwrap_or("x-tts-access-token");
        let mut query =
            BTreeMap::from([("app_key", token.api.app_key.clone()), ("timestamp", unix_time().to_string())]);
        let sign = sign_for_tiktok_shop(app_secret, path, &query, "");
        query.insert("sign", sign);
        let request = self.http.get(format!("{}{path}", token.api.base_url)).query(&query);
        let request = request.header(header, &token.access_token).header("content-type", "application/json");
        let answer: Value = request.send().await?.json().await?;
        match answer["code"].as_i64() {
            Some(0) => {
                let shops = answer["data"]["shops"].as_array().into_iter().flatten();
                Ok(shops.filter_map(|shop| shop["id"].as_str()).fold("shops".into(), |list, id| format!("{list} {id}")))
            }
            Some(105_002) => Err(CallError::TokenRejected),
            // Said of many things.
            Some(36_009_004) if answer["message"].as_str().is_some_and(|message| message.contains(header)) => {
                Err(CallError::TokenRejected)
            }
            _ => Err(CallError::Failed(format!("TikTok Shop answered {}", answer["code"]))),
        }
    }

    async fn mall_at_temu(&self, token: &Token, app_secret: &str) -> Result<String, CallError> {
        let mut call = BTreeMap::from([
            ("type", json!("bg.open.accesstoken.info.get")),
            ("app_key", json!(token.api.app_key)),
            ("access_token", json!(token.access_token)),
            ("timestamp", json!(unix_time())),
            ("data_type", json!("JSON")),
        ]);
        let sign = sign_for_temu(app_secret, &call);
        call.insert("sign", json!(sign));
        let answer: Value = self.http.post(&token.api.base_url).json(&call).send().await?.json().await?;
        match answer["errorCode"].as_i64() {
            // Unknown, expired or replaced, not authorized any more.
            Some(3_000_030 | 3_000_031 | 3_000_034 | 5_000_000) => Err(CallError::TokenRejected),
            _ if answer["success"] == true => Ok(format!("mall {}", answer["result"]["mallId"])),
            _ => Err(CallError::Failed(format!("Temu answered {}", answer["errorCode"]))),
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
