//! The vendor's services, as they call the API: with requests signed by an IAM user's key.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use emulators::gateway::Credential;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{answer::Answer, secrets::Seen};

/// The Region that requests are signed for.
pub const REGION: &str = "us-east-1";

/// A signing client of the API. Clones are the same caller.
#[derive(Debug, Clone)]
pub struct VendorApi {
    pub(crate) client: reqwest::Client,
    pub(crate) base_url: String,
    pub(crate) secrets_manager_url: String,
    pub(crate) credential: Credential,
    pub(crate) return_url: String,
    pub(crate) seen: Seen,
}

/// A connect session just opened.
#[derive(Debug, Clone)]
pub struct ConnectSession {
    /// Not secret.
    pub session_id: String,
    /// The link for the seller.
    pub connect_url: String,
}

impl VendorApi {
    /// Access key and secret key, as curl's `--user` wants them.
    pub fn user(&self) -> String {
        format!("{}:{}", self.credential.access_key_id, self.credential.secret_access_key)
    }

    /// The variables that the clients of `examples/` need to be this caller.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let credential = self.credential.clone();
        let mut variables = vec![
            ("KEYRING_URL", self.base_url.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.secrets_manager_url.clone()),
            ("AWS_ACCESS_KEY_ID", credential.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", credential.secret_access_key),
        ];
        variables.extend(credential.session_token.map(|token| ("AWS_SESSION_TOKEN", token)));
        variables
    }

