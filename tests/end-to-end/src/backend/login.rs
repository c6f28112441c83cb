//! The login: a button for each customer instead of a password.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Form, Query, State},
    http::{HeaderMap, Method, Uri, header::SET_COOKIE, uri::PathAndQuery},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    Site,
    customer::{self, CUSTOMERS, Customer},
    pages::{self, render},
};

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    customers: &'static [Customer],
    next: &'a str,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    account_id: String,
    #[serde(default)]
    next: String,
}

/// The response to a request of somebody who is not logged in. A page is shown after the login; a form is not sent again.
pub(super) fn first(method: &Method, uri: &Uri) -> Response {
    let page = uri.path_and_query().map(PathAndQuery::as_str).filter(|_| *method == Method::GET);
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", page.unwrap_or("/")).finish();
    Redirect::to(&format!("/login?{query}")).into_response()
}

/// `GET /login`
pub(super) async fn ask(Query(asked): Query<Asked>) -> Response {
    render(&Login { customers: &CUSTOMERS, next: local(&asked.next) })
}

/// `POST /login`
pub(super) async fn log_in(State(site): State<Arc<Site>>, headers: HeaderMap, Form(chosen): Form<Chosen>) -> Response {
    let Some(customer) = customer::of_account(&chosen.account_id) else {
        return pages::not_found().await;
    };
    // A session of its own for each login: an id from before it never becomes one of somebody who is logged in.
    site.sessions.end(&headers);
    ([(SET_COOKIE, site.sessions.begin(customer))], Redirect::to(local(&chosen.next))).into_response()
}

/// `POST /logout`
pub(super) async fn log_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    ([(SET_COOKIE, site.sessions.end(&headers))], Redirect::to("/login")).into_response()
}

/// The page to show after the login. Anything that a browser could take for an address of another site becomes `/`.
fn local(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    // Browsers drop tabs and line breaks: `/<tab>/host` is `//host` to them.
    if is_path && next.bytes().all(|byte| byte.is_ascii_graphic()) { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_pages_of_this_application_only() {
        let page = "/connected?session_id=s&result=r";
        assert_eq!(local(page), page);
        for elsewhere in ["", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "evil"] {
            assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
        }
    }

    #[test]
    fn what_a_seller_brought_back_survives_the_login() {
        let next = |method, page: &'static str| {
            let response = first(&method, &Uri::from_static(page));
            response.headers()["location"].to_str().unwrap().to_owned()
        };
        assert_eq!(
            next(Method::GET, "/connected?session_id=s&result=r"),
            "/login?next=%2Fconnected%3Fsession_id%3Ds%26result%3Dr"
        );
        assert_eq!(next(Method::POST, "/connect"), "/login?next=%2F");
    }
}
