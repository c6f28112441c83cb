//! What each route takes: methods, query parameters, and the body's form and length. The rest is refused before the
//! route sees it, and named.

use std::str;

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{listing, parameters::Parameters, problem::Problem, token};

/// Longest body that is read, in bytes. The longest that means something is a tenth of it.
pub(crate) const LONGEST_BODY: usize = 16 * 1024;

/// Longest headers in all, names and values, in bytes. API Gateway takes 10,240 with the request line, and adds some of
/// its own; a signature with a session token has about 3,000.
pub(crate) const LONGEST_HEADERS: usize = 8 * 1024;

const JSON: &[&str] = &["application/json"];
const JSON_OR_MERGE_PATCH: &[&str] = &["application/json", "application/merge-patch+json"];

/// One or two methods of a route.
struct Operation {
    methods: &'static [&'static str],
    parameters: &'static [&'static str],
    /// The content types of its body; none where a body means nothing.
    body: &'static [&'static str],
    /// What a body looks like.
    example: &'static str,
}

/// Metadata: HEAD is GET without the body.
const fn metadata(parameters: &'static [&'static str]) -> Operation {
    Operation { methods: &["GET", "HEAD"], parameters, body: &[], example: "" }
}

/// A token: no HEAD, for whoever asks by it gets none and would be in the audit for one.
const TOKEN: Operation = Operation { methods: &["GET"], parameters: token::PARAMETERS, body: &[], example: "" };

const fn post(example: &'static str) -> Operation {
    Operation { methods: &["POST"], parameters: &[], body: JSON, example }
}

const PATCH: Operation = Operation {
    methods: &["PATCH"],
    parameters: &[],
    body: JSON_OR_MERGE_PATCH,
    example: r#"{"account_id":"customer-17"}"#,
};
const DELETE: Operation = Operation { methods: &["DELETE"], parameters: &[], body: &[], example: "" };

/// Every route, by its template.
const ROUTES: &[(&str, &[Operation])] = &[
    ("/v1/connections", &[metadata(listing::PARAMETERS)]),
    ("/v1/connections/{marketplace}/{app}/{seller_id}", &[metadata(&[]), PATCH, DELETE]),
    (token::BY_CONNECTION, &[TOKEN]),
    (token::REFRESH, &[post(r#"{"rejected_version":7}"#)]),
    (token::BY_SHOP, &[TOKEN]),
    ("/v1/connect-sessions", &[post(r#"{"account_id":"customer-17","return_url":"https://…"}"#)]),
    ("/v1/connect-sessions/{session_id}", &[metadata(&[])]),
    ("/v1/connect-sessions/{session_id}/confirm", &[post(r#"{"result":"…","account_id":"customer-17"}"#)]),
    ("/v1/openapi.json", &[metadata(&[])]),
];

/// Refuses headers that are too long.
pub(crate) async fn limit_headers(request: Request, next: Next) -> Result<Response, Problem> {
    let length: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if length > LONGEST_HEADERS { Err(Problem::HeadersTooLong) } else { Ok(next.run(request).await) }
}

/// Lets through what the route takes, and answers OPTIONS.
pub(crate) async fn check(request: Request, next: Next) -> Result<Response, Problem> {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let known = ROUTES.iter().find(|(template, _)| Some(*template) == route);
    // A route that was forgotten here must not be one without rules.
    let &(_, operations) = known.ok_or(Problem::RouteNotFound)?;
    if request.method() == Method::OPTIONS {
        return Ok((StatusCode::NO_CONTENT, allowed(operations)).into_response());
    }
    let Some(operation) = operations.iter().find(|operation| operation.methods.contains(&request.method().as_str()))
    else {
        return Ok((allowed(operations), Problem::MethodNotAllowed).into_response());
    };
    Parameters::parse(request.uri().query().unwrap_or_default(), operation.parameters)?;
    if operation.body.is_empty() {
        return Ok(next.run(request).await);
    }
    if !has_type(request.headers(), operation.body) {
        return Err(Problem::UnsupportedMediaType(operation.body, operation.example));
    }
    let (parts, body) = request.into_parts();
    // The event has brought it whole: only its length can be wrong.
    let body = to_bytes(body, LONGEST_BODY).await.map_err(|_| Problem::BodyTooLong)?;
    if body.is_empty() {
        return Err(Problem::BodyMissing(operation.example));
    }
    Ok(next.run(Request::from_parts(parts, Body::from(body))).await)
}

fn allowed(operations: &[Operation]) -> HeaderMap {
    let mut methods: Vec<&str> = operations.iter().flat_map(|operation| operation.methods).copied().collect();
    methods.push("OPTIONS");
    let mut headers = HeaderMap::new();
    // The table holds nothing that a header may not.
    if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
        headers.insert(header::ALLOW, methods);
    }
    headers
}

/// Whether the body is of one of these types; parameters such as `charset` say nothing of JSON.
fn has_type(headers: &HeaderMap, types: &[&str]) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| str::from_utf8(value.as_bytes()).ok());
    let essence = given.and_then(|given| given.split(';').next()).unwrap_or_default().trim();
    types.iter().any(|known| known.eq_ignore_ascii_case(essence))
}

/// Each route's methods.
#[cfg(test)]
pub(crate) fn methods() -> impl Iterator<Item = (&'static str, &'static str)> {
    let operations = ROUTES.iter().flat_map(|(route, operations)| operations.iter().map(move |it| (*route, it)));
    operations.flat_map(|(route, operation)| operation.methods.iter().map(move |method| (route, *method)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_takes_each_method_once() {
        for (template, operations) in ROUTES {
            let mut methods: Vec<_> = operations.iter().flat_map(|operation| operation.methods).collect();
            let count = methods.len();
            methods.sort_unstable();
            methods.dedup();
            assert_eq!(methods.len(), count, "{template}");
            let reads_tokens = template.ends_with("/token");
            assert_eq!(methods.contains(&&"HEAD"), methods.contains(&&"GET") && !reads_tokens, "{template}");
        }
    }

    #[test]
    fn allow_names_all_methods() {
        let (_, operations) = ROUTES[1];
        assert_eq!(allowed(operations)[header::ALLOW], "GET, HEAD, PATCH, DELETE, OPTIONS");
    }

    #[test]
    fn a_type_counts_without_its_parameters() {
        let with = |value: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
        for value in ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"] {
            assert!(has_type(&with(value), JSON), "{value}");
        }
        for value in ["text/json", "application/jsonp", "application/merge-patch+json", "application/json, text/html"] {
            assert!(!has_type(&with(value), JSON), "{value}");
        }
        assert!(has_type(&with("application/merge-patch+json"), JSON_OR_MERGE_PATCH));
        assert!(!has_type(&HeaderMap::new(), JSON));
    }
}
