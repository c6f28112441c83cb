//! Events as API Gateway writes them for requests that no one expects. Real HTTP clients cannot send these, and the emulated
//! gateway would not pass them on; so the functions are invoked with them, through the real runtime API.

use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};

use crate::setting::{SELLER_1, US_APP_KEY, connected};

/// An event of payload format 2.0 with these fields changed. Its shape is that of events that others have recorded from real
/// HTTP APIs and published: the path decoded, the query as it was sent, cookies apart, header names in lower case.
fn event(method: &str, path: &str, changed: Value) -> Value {
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*", "content-length": "0", "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "user-agent": "curl/8.7.1", "x-amzn-trace-id": "Root=1-6a5143d9-0f2b6c1e5d4a3b2c1d0e9f8a",
            "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https"
        },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "curl/8.7.1"
            },
            "requestId": "ATfSmjLgPHcESJw=", "routeKey": "$default", "stage": "$default",
            "time": "10/Jul/2026:19:19:05 +0000", "timeEpoch": 1_783_711_145_000_i64
        },
        "isBase64Encoded": false
    });
    let Value::Object(changed) = changed else { panic!("fields") };
    event.as_object_mut().unwrap().extend(changed);
    event
}

fn get(path: &str, query: &str) -> Value {
    event("GET", path, json!({ "rawQueryString": query }))
}

fn with_header(name: &str, value: &str) -> Value {
    event("GET", "/webhooks/tiktok-shop/us", json!({ "headers": { name: value } }))
}

/// The same as a signed request to the services' API.
fn signed(mut event: Value) -> Value {
    event["requestContext"]["authorizer"] = json!({ "iam": {
        "accessKey": "AKIAIOSFODNN7EXAMPLE", "accountId": "123456789012", "callerId": "AIDA", "cognitoIdentity": null,
        "principalOrgId": null, "userArn": "arn:aws:iam::123456789012:user/order-hub", "userId": "AIDA"
    }});
    event
}

/// What the function responds; panics if Lambda would answer in its place.
async fn answered(stack: &Stack, function: Function, event: &Value) -> (u64, Value) {
    let answer = stack.invoke(function, event).await.unwrap_or_else(|error| panic!("{event}: {error}"));
    let response = answer.expect(200).json();
    let status = response["statusCode"].as_u64().unwrap_or_else(|| panic!("{event}: {response}"));
    (status, response)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_a_seller_or_a_scanner_is_answered() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let callback = "/callback/tiktok-shop/us";
    let process = stack.processes(Function::OauthCallback);
    for (event, expected) in [
        (get("/", ""), 404),
        (get("/connect", ""), 404),
        (get("/connect/", ""), 404),
        (get("/.env", ""), 404),
        (get("//hello", ""), 404),
        (get("/wp login/<script>", ""), 404),
        (get("/connect/a%b?c#d", ""), 404),
        (get("/connect/\u{1f600}\u{0}\u{7f}\u{fffd}", ""), 404),
        (get("/connect/../../etc/passwd", ""), 404),
        (get("no-slash", ""), 404),
        (get("/connect/unknown/", ""), 404),
        (get(callback, "code=a b&state=c d"), 400),
        (get(callback, r#"code="<x>"&state='"#), 400),
        (get(callback, "code=%ZZ&state=%2&x=%"), 400),
        (get(callback, "code=\u{0}\u{1}\u{9}\u{a}\u{7f}&state=é\u{fffd}"), 400),
        (get(callback, "code={}|\\^`[]&state=#fragment"), 400),
        (get(callback, &format!("state={}", "é".repeat(20_000))), 404),
        (event("HEAD", "/connect/unknown", json!({})), 404),
        (event("PROPFIND", "/connect/unknown", json!({})), 404),
        (event("GE T", "/connect/unknown", json!({})), 404),
        (event("GET", "/webhooks/tiktok-shop/us", json!({})), 405),
        (with_header("user-agent", "Beno\u{ee}t's"), 405),
        (with_header("referer", "https://x.example/\u{1}\n\u{7f}"), 405),
        (with_header("bad name", "x"), 405),
        (with_header("host", "foo\"><script>"), 405),
        (with_header("x-forwarded-proto", "https,http"), 405),
        (
            event(
                "GET",
                callback,
                json!({ "rawQueryString": "code=c&state=s", "cookies": ["a=\u{1}", "é=\u{ff}", ";", ""] }),
            ),
            400,
        ),
        (event("POST", "/connect/unknown/temu", json!({ "body": "not base64!", "isBase64Encoded": true })), 404),
        (event("POST", "/webhooks/tiktok-shop/us", json!({ "body": "=", "isBase64Encoded": true })), 401),
        (json!({}), 404),
    ] {
        let (status, response) = answered(&stack, Function::OauthCallback, &event).await;
        assert_eq!(status, expected, "{event}: {response}");
        assert_eq!(response["headers"]["cache-control"], "no-store", "{event}");
    }
    assert_eq!(stack.processes(Function::OauthCallback), process, "no process has died");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_a_service_is_answered() {
    let stack = connected(Options::default()).await;
    let (token, connections) = (format!("/v1/connections/{SELLER_1}/token"), "/v1/connections");
    let session = json!({ "headers": { "content-type": "application/json" }, "body": "e30", "isBase64Encoded": true });
    for (event, expected) in [
        (signed(get(&token, "")), 200),
        (signed(event("GET", &token, json!({ "cookies": ["a=\u{1}"], "headers": { "x-a": "b\u{0}" } }))), 200),
        (signed(event("GET", &token, json!({ "headers": { "host": "a b", "x-forwarded-proto": "" } }))), 200),
        (get(&token, ""), 403),
        (signed(get(&token, "min_ttl=a b")), 400),
        (signed(get(connections, r#"account_id="<x>""#)), 200),
        (signed(get("/v1/connections/%2e%2e/x", "")), 400),
        (signed(get("/v1/connections/../x", "")), 400),
        (signed(get("/v1/unknown", "")), 404),
        (signed(event("GE T", connections, json!({}))), 405),
        (signed(event("POST", "/v1/connect-sessions", session)), 400),
        (json!({}), 403),
    ] {
        let (status, response) = answered(&stack, Function::TokenLookup, &event).await;
        assert_eq!(status, expected, "{event}: {response}");
    }
    assert!(stack.tiktok_shop().newest_access_token(US_APP_KEY, "seller-1").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_at_the_end_of_an_address_makes_no_difference() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let browser = stack.browser();
    drop(browser.open(&format!("{}/", session.connect_url)).await.expect(200));
    let left = browser.open(&format!("{}/tiktok-shop/us/", session.connect_url)).await;
    let mut callback = browser.authorize(&left.redirect(), "seller-1").await;
    callback.set_path(&format!("{}/", callback.path()));
    assert_eq!(browser.come_back(&callback).await.parameter("status").as_deref(), Some("connected"));
    for path in ["/", "/connect", "/connect/", "/favicon.ico"] {
        let page = browser.open(path).await.expect(404);
        assert!(page.body.contains("There is no such page"), "{path}: {}", page.body);
    }
}
