//! What all pages have in common.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::Value;

use super::customer::Customer;
use crate::answer::Answer;

/// Scripts from files of this application only, and no frames: nobody clicks here without knowing it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub(super) customer: &'a Customer,
    pub(super) title: &'a str,
    pub(super) sentences: &'a [String],
    /// The keyring's response, for developers.
    pub(super) response: Option<String>,
}

impl Message<'_> {
    pub(super) fn page(&self) -> Response {
        render(self)
    }
}

/// The page for a request that the keyring refused in a way that needs no words of its own.
pub(super) fn refused(customer: &Customer, answer: &Answer) -> Response {
    let sentences = ["Nothing was changed. Try again in a minute; if it fails again, write to our support.".to_owned()];
    Message { customer, title: "This did not work", sentences: &sentences, response: Some(shown(answer)) }.page()
}

pub(super) fn render(template: &impl Template) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        // The address of `/connected` holds a result.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    match template.render() {
        Ok(page) => (headers, Html(page)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A page for anyone, logged in or not.
#[derive(Template)]
#[template(path = "plain.html")]
struct Plain<'a> {
    title: &'a str,
    sentence: &'a str,
}

pub(super) async fn not_found() -> Response {
    let page = Plain { title: "There is no such page", sentence: "Or it belongs to another customer." };
    (StatusCode::NOT_FOUND, render(&page)).into_response()
}

pub(super) fn forbidden() -> Response {
    let page = Plain { title: "Another site sent this form", sentence: "Nothing was changed." };
    (StatusCode::FORBIDDEN, render(&page)).into_response()
}

/// `GET /style.css`
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css")], include_str!("../../templates/style.css")).into_response()
}

/// `GET /live.js`
pub(super) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript")], include_str!("../../templates/live.js")).into_response()
}

/// A response of the keyring for developers to read, without the token if it has one.
pub(super) fn shown(answer: &Answer) -> String {
    let body = serde_json::from_str::<Value>(&answer.body).map(without_token);
    let json = body.and_then(|body| serde_json::to_string_pretty(&body));
    format!("{} → {}\n{}", answer.asked, answer.status, json.as_deref().unwrap_or("(no JSON)"))
}

/// A token is for services, not for people: the page shows enough of it to tell two tokens apart.
fn without_token(mut body: Value) -> Value {
    if let Some(token) = body["access_token"].as_str() {
        let length = token.chars().count();
        let end: String = token.chars().skip(length.saturating_sub(4)).collect();
        body["access_token"] = format!("… {length} characters that end with {end}").into();
    }
    body
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_shows_the_end_of_a_token_only() {
        let body = without_token(json!({ "access_token": "TTP_secret-secret-7Pew", "version": 3 }));
        assert_eq!(body, json!({ "access_token": "… 22 characters that end with 7Pew", "version": 3 }));
        let problem = json!({ "code": "pending" });
        assert_eq!(without_token(problem.clone()), problem);
    }
}
