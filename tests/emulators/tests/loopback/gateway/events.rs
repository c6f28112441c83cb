//! What functions are sent.

use serde_json::json;

use super::{event_in, gateway};
use crate::clients::http;

#[tokio::test]
async fn an_open_route() {
    let gateway = gateway().await;
    let request = http()
        .get(format!("{}/connect/s-1?a=1&a=2&b=x%20y+z", gateway.url()))
        .header("User-Agent", "test/1")
        .header("X-Twice", "one")
        .header("X-Twice", "two")
        .header("Cookie", "c=1; d=2")
        .header("X-Forwarded-For", "203.0.113.9");
    let event = event_in(request.send().await.unwrap()).await;
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "GET /connect/{session}");
    assert_eq!(event["rawPath"], "/connect/s-1");
    assert_eq!(event["rawQueryString"], "a=1&a=2&b=x%20y+z");
    assert_eq!(event["queryStringParameters"], json!({ "a": "1,2", "b": "x y z" }));
    assert_eq!(event["pathParameters"], json!({ "session": "s-1" }));
    assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event.get("body"), None);
    let headers = &event["headers"];
    assert_eq!(headers["x-twice"], "one,two");
    assert_eq!(headers["x-forwarded-for"], "203.0.113.9,127.0.0.1");
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert_eq!(headers["host"], gateway.server().address().to_string());
    assert_eq!(headers.get("cookie"), None);
}

#[tokio::test]
async fn its_context() {
    let gateway = gateway().await;
    let request = http().get(format!("{}/connect/s-1", gateway.url()));
    let response = request.header("User-Agent", "test/1").send().await.unwrap();
    let request_id = response.headers()["apigw-requestid"].to_str().unwrap().to_owned();
    let context = event_in(response).await["requestContext"].clone();
    assert_eq!(
        context["http"],
        json!({
            "method": "GET", "path": "/connect/s-1", "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1", "userAgent": "test/1",
        })
    );
    assert_eq!(context["requestId"], request_id);
    assert_eq!(request_id.len(), 16);
    assert_eq!(context["routeKey"], "GET /connect/{session}");
    assert_eq!(context["stage"], "$default");
    assert_eq!(context["accountId"], "123456789012");
    assert_eq!(context["domainName"], "127.0.0.1");
    assert!(context["time"].as_str().unwrap().ends_with(" +0000"));
    assert!(context["timeEpoch"].as_i64().unwrap() > 1_700_000_000_000);
    assert_eq!(context.get("authorizer"), None);
}

#[tokio::test]
async fn paths_arrive_decoded() {
    let gateway = gateway().await;
    let response = http().get(format!("{}/connect/a%2Fb%20c%3Fd", gateway.url())).send().await.unwrap();
    let event = event_in(response).await;
    assert_eq!(event["rawPath"], "/connect/a/b c");
    assert_eq!(event["pathParameters"]["session"], "a/b c?d");
}

#[tokio::test]
async fn only_text_arrives_as_text() {
    let gateway = gateway().await;
    let cases = [
        (Some("application/json"), "{}", false),
        (Some("text/plain; charset=utf-8"), "{}", false),
        (Some("application/x-www-form-urlencoded"), "e30=", true),
        (Some("application/problem+json"), "e30=", true),
        (None, "e30=", true),
    ];
    for (content_type, body, encoded) in cases {
        let mut request = http().post(format!("{}/connect/s/temu", gateway.url())).body("{}");
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        let event = event_in(request.send().await.unwrap()).await;
        assert_eq!(event["body"], body, "{content_type:?}");
        assert_eq!(event["isBase64Encoded"], encoded, "{content_type:?}");
        assert_eq!(event["headers"]["content-length"], "2");
    }
}
