//! What holds for all routes: only what a route takes, named where it is wrong, and the same headers on every answer.

use end_to_end::{Answer, Function, Options, VendorApi};
use reqwest::Method;
use serde_json::json;

use crate::setting::{SELLER_1, connected};

/// Method and path of every operation.
fn operations() -> Vec<(Method, String)> {
    let (one, id) = (format!("/v1/connections/{SELLER_1}"), "0".repeat(64));
    vec![
        (Method::GET, "/v1/connections".into()),
        (Method::GET, one.clone()),
        (Method::PATCH, one.clone()),
        (Method::DELETE, one.clone()),
        (Method::GET, format!("{one}/token")),
        (Method::POST, format!("{one}/refresh")),
        (Method::GET, "/v1/shops/tiktok-shop/us/shop-1/token".into()),
        (Method::POST, "/v1/connect-sessions".into()),
        (Method::GET, format!("/v1/connect-sessions/{id}")),
        (Method::POST, format!("/v1/connect-sessions/{id}/confirm")),
    ]
}

fn detail(answer: &Answer) -> String {
    answer.json()["detail"].as_str().unwrap().to_owned()
}

fn code(answer: &Answer) -> String {
    answer.code().unwrap_or_else(|| panic!("{}: no code: {}", answer.asked, answer.body))
}

/// What every answer has, a problem in its body as well.
fn is_signed_off(answer: &Answer) {
    let id = answer.header("x-request-id").unwrap_or_else(|| panic!("{}: no request id", answer.asked));
    assert_eq!(Some(id), answer.header("apigw-requestid"), "{}", answer.asked);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.asked);
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{}", answer.asked);
    if answer.status >= 400 && !answer.body.is_empty() {
        let problem = answer.json();
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.asked);
        assert_eq!(
            (&problem["request_id"], &problem["status"]),
            (&json!(id), &json!(answer.status)),
            "{}",
            answer.asked
        );
        assert!(problem["code"].is_string() && problem["title"].is_string() && problem["detail"].is_string());
    }
}

