//! Requests as events of payload format 2.0.

use std::{collections::BTreeMap, net::SocketAddr, time::SystemTime};

use axum::{
    body::Bytes,
    http::{HeaderMap, header, request::Parts},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Credential,
    config::{ACCOUNT_ID, API_ID},
    routes::Found,
};
use crate::times;

/// All that an event is made of.
pub(super) struct Incoming<'a> {
    pub(super) found: &'a Found<'a>,
    pub(super) caller: Option<&'a Credential>,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a Bytes,
    pub(super) source: SocketAddr,
    pub(super) request_id: &'a str,
    pub(super) now: SystemTime,
}

impl Incoming<'_> {
    pub(super) fn event(&self) -> Value {
        let query = self.parts.uri.query().unwrap_or("");
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.found.route.key,
            "rawPath": self.raw_path(),
            "rawQueryString": query,
            "headers": self.headers(),
            "requestContext": self.context(),
            "isBase64Encoded": false,
        });
        let cookies = cookies(&self.parts.headers);
        if !cookies.is_empty() {
            event["cookies"] = cookies.into();
        }
        if !query.is_empty() {
            event["queryStringParameters"] = query_parameters(query);
        }
        if !self.found.path_parameters.is_empty() {
            let parameters = self.found.path_parameters.iter();
            let parameters = parameters.map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
            event["pathParameters"] = parameters.collect::<Map<_, _>>().into();
        }
        if !self.body.is_empty() {
            match std::str::from_utf8(self.body) {
                Ok(text) if is_text(&self.parts.headers) => event["body"] = text.into(),
                _ => {
                    event["body"] = BASE64_STANDARD.encode(self.body).into();
                    event["isBase64Encoded"] = true.into();
                }
            }
        }
        event
    }

    /// Not raw at all: HTTP APIs decode it, and what follows a decoded `?` is lost.
    fn raw_path(&self) -> String {
        let mut path = percent_decoded(self.parts.uri.path());
        if let Some(end) = path.find('?') {
            path.truncate(end);
        }
        path
    }

    fn headers(&self) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in &self.parts.headers {
            let apart = [header::COOKIE, header::CONNECTION, header::TRANSFER_ENCODING];
            if apart.contains(name) {
                continue;
            }
            let value = String::from_utf8_lossy(value.as_bytes());
            append(&mut headers, name.as_str(), &value);
        }
        headers.insert("content-length".to_owned(), self.body.len().to_string());
        append(&mut headers, "x-forwarded-for", &self.source.ip().to_string());
        let port = self.host().rsplit_once(':').map_or("80", |(_, port)| port).to_owned();
        headers.insert("x-forwarded-port".to_owned(), port);
        headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
        let trace = Uuid::new_v4().simple().to_string();
        headers
            .entry("x-amzn-trace-id".to_owned())
            .or_insert_with(|| format!("Root=1-{}-{}", &trace[..8], &trace[8..]));
        headers
    }

    fn host(&self) -> &str {
        self.parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("")
    }

    fn context(&self) -> Value {
        let domain = self.host().rsplit_once(':').map_or(self.host(), |(domain, _)| domain);
        let user_agent = self.parts.headers.get(header::USER_AGENT);
        let mut context = json!({
            "accountId": ACCOUNT_ID,
            "apiId": API_ID,
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": self.parts.method.as_str(),
                "path": self.raw_path(),
                "protocol": "HTTP/1.1",
                "sourceIp": self.source.ip().to_string(),
                "userAgent": user_agent.map(|agent| String::from_utf8_lossy(agent.as_bytes())).unwrap_or_default(),
            },
            "requestId": self.request_id,
            "routeKey": self.found.route.key,
            "stage": "$default",
            "time": times::access_log_time(self.now),
            "timeEpoch": times::epoch_millis(self.now),
        });
        if let Some(caller) = self.caller {
            context["authorizer"] = json!({ "iam": identity(caller) });
        }
        context
    }
}

fn identity(caller: &Credential) -> Value {
    json!({
        "accessKey": caller.access_key_id,
        "accountId": caller.account_id,
        "callerId": caller.user_id,
        "cognitoIdentity": null,
        "principalOrgId": null,
        "userArn": caller.user_arn,
        "userId": caller.user_id,
    })
}

/// The same in form as API Gateway's: eleven bytes.
pub(super) fn request_id(id: Uuid) -> String {
    BASE64_URL_SAFE.encode(&id.as_bytes()[..11])
}

fn append(headers: &mut BTreeMap<String, String>, name: &str, value: &str) {
    let joined = headers.entry(name.to_owned()).or_default();
    if !joined.is_empty() {
        joined.push(',');
    }
    joined.push_str(value);
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    values.map(|cookie| String::from_utf8_lossy(cookie).trim().to_owned()).collect()
}

fn query_parameters(query: &str) -> Value {
    let mut joined = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        append(&mut joined, &name, &value);
    }
    json!(joined)
}

/// Everything else arrives in base64: forms too, and what has no content type.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or("");
    let essence = essence.trim().to_ascii_lowercase();
    let text = ["application/json", "application/xml", "application/javascript"];
    essence.starts_with("text/") || text.contains(&essence.as_str())
}

/// `+` stays, for this is a path and not a form.
pub(super) fn percent_decoded(path: &str) -> String {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%').and_then(|digits| hex::decode(digits).ok());
        if let Some(byte) = escaped {
            decoded.extend(byte);
            rest = &after[2..];
        } else {
            decoded.push(first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
