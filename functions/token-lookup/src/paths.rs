//! Paths in their one form, so that an IAM policy on a route's ARN means what it says.

use axum::{extract::Request, middleware::Next, response::Response};
use lambda_http::RequestExt;

use crate::problem::Problem;

/// Refuses a path that could be written in another way. What counts is the path that API Gateway saw, and IAM allowed:
/// in the request's URI the dot segments are resolved already.
pub(crate) async fn require_canonical(request: Request, next: Next) -> Result<Response, Problem> {
    if is_canonical(request.raw_http_path()) { Ok(next.run(request).await) } else { Err(Problem::PathNotCanonical) }
}

/// Whether a path is in its one form.
///
/// API Gateway hands the path over decoded, so an escaped character shows as itself: whatever needs escaping is
/// refused along with the escapes.
pub fn is_canonical(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|path| {
        path.split('/').all(|segment| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_only() {
        assert!(is_canonical("/v1/connections/tiktok-shop/us/a_B-c.d/token"));
        for path in ["/v1//x", "/v1/x/", "/v1/../x", "/v1/./x", "/v1/a%2Fb", "/v1/a%2e", "/v1/a b", "/v1/é", "v1", "/"]
        {
            assert!(!is_canonical(path), "{path}");
        }
    }
}
