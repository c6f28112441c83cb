//! API Gateway's events, made safe before `lambda_http` reads them.
//!
//! API Gateway passes on what a client sends: spaces and quotes in the query, control characters in a header, cookies in
//! any encoding. `lambda_http` fails or panics at some of it, and then Lambda answers 500 and starts a new execution
//! environment; one cookie that is not ASCII hides all others. So every event passes through [`request_of`] first, which
//! makes a request of any event: what can be escaped is escaped, a header that HTTP does not allow is left out.

use std::fmt::Debug;

use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_http::{
    Adapter, Error, IntoResponse, LambdaEvent, Request, Service,
    aws_lambda_events::apigw::ApiGatewayV2httpRequest,
    http::{HeaderName, HeaderValue, Method, header},
    lambda_runtime::{self, Diagnostic},
    request::LambdaRequest,
    service_fn,
};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, value::RawValue};

/// Characters that are escaped in a path. API Gateway hands it over decoded, so a `%` in it stands for itself.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Characters that are escaped in a query (RFC 3986 §3.4). Its `%` begins an escape that the client wrote.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/')
    .remove(b'?')
    .remove(b'%');

/// Longest path and query together, escaped, in bytes: API Gateway takes 10,240 for all of a request's line and headers.
const LONGEST_TARGET: usize = 32 * 1024;

/// Handles events until the runtime ends the process.
///
/// # Errors
/// When the runtime API fails.
pub async fn serve<S, R, E>(service: S) -> Result<(), Error>
where
    S: Service<Request, Response = R, Error = E>,
    S::Future: Send + 'static,
    R: IntoResponse + 'static,
    E: Debug + Into<Diagnostic> + 'static,
{
    let mut adapter = Adapter::from(service);
    let answer = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let LambdaEvent { payload, context } = event;
        adapter.call(LambdaEvent { payload: LambdaRequest::ApiGatewayV2(readable(payload.get())), context })
    });
    lambda_runtime::run(answer).await
}

/// The request that an event stands for, as a function's routes see it.
pub fn request_of(event: &str) -> Request {
    LambdaRequest::ApiGatewayV2(readable(event)).into()
}

/// The event, so that `lambda_http` makes a request of it. One that cannot be read at all becomes a request
/// for `/` without a caller.
fn readable(event: &str) -> ApiGatewayV2httpRequest {
    let read = serde_json::from_str(event).ok().or_else(|| without_what_http_forbids(event));
    let mut event: ApiGatewayV2httpRequest = read.unwrap_or_else(|| {
        tracing::warn!("an event cannot be read");
        ApiGatewayV2httpRequest::default()
    });
    let path = event.raw_path.take().filter(|path| path.starts_with('/'));
    let mut path = utf8_percent_encode(path.as_deref().unwrap_or("/"), PATH).to_string();
    let mut query = utf8_percent_encode(event.raw_query_string.as_deref().unwrap_or_default(), QUERY).to_string();
    if path.len() + query.len() > LONGEST_TARGET {
        tracing::warn!("a request's path and query are longer than any that API Gateway takes");
        (path, query) = ("/".into(), String::new());
    }
    (event.raw_path, event.raw_query_string) = (Some(path), Some(query));
    // `lambda_http` would make an absolute URI of them, and panic if the host is invalid.
    event.headers.remove(header::HOST);
    event.request_context.domain_name = None;
    event.request_context.stage = None;
    if let Some(cookies) = event.cookies.take() {
        event.headers.remove(header::COOKIE);
        event.headers.extend(cookie_header(&cookies).map(|value| (header::COOKIE, value)));
    }
    let encoded = event.body.as_deref().filter(|_| event.is_base64_encoded);
    if encoded.is_some_and(|body| BASE64_STANDARD.decode(body).is_err()) {
        // Read as it is, it is no form, no notice and no JSON, and each route says so.
        event.is_base64_encoded = false;
    }
    event
}

/// The event without headers that HTTP does not allow, and with another method if its own is invalid.
fn without_what_http_forbids(event: &str) -> Option<ApiGatewayV2httpRequest> {
    let mut event: Value = serde_json::from_str(event).ok()?;
    if let Some(headers) = event.get_mut("headers").and_then(Value::as_object_mut) {
        headers.retain(|name, value| {
            let value = value.as_str().map(|value| HeaderValue::from_bytes(value.as_bytes()));
            HeaderName::from_bytes(name.as_bytes()).is_ok() && matches!(value, Some(Ok(_)))
        });
    }
    if let Some(method) = event.pointer_mut("/requestContext/http/method")
        && method.as_str().is_none_or(|method| Method::from_bytes(method.as_bytes()).is_err())
    {
        *method = "UNKNOWN".into();
    }
    serde_json::from_value(event).ok()
}

