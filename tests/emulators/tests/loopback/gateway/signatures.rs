//! Routes with IAM authorization.

use std::{
    io::Write,
    process::Stdio,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use emulators::gateway::Gateway;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, USER_ARN, event_in, gateway, known_credentials, refusal};
use crate::clients::http;

/// A request and how it is signed. The default is right in every respect.
struct Signed {
    method: &'static str,
    path: &'static str,
    body: &'static str,
    access_key_id: &'static str,
    secret_access_key: &'static str,
    session_token: Option<&'static str>,
    service: &'static str,
    region: &'static str,
    time: SystemTime,
    checksum: bool,
}

impl Default for Signed {
    fn default() -> Self {
        Self {
            method: "GET",
            path: "/v1/connections",
            body: "",
            access_key_id: ACCESS_KEY_ID,
            secret_access_key: SECRET_ACCESS_KEY,
            session_token: None,
            service: "execute-api",
            region: "us-east-1",
            time: SystemTime::now(),
            checksum: false,
        }
    }
}

impl Signed {
    fn request(&self, gateway: &Gateway) -> reqwest::RequestBuilder {
        let url = format!("{}{}", gateway.url(), self.path);
        let token = self.session_token.map(str::to_owned);
        let identity = Credentials::new(self.access_key_id, self.secret_access_key, token, None, "test").into();
        let mut settings = SigningSettings::default();
        if self.checksum {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.time)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let headers = [("content-type", "application/json")];
        let body = SignableBody::Bytes(self.body.as_bytes());
        let signable = SignableRequest::new(self.method, &url, headers.into_iter(), body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let method = self.method.parse().unwrap();
        let mut request = http().request(method, url).body(self.body);
        request = request.header("content-type", "application/json");
        for (name, value) in instructions.headers() {
            request = request.header(name, value);
        }
        request
    }

    async fn send(&self, gateway: &Gateway) -> reqwest::Response {
        self.request(gateway).send().await.unwrap()
    }
}

#[tokio::test]
async fn a_signed_request_carries_its_signer() {
    let gateway = gateway().await;
    let event = event_in(Signed::default().send(&gateway).await).await;
    assert_eq!(event["routeKey"], "ANY /v1/{proxy+}");
    assert_eq!(event["pathParameters"], json!({ "proxy": "connections" }));
    let user_id = known_credentials()[0].user_id.clone();
    assert_eq!(
        event["requestContext"]["authorizer"],
        json!({ "iam": {
            "accessKey": ACCESS_KEY_ID,
            "accountId": "123456789012",
            "callerId": user_id,
            "cognitoIdentity": null,
            "principalOrgId": null,
            "userArn": USER_ARN,
            "userId": user_id,
        }})
    );
}

#[tokio::test]
async fn what_may_be_signed() {
    let gateway = gateway().await;
    let post = || Signed { method: "POST", body: r#"{"rejected_version":7}"#, ..Signed::default() };
    let accepted = [
        Signed { path: "/v1/connections?status=active&account=a%20b&limit=", ..Signed::default() },
        Signed { path: "/v1/connections/temu/us/a.b-c_d/token?min_ttl=60", ..Signed::default() },
        Signed { path: "/v1/connections/with%20space", ..Signed::default() },
        Signed { checksum: true, ..post() },
        Signed { method: "DELETE", ..Signed::default() },
        Signed { access_key_id: "ASIDGATEWAY", session_token: Some("session/token+1=="), ..Signed::default() },
        Signed { time: SystemTime::now() - Duration::from_mins(4), ..Signed::default() },
    ];
    for signed in accepted {
        let response = signed.send(&gateway).await;
        assert_eq!(response.status(), 200, "{} {}", signed.method, signed.path);
    }
    let event = event_in(post().send(&gateway).await).await;
    assert_eq!(event["body"], r#"{"rejected_version":7}"#);
}

#[tokio::test]
async fn what_is_forbidden() {
    let gateway = gateway().await;
    let refused = [
        ("another secret", Signed { secret_access_key: "other", ..Signed::default() }),
        ("an unknown key", Signed { access_key_id: "AKIDOTHER", ..Signed::default() }),
        ("another service", Signed { service: "lambda", ..Signed::default() }),
        ("another Region", Signed { region: "eu-west-1", ..Signed::default() }),
        ("too old", Signed { time: SystemTime::now() - Duration::from_mins(6), ..Signed::default() }),
        ("too early", Signed { time: SystemTime::now() + Duration::from_mins(6), ..Signed::default() }),
        ("no session token", Signed { access_key_id: "ASIDGATEWAY", ..Signed::default() }),
        ("an unknown session token", Signed { session_token: Some("other"), ..Signed::default() }),
    ];
    for (why, signed) in refused {
        let answer = refusal(signed.send(&gateway).await).await;
        assert_eq!(answer, (403, "Forbidden".to_owned()), "{why}");
    }
    let unsigned = http().get(format!("{}/v1/connections", gateway.url())).send().await.unwrap();
    assert_eq!(refusal(unsigned).await.0, 403);
}

#[tokio::test]
async fn what_was_changed_after_signing_is_forbidden() {
    let gateway = gateway().await;
    let post = || Signed { method: "POST", body: "{}", checksum: true, ..Signed::default() };
    let mut path = post().request(&gateway).build().unwrap();
    path.url_mut().set_path("/v1/other");
    let mut query = post().request(&gateway).build().unwrap();
    query.url_mut().set_query(Some("limit=1"));
    let mut method = post().request(&gateway).build().unwrap();
    *method.method_mut() = reqwest::Method::PUT;
    let mut body = post().request(&gateway).build().unwrap();
    *body.body_mut() = Some("{ }".into());
    let mut unhashed = Signed { checksum: false, ..post() }.request(&gateway).build().unwrap();
    *unhashed.body_mut() = Some("{ }".into());
    let mut header = post().request(&gateway).build().unwrap();
    header.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    for (what, request) in [
        ("path", path),
        ("query", query),
        ("method", method),
        ("body", body),
        ("unhashed", unhashed),
        ("header", header),
    ] {
        let response = http().execute(request).await.unwrap();
        assert_eq!(refusal(response).await.0, 403, "{what}");
    }
}

/// What curl prints; `None`, and a line on the terminal, where there is no curl.
async fn curl(gateway: &Gateway, path: &str, more: &[&str]) -> Option<Value> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--aws-sigv4", "aws:amz:us-east-1:execute-api"])
        .args(["--user", &format!("{ACCESS_KEY_ID}:{SECRET_ACCESS_KEY}")])
        .args(more)
        .arg(format!("{}{path}", gateway.url()))
        .stdin(Stdio::null())
        .output()
        .await;
    let Ok(output) = output else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: signatures made by curl: no curl on PATH");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn curl_signs_so_that_it_is_understood() {
    let gateway = gateway().await;
    let Some(plain) = curl(&gateway, "/v1/connections", &[]).await else {
        return;
    };
    assert_eq!(plain["requestContext"]["authorizer"]["iam"]["userArn"], USER_ARN);
    let query = curl(&gateway, "/v1/connections?limit=5&status=active", &[]).await.unwrap();
    assert_eq!(query["queryStringParameters"], json!({ "limit": "5", "status": "active" }));
    let json = ["--header", "Content-Type: application/json", "--data", r#"{"account_id":"a"}"#];
    let post = curl(&gateway, "/v1/connect-sessions", &json).await.unwrap();
    assert_eq!(post["body"], r#"{"account_id":"a"}"#);
    let other = curl(&gateway, "/v1/connections", &["--user", "AKIDGATEWAY:other"]).await.unwrap();
    assert_eq!(other["message"], "Forbidden");
}
