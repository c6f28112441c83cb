//! An event of API Gateway: JSON, whatever is in it.

use serde_json::{Value, json};
use shop_keyring::http_event::request_of;

/// Every event makes a request. Of one that is an object, what the client sent is in it: the query's bytes, and each cookie
/// that HTTP allows.
pub fn raw_event(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    drop(request_of(text));
    let Ok(Value::Object(given)) = serde_json::from_str(text) else { return };
    let query = given.get("rawQueryString").and_then(Value::as_str).unwrap_or_default();
    let cookies: Vec<_> = given.get("cookies").and_then(Value::as_array).into_iter().flatten().collect();
    let cookies: Vec<_> = cookies.into_iter().filter_map(Value::as_str).collect();
    let event = json!({
        "version": "2.0", "rawPath": "/connect/x", "rawQueryString": query, "cookies": cookies, "headers": {},
        "requestContext": { "http": { "method": "GET" } }, "isBase64Encoded": false,
    });
    let request = request_of(&event.to_string());
    if query.len() < 10_000 {
        assert_eq!(decoded(request.uri().query().unwrap_or_default()), decoded(query), "the query is another one");
    }
    let sent = request.headers().get("cookie").map(|value| value.as_bytes().to_vec()).unwrap_or_default();
    for cookie in cookies.iter().filter(|cookie| !cookie.is_empty() && !cookie.contains(char::is_control)) {
        let is_there = sent.windows(cookie.len()).any(|window| window == cookie.as_bytes());
        assert!(is_there, "a cookie is lost");
    }
}

fn decoded(query: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(query).collect()
}