/// All cookies in one header, without those that HTTP does not allow: a cookie of the parent domain must not hide ours.
fn cookie_header(cookies: &[String]) -> Option<HeaderValue> {
    let allowed = |cookie: &&str| HeaderValue::from_bytes(cookie.as_bytes()).is_ok();
    let cookies: Vec<_> = cookies.iter().map(String::as_str).filter(allowed).collect();
    HeaderValue::from_bytes(cookies.join("; ").as_bytes()).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, RequestExt, request::RequestContext};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// An event as API Gateway writes it, with these fields changed.
    fn event(changed: Value) -> String {
        let mut event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/callback/tiktok-shop/us", "rawQueryString": "code=c",
            "cookies": ["a=1", "b=2"], "headers": {"host": "connect.example", "accept": "*/*"},
            "requestContext": {
                "accountId": "123456789012", "apiId": "api", "domainName": "connect.example", "domainPrefix": "connect",
                "http": {"method": "GET", "path": "/callback/tiktok-shop/us", "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "x"},
                "requestId": "id-1", "routeKey": "$default", "stage": "$default",
                "time": "21/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_219_200_000_i64
            },
            "isBase64Encoded": false
        });
        let Value::Object(changed) = changed else { panic!("fields") };
        event.as_object_mut().unwrap().extend(changed);
        event.to_string()
    }

    fn header<'a>(request: &'a Request, name: &str) -> Option<&'a [u8]> {
        request.headers().get(name).map(HeaderValue::as_bytes)
    }

    #[test]
    fn an_ordinary_event_is_the_request_that_it_stands_for() {
        let request = request_of(&event(json!({})));
        assert_eq!(
            (request.method(), request.uri().to_string().as_str()),
            (&Method::GET, "/callback/tiktok-shop/us?code=c")
        );
        assert_eq!(header(&request, "cookie"), Some(&b"a=1; b=2"[..]));
        assert_eq!(header(&request, "accept"), Some(&b"*/*"[..]));
        assert_eq!(request.raw_http_path(), "/callback/tiktok-shop/us");
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else { panic!("a context") };
        assert_eq!(context.request_id.as_deref(), Some("id-1"));
    }

    #[test]
    fn what_a_uri_may_not_hold_is_escaped() {
        for (query, escaped) in [
            ("code=a b", "code=a%20b"),
            (r#"code="<x>""#, "code=%22%3Cx%3E%22"),
            ("code=a%20b+c%2B%", "code=a%20b+c%2B%"),
            ("code=\u{1}é", "code=%01%C3%A9"),
            ("x[]={|}^`\\#", "x%5B%5D=%7B%7C%7D%5E%60%5C%23"),
        ] {
            assert_eq!(request_of(&event(json!({ "rawQueryString": query }))).uri().query(), Some(escaped));
        }
        for (path, escaped) in [
            ("/connect/a b", "/connect/a%20b"),
            ("/connect/a%b?c#d", "/connect/a%25b%3Fc%23d"),
            ("/connect/\u{7f}é", "/connect/%7F%C3%A9"),
            ("no slash", "/"),
            (":99999999/", "/"),
            ("", "/"),
        ] {
            assert_eq!(request_of(&event(json!({ "rawPath": path }))).uri().path(), escaped, "{path}");
        }
        let long = "é".repeat(20_000);
        assert_eq!(request_of(&event(json!({ "rawQueryString": long }))).uri(), "/");
    }

    #[test]
    fn a_header_that_http_does_not_allow_is_left_out() {
        let headers = json!({"x-a": "a\u{0}b", "x b": "c", "x-c": "naïve", "referer": "https://x/\n", "x-d": "d"});
        let request = request_of(&event(json!({ "headers": headers })));
        for name in ["x-a", "referer"] {
            assert_eq!(header(&request, name), None, "{name}");
        }
        assert_eq!(header(&request, "x-c"), Some("naïve".as_bytes()));
        assert_eq!(header(&request, "x-d"), Some(&b"d"[..]));
        assert_eq!(header(&request, "cookie"), Some(&b"a=1; b=2"[..]));
    }

    #[test]
    fn one_cookie_does_not_hide_the_others() {
        let request = request_of(&event(json!({ "cookies": ["a=é", "b=\u{1}", "ours=1"] })));
        assert_eq!(header(&request, "cookie"), Some("a=é; ours=1".as_bytes()));
        let none = request_of(&event(json!({ "cookies": ["b=\u{1}"] })));
        assert_eq!(header(&none, "cookie"), None);
    }

    #[test]
    fn a_body_that_is_not_base64_is_read_as_it_is() {
        let body = |body: &str| request_of(&event(json!({ "body": body, "isBase64Encoded": true }))).into_body();
        assert_eq!(body("Zm9v"), Body::Binary(b"foo".to_vec()));
        assert_eq!(body("Zm9v!"), Body::Text("Zm9v!".into()));
    }

    #[test]
    fn any_host_and_any_method_make_a_request() {
        for host in ["", " ", "a b", "[", "x:99999999", "évil"] {
            let context = json!({ "domainName": host, "stage": host, "http": { "method": "GET" } });
            let headers = json!({ "host": host, "x-forwarded-proto": "a b" });
            let request = request_of(&event(json!({ "headers": headers, "requestContext": context })));
            assert_eq!(request.uri().path(), "/callback/tiktok-shop/us");
        }
        let odd = request_of(&event(json!({ "requestContext": { "http": { "method": "GE T" } } })));
        assert_eq!((odd.method().as_str(), odd.uri().path()), ("UNKNOWN", "/callback/tiktok-shop/us"));
        for nothing in ["{}", "[]", "1", r#""\ud800""#, r#"{"requestContext":1}"#, r#"{"rawPath":"\ud800"}"#] {
            assert_eq!(request_of(nothing).uri(), "/", "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn every_event_makes_a_request(
            path in any::<String>(),
            query in any::<String>(),
            cookies in proptest::collection::vec(any::<String>(), 0..4),
            headers in proptest::collection::hash_map(any::<String>(), any::<String>(), 0..4),
            method in any::<String>(),
            body in any::<String>(),
            base64 in any::<bool>(),
        ) {
            let event = event(json!({
                "rawPath": format!("/{path}"), "rawQueryString": query, "cookies": cookies, "headers": headers,
                "requestContext": { "http": { "method": method } }, "body": body, "isBase64Encoded": base64,
            }));
            let request = request_of(&event);
            let decoded = percent_encoding::percent_decode_str(request.uri().query().unwrap_or_default());
            let sent = percent_encoding::percent_decode_str(&query);
            prop_assert_eq!(decoded.collect::<Vec<_>>(), sent.collect::<Vec<_>>());
        }
    }
}