    /// The same caller at another gateway.
    pub fn at(&self, base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..self.clone() }
    }

    /// `POST /v1/connect-sessions` with this very body.
    pub async fn open_session(&self, body: &Value) -> Answer {
        let answer = self.send(Method::POST, "/v1/connect-sessions", Some(body)).await;
        if let Some(token) = serde_json::from_str::<Value>(&answer.body)
            .ok()
            .and_then(|opened| Some(opened["connect_url"].as_str()?.rsplit('/').next()?.to_owned()))
        {
            self.seen.note(&token);
        }
        answer
    }

    /// Opens a session, with the stack's own `return_url` unless the body names one; panics unless it is opened.
    pub async fn connect_session(&self, mut body: Value) -> ConnectSession {
        if body.get("return_url").is_none() {
            body["return_url"] = json!(self.return_url);
        }
        let opened = self.open_session(&body).await.expect(201).json();
        let text = |name: &str| opened[name].as_str().expect("a text").to_owned();
        ConnectSession { session_id: text("session_id"), connect_url: text("connect_url") }
    }

    /// `GET /v1/connect-sessions/{id}`
    pub async fn session(&self, id: &str) -> Answer {
        self.send(Method::GET, &format!("/v1/connect-sessions/{id}"), None).await
    }

    /// `POST /v1/connect-sessions/{id}/confirm`
    pub async fn confirm(&self, id: &str, result: &str) -> Answer {
        let body = json!({ "result": result });
        self.send(Method::POST, &format!("/v1/connect-sessions/{id}/confirm"), Some(&body)).await
    }

    /// The same for the account of the person who is logged in.
    pub async fn confirm_for(&self, id: &str, result: &str, account: &str) -> Answer {
        let body = json!({ "result": result, "account_id": account });
        self.send(Method::POST, &format!("/v1/connect-sessions/{id}/confirm"), Some(&body)).await
    }

    /// `GET /v1/connections/{connection}/token`
    pub async fn token(&self, connection: &str) -> Answer {
        self.send(Method::GET, &format!("/v1/connections/{connection}/token"), None).await
    }

    /// The same with `?min_ttl=`.
    pub async fn token_for(&self, connection: &str, min_ttl: u32) -> Answer {
        self.send(Method::GET, &format!("/v1/connections/{connection}/token?min_ttl={min_ttl}"), None).await
    }

    /// `GET /v1/shops/{marketplace}/{app}/{shop_id}/token`, for `tiktok-shop/us/shop-1`.
    pub async fn token_by_shop(&self, shop: &str) -> Answer {
        self.send(Method::GET, &format!("/v1/shops/{shop}/token"), None).await
    }

    /// `GET /v1/connections/{connection}`
    pub async fn connection(&self, connection: &str) -> Answer {
        self.send(Method::GET, &format!("/v1/connections/{connection}"), None).await
    }

    /// `GET /v1/connections?{query}`
    pub async fn connections(&self, query: &str) -> Answer {
        self.send(Method::GET, &format!("/v1/connections?{query}"), None).await
    }

    /// `GET /v1/connections?{query}` from page to page until the end; gives the connections of each page. Panics unless
    /// all are there.
    pub async fn all_connections(&self, query: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.connections_from(query, cursor.as_deref()).await.expect(200).json();
            pages.push(page["connections"].as_array().expect("a list").clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return pages,
            }
        }
    }

    /// The page of a list that begins at a cursor.
    pub async fn connections_from(&self, query: &str, cursor: Option<&str>) -> Answer {
        match cursor {
            Some(cursor) => self.connections(&format!("{query}&cursor={cursor}")).await,
            None => self.connections(query).await,
        }
    }

    /// `PATCH /v1/connections/{connection}` with this `If-Match`, if any.
    pub async fn patch(&self, connection: &str, if_match: Option<&str>, body: &Value) -> Answer {
        let headers = if_match.map(|tag| ("if-match", tag));
        let path = format!("/v1/connections/{connection}");
        self.send_with(Method::PATCH, &path, headers.as_slice(), &body.to_string()).await
    }

    /// `DELETE /v1/connections/{connection}`
    pub async fn disconnect(&self, connection: &str) -> Answer {
        self.send(Method::DELETE, &format!("/v1/connections/{connection}"), None).await
    }

    /// `POST /v1/connections/{connection}/refresh`
    pub async fn refresh(&self, connection: &str, rejected_version: u64) -> Answer {
        let body = json!({ "rejected_version": rejected_version });
        self.send(Method::POST, &format!("/v1/connections/{connection}/refresh"), Some(&body)).await
    }

    /// Any signed request, with a body as JSON.
    pub async fn send(&self, method: Method, path_and_query: &str, body: Option<&Value>) -> Answer {
        self.send_with(method, path_and_query, &[], &body.map(Value::to_string).unwrap_or_default()).await
    }

    /// Any signed request, with further headers and any text as its body. A `content-type` among them takes the place of
    /// JSON's; an empty one leaves it out.
    pub async fn send_with(
        &self,
        method: Method,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        for (name, value) in headers {
            all.retain(|(known, _)| known != name);
            all.push((name, value));
        }
        all.retain(|(_, value)| !value.is_empty());
        let signed = self.signature(&method, path_and_query, &all, body);
        let mut request = self.request(method, path_and_query, &all, body);
        for (name, value) in signed {
            request = request.header(name, value);
        }
        answered(request).await
    }

    /// The same without a signature.
    pub async fn send_unsigned(&self, method: Method, path_and_query: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        answered(self.request(method, path_and_query, &[("content-type", "application/json")], &body)).await
    }

    fn request(
        &self,
        method: Method,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path_and_query}", self.base_url)).body(body.to_owned());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    fn signature(
        &self,
        method: &Method,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Vec<(String, String)> {
        let Credential { access_key_id, secret_access_key, session_token, .. } = self.credential.clone();
        let identity = Credentials::new(access_key_id, secret_access_key, session_token, None, "vendor").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("execute-api")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .expect("complete signing parameters")
            .into();
        let url = format!("{}{path_and_query}", self.base_url);
        let headers = headers.iter().copied();
        let request = SignableRequest::new(method.as_str(), url, headers, SignableBody::Bytes(body.as_bytes()));
        let (instructions, _) = sign(request.expect("a URL"), &params).expect("a signature").into_parts();
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Answer {
    Answer::to(request).await.unwrap_or_else(|error| panic!("the API does not answer: {error}"))
}
