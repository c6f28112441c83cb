use axum::body::Body;
use axum::http::{HeaderName, Response, StatusCode, header};
use serde_json::Value;

/// What goes back over the wire, still separable into parts that a fault can spoil.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// `None` where the body is not one of the platform's JSON envelopes.
    pub(crate) code: Option<i64>,
    pub(crate) retry_after: Option<u32>,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: u16, code: i64, envelope: &Value) -> Self {
        let body = envelope.to_string();
        Self { status, code: Some(code), retry_after: None, content_type: "application/json", body }
    }

    pub(crate) fn plain(status: u16, body: &str) -> Self {
        Self { status, code: None, retry_after: None, content_type: "text/plain; charset=utf-8", body: body.to_owned() }
    }

    /// What the platforms' hosts answer to a wrong method or path.
    pub(crate) fn not_found() -> Self {
        Self::plain(404, "404 page not found")
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let body = Body::from(self.body.clone());
        self.with_body(body, &[])
    }

    pub(crate) fn with_body(&self, body: Body, extra: &[(HeaderName, String)]) -> Response<Body> {
        let mut response = Response::builder()
            .status(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            .header(header::CONTENT_TYPE, self.content_type);
        if let Some(seconds) = self.retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        for (name, value) in extra {
            response = response.header(name, value);
        }
        response.body(body).unwrap_or_default()
    }
}
