//! What functions return, as responses.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// A refusal in the gateway's own words.
pub(super) fn refusal(status: StatusCode, message: &str) -> Response {
    let body = json!({ "message": message }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

/// The header by which users report a request.
pub(super) fn sign_off(response: &mut Response, request_id: &str) {
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("apigw-requestid", request_id);
    }
}

/// What a function's output means. Without a `statusCode` the whole output is the body of a 200.
pub(super) fn response(output: &[u8]) -> Response {
    let broken = || refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    let Ok(answer) = serde_json::from_slice::<Value>(output) else {
        return broken();
    };
    if answer.get("statusCode").is_none() {
        return ([(header::CONTENT_TYPE, "application/json")], Body::from(output.to_vec())).into_response();
    }
    translated(&answer).unwrap_or_else(broken)
}

fn translated(answer: &Value) -> Option<Response> {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok())?;
    let text = match &answer["body"] {
        Value::Null => "",
        body => body.as_str()?,
    };
    let body =
        if answer["isBase64Encoded"] == true { BASE64_STANDARD.decode(text).ok()? } else { text.as_bytes().to_vec() };
    let mut response = (StatusCode::from_u16(status).ok()?, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name: HeaderName = name.parse().ok()?;
        if is_the_gateways(&name) {
            continue;
        }
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.insert(name, value.parse().ok()?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, cookie.as_str()?.parse().ok()?);
    }
    Some(response)
}

/// Headers of the connection, which is between the gateway and its client.
fn is_the_gateways(name: &HeaderName) -> bool {
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name)
}
