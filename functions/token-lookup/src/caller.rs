//! Who is asking. API Gateway has checked the signature and IAM's policies; what it says of the caller is in the
//! request's context. A request without it, such as one through a forgotten authorizer, is refused.

use axum::{extract::Request, middleware::Next, response::Response};
use lambda_http::request::RequestContext;

use crate::problem::Problem;

/// The caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Their IAM ARN.
    pub(crate) arn: String,
    /// The address that the request came from; empty if it is not told.
    pub(crate) source_ip: String,
}

/// Lets only requests with an IAM identity through.
pub(crate) async fn require(mut request: Request, next: Next) -> Result<Response, Problem> {
    let caller = identity(request.extensions().get()).ok_or(Problem::NoIdentity)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The caller, as API Gateway names them.
pub(crate) fn identity(context: Option<&RequestContext>) -> Option<Caller> {
    let Some(RequestContext::ApiGatewayV2(context)) = context else { return None };
    let arn = context.authorizer.as_ref()?.iam.as_ref()?.user_arn.clone()?;
    let source_ip = context.http.source_ip.clone().unwrap_or_default();
    (!arn.is_empty()).then_some(Caller { arn, source_ip })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context(authorizer: &serde_json::Value) -> RequestContext {
        let event = json!({
            "version": "2.0", "routeKey": "ANY /v1/{proxy+}", "rawPath": "/v1/connections", "rawQueryString": "",
            "headers": {"host": "api.example.com"}, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "123456789012", "apiId": "api", "authorizer": authorizer,
                "domainName": "api.example.com", "domainPrefix": "api", "requestId": "id", "routeKey": "ANY /v1/{proxy+}",
                "stage": "$default", "time": "21/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_219_200_000_i64,
                "http": {"method": "GET", "path": "/v1/connections", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x"}
            }
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        request.extensions().get::<RequestContext>().unwrap().clone()
    }

    #[test]
    fn only_iam_gives_an_identity() {
        let arn = "arn:aws:iam::123456789012:user/order-hub";
        let iam = json!({"iam": {"accessKey": "AKIA", "accountId": "123456789012", "callerId": "AIDA", "userArn": arn, "userId": "AIDA"}});
        assert_eq!(identity(Some(&context(&iam))).unwrap().arn, arn);
        assert!(identity(Some(&context(&json!({})))).is_none());
        assert!(identity(Some(&context(&json!({"jwt": {"claims": {"sub": "me"}, "scopes": []}})))).is_none());
        assert!(identity(None).is_none());
    }
}