async fn send(vendor: &VendorApi, method: &Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let answer = vendor.send_with(method.clone(), path, headers, body).await;
    is_signed_off(&answer);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_takes_only_its_own_parameters() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    for (method, path) in operations() {
        let answer = send(&vendor, &method, &format!("{path}?verbose=1"), &[], "{}").await.expect(400);
        assert!(detail(&answer).contains("`verbose`"), "{method} {path}: {}", answer.body);
    }
    let path = format!("/v1/connections/{SELLER_1}/token");
    for (query, what) in
        [("min_ttl=5&min_ttl=5", "more than once"), ("min_ttl=x", "min_ttl"), ("min_ttl=86401", "86400")]
    {
        let answer = send(&vendor, &Method::GET, &format!("{path}?{query}"), &[], "").await.expect(400);
        assert!(detail(&answer).contains(what), "{}", answer.body);
    }
    assert_eq!(stack.vendor().connection(SELLER_1).await.expect(200).json()["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_json_and_not_too_long() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    for (method, path) in operations() {
        let takes_one = [Method::POST, Method::PATCH].contains(&method);
        let (long, headers) = (format!("{{{}", " ".repeat(16 * 1024)), [("if-match", "*")]);
        let answer = send(&vendor, &method, &path, &headers, &long).await;
        if takes_one {
            assert_eq!((answer.status, code(&answer).as_str()), (413, "body_too_long"), "{method} {path}");
            for content_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
                let headers = [("if-match", "*"), ("content-type", content_type)];
                let answer = send(&vendor, &method, &path, &headers, "{}").await.expect(415);
                assert_eq!(code(&answer), "unsupported_media_type", "{method} {path}");
                assert!(detail(&answer).contains("application/json"));
            }
            let answer = send(&vendor, &method, &path, &headers, "{\"").await.expect(400);
            assert!(detail(&answer).starts_with("The body"), "{}", answer.body);
        } else {
            assert_ne!(answer.status, 413, "{method} {path}: its body means nothing");
        }
    }
    // As long as may be.
    let body = json!({ "account_id": "acme", "confirm": false, "account_label": "Acme" }).to_string();
    let body = format!("{body}{}", " ".repeat(16 * 1024 - body.len()));
    let with_charset = [("content-type", "application/json; charset=utf-8")];
    drop(send(&vendor, &Method::POST, "/v1/connect-sessions", &with_charset, &body).await.expect(201));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_not_too_long() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let path = format!("/v1/connections/{SELLER_1}/token");
    let answer = send(&vendor, &Method::GET, &path, &[("x-filler", &"x".repeat(8 * 1024))], "").await.expect(431);
    assert_eq!(code(&answer), "headers_too_long");
    drop(send(&vendor, &Method::GET, &path, &[("x-filler", &"x".repeat(5 * 1024))], "").await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_for_metadata_and_no_token_is_read_by_it() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    for (method, path) in operations().into_iter().filter(|(method, _)| *method == Method::GET) {
        let (got, head) =
            (send(&vendor, &method, &path, &[], "").await, send(&vendor, &Method::HEAD, &path, &[], "").await);
        assert_eq!(head.body, "", "{path}");
        if path.ends_with("/token") {
            assert_eq!((head.status, head.header("allow")), (405, Some("GET, OPTIONS")), "{path}");
        } else {
            assert_eq!((head.status, head.header("etag")), (got.status, got.header("etag")), "{path}");
        }
    }
    stack.stop_functions();
    let reads = stack.output_of(Function::TokenLookup).matches("token read").count();
    assert_eq!(reads, 2, "those by GET");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_path_takes_is_told() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    for (path, allow) in [
        ("/v1/connections".to_owned(), "GET, HEAD, OPTIONS"),
        (format!("/v1/connections/{SELLER_1}"), "GET, HEAD, PATCH, DELETE, OPTIONS"),
        (format!("/v1/connections/{SELLER_1}/token"), "GET, OPTIONS"),
        (format!("/v1/connections/{SELLER_1}/refresh"), "POST, OPTIONS"),
        ("/v1/shops/tiktok-shop/us/shop-1/token".to_owned(), "GET, OPTIONS"),
        ("/v1/connect-sessions".to_owned(), "POST, OPTIONS"),
        (format!("/v1/connect-sessions/{}", "0".repeat(64)), "GET, HEAD, OPTIONS"),
        (format!("/v1/connect-sessions/{}/confirm", "0".repeat(64)), "POST, OPTIONS"),
    ] {
        let options = send(&vendor, &Method::OPTIONS, &path, &[], "").await.expect(204);
        assert_eq!((options.header("allow"), options.body.as_str()), (Some(allow), ""), "{path}");
        for method in [Method::PUT, Method::TRACE, Method::DELETE, Method::POST] {
            if !allow.contains(method.as_str()) {
                let answer = send(&vendor, &method, &path, &[], "").await.expect(405);
                assert_eq!(
                    (code(&answer).as_str(), answer.header("allow")),
                    ("method_not_allowed", Some(allow)),
                    "{path}"
                );
            }
        }
    }
    for method in [Method::GET, Method::OPTIONS, Method::POST] {
        assert_eq!(code(&send(&vendor, &method, "/v1/nothing", &[], "").await.expect(404)), "route_not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_says_which_segment_is_wrong() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let long = "1".repeat(257);
    for (path, segment) in [
        ("/v1/connections/amazon/us/1", "`marketplace`"),
        ("/v1/connections/temu/US/1/token", "`app`"),
        (&format!("/v1/connections/temu/us/{long}"), "`seller_id`"),
        (&format!("/v1/shops/temu/us/{long}/token"), "`shop_id`"),
    ] {
        let answer = send(&vendor, &Method::GET, path, &[], "").await.expect(400);
        assert_eq!(code(&answer), "bad_request");
        assert!(detail(&answer).contains(segment), "{}", answer.body);
    }
}
