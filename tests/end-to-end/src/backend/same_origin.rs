//! Protection from forms that other sites send (CSRF). `SameSite=Lax` is not enough: browsers take all ports of a host for
//! one site.

use axum::{extract::Request, http::Method, middleware::Next, response::Response};

use super::pages;

/// Refuses a form unless the browser says that a page of this application sends it.
pub(super) async fn forms_only_from_here(request: Request, next: Next) -> Response {
    let from_here = request.headers().get("sec-fetch-site").is_some_and(|site| site == "same-origin");
    if request.method() == Method::POST && !from_here {
        return pages::forbidden();
    }
    next.run(request).await
}
