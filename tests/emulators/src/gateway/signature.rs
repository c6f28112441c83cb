//! Who signed a request: Signature Version 4, checked by signing it again.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SessionTokenMode, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use axum::{
    body::Bytes,
    http::{HeaderMap, request::Parts},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Credential, config::REGION};
use crate::times;

const SERVICE: &str = "execute-api";
const SECURITY_TOKEN: &str = "x-amz-security-token";

/// A signature is good for this long before and after its time, lest recorded requests be replayed.
const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// What the header `Authorization` says.
struct Claim<'a> {
    access_key_id: &'a str,
    date: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

/// Whose signature the request bears, if it is valid.
pub(super) fn caller<'c>(
    parts: &Parts,
    body: &Bytes,
    credentials: &'c [Credential],
    now: SystemTime,
) -> Option<&'c Credential> {
    let claim = Claim::read(text(&parts.headers, "authorization")?)?;
    let credential = credentials.iter().find(|known| known.access_key_id == claim.access_key_id)?;
    if text(&parts.headers, SECURITY_TOKEN) != credential.session_token.as_deref() {
        return None;
    }
    let amz_date = text(&parts.headers, "x-amz-date")?;
    let time = times::amz_date(amz_date).filter(|_| amz_date.starts_with(claim.date))?;
    let skew = now.duration_since(time).unwrap_or_else(|early| early.duration());
    if skew > CLOCK_SKEW || !body_is_as_declared(&parts.headers, body) {
        return None;
    }
    let expected = signature(parts, body, &claim.signed_headers, credential, time)?;
    bool::from(expected.as_bytes().ct_eq(claim.signature.as_bytes())).then_some(credential)
}

impl<'a> Claim<'a> {
    fn read(authorization: &'a str) -> Option<Self> {
        let members = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let member = |name: &str| {
            let mut members = members.split(',').filter_map(|member| member.trim().split_once('='));
            members.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let mut scope = member("Credential")?.split('/');
        let (access_key_id, date) = (scope.next()?, scope.next()?);
        if !scope.eq([REGION, SERVICE, "aws4_request"]) {
            return None;
        }
        let signed_headers: Vec<_> = member("SignedHeaders")?.split(';').collect();
        let signature = member("Signature")?;
        signed_headers.contains(&"host").then_some(Self { access_key_id, date, signed_headers, signature })
    }
}

fn signature(
    parts: &Parts,
    body: &Bytes,
    signed_headers: &[&str],
    credential: &Credential,
    time: SystemTime,
) -> Option<String> {
    let token = credential.session_token.clone();
    let identity =
        Credentials::new(&credential.access_key_id, &credential.secret_access_key, token, None, "gateway").into();
    let mut settings = SigningSettings::default();
    // The client has decided what is signed.
    settings.excluded_headers = None;
    if !signed_headers.contains(&SECURITY_TOKEN) {
        settings.session_token_mode = SessionTokenMode::Exclude;
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(SERVICE)
        .time(time)
        .settings(settings)
        .build()
        .ok()?
        .into();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("http://{}{path}", text(&parts.headers, "host")?);
    let headers = parts.headers.iter().filter(|(name, _)| signed_headers.contains(&name.as_str()));
    let headers: Option<Vec<_>> = headers.map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let request =
        SignableRequest::new(parts.method.as_str(), uri, headers?.into_iter(), SignableBody::Bytes(body)).ok()?;
    Some(sign(request, &params).ok()?.signature().to_owned())
}

/// A declared hash must be the body's; the signature covers the body either way.
fn body_is_as_declared(headers: &HeaderMap, body: &Bytes) -> bool {
    text(headers, "x-amz-content-sha256").is_none_or(|declared| declared == hex::encode(Sha256::digest(body)))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
