//! What we know of a browser, by two cookies: one binds a visit to the browser that began it, in all its tabs; the other
//! says that the form to paste tokens is open.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};
use shop_keyring::{
    config::is_loopback,
    secret::{Secret, random_value},
};
use url::Url;

/// Characters of a cookie's value that this function made.
const LENGTH: usize = 43;

/// The cookie that names the browser. `__Host-` lets no other host and no insecure page set it; browsers take that over
/// https only, so on loopback it goes without.
const BROWSER: [&str; 2] = ["__Host-shop-keyring", "shop-keyring"];

/// The cookie that says that the form to paste tokens is open.
const OPEN_FORM: [&str; 2] = ["__Host-shop-keyring-form", "shop-keyring-form"];

/// How long a form counts as open after it was shown, in seconds.
const FORM_SECONDS: i64 = 3_600;

const fn name(names: [&'static str; 2], secure: bool) -> &'static str {
    if secure { names[0] } else { names[1] }
}

fn is_secure(base: &Url) -> bool {
    !(base.scheme() == "http" && is_loopback(base))
}

/// The browser that a request comes from, if it has our cookie. The others are the parent domain's and may hold any bytes,
/// so each is parsed separately.
pub fn known(headers: &HeaderMap, base: &Url) -> Option<Secret> {
    let name = name(BROWSER, is_secure(base));
    cookies(headers)
        .find(|cookie| cookie.name() == name && is_ours(cookie.value()))
        .map(|cookie| Secret::new(cookie.value()))
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let all = headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    all.filter_map(|cookie| Cookie::parse(str::from_utf8(cookie).ok()?).ok())
}

/// Whether the form to paste tokens was shown in this browser within the last hour, and no token is in yet.
pub(crate) fn has_open_form(headers: &HeaderMap, base: &Url) -> bool {
    let name = name(OPEN_FORM, is_secure(base));
    cookies(headers).any(|cookie| cookie.name() == name)
}

/// The header that says whether the form is open from now on.
pub(crate) fn form_is_open(is_open: bool, base: &Url) -> Option<HeaderValue> {
    let mut cookie = cookie(name(OPEN_FORM, is_secure(base)), "1", is_secure(base));
    cookie.set_max_age(Duration::seconds(if is_open { FORM_SECONDS } else { 0 }));
    HeaderValue::from_str(&cookie.to_string()).ok()
}

fn cookie<'a>(name: &'static str, value: &'a str, secure: bool) -> Cookie<'a> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .secure(secure)
        // Lax: the way back from the marketplace is a navigation from another site.
        .same_site(SameSite::Lax)
        .build()
}

fn is_ours(value: &str) -> bool {
    value.len() == LENGTH && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The browser that a request comes from; a new one gets a cookie.
pub fn known_or_new(headers: &HeaderMap, base: &Url) -> (Secret, Option<HeaderValue>) {
    if let Some(browser) = known(headers, base) {
        return (browser, None);
    }
    let browser = random_value();
    let secure = is_secure(base);
    let header = HeaderValue::from_str(&cookie(name(BROWSER, secure), browser.expose(), secure).to_string()).ok();
    (browser, header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: &str) -> Url {
        url.parse().unwrap()
    }

    #[test]
    fn one_cookie_a_browser() {
        let base = base("https://connect.example");
        let (browser, set) = known_or_new(&HeaderMap::new(), &base);
        let set = set.unwrap();
        let text = set.to_str().unwrap();
        assert!(text.starts_with("__Host-shop-keyring="));
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(text.contains(attribute), "{text}");
        }
        assert!(!text.contains("Domain"));

        let cookies = format!("other=1; {}", text.split(';').next().unwrap());
        let headers = HeaderMap::from_iter([(header::COOKIE, cookies.parse().unwrap())]);
        let (again, set) = known_or_new(&headers, &base);
        assert!(browser.same_as(&again) && set.is_none());
    }

    #[test]
    fn a_cookie_in_another_encoding_does_not_hide_ours() {
        let value = "x".repeat(LENGTH);
        for others in [&b"lang=fran\xe7ais; "[..], "ville=Orl\u{e9}ans; ".as_bytes(), b"=; ;;\xff; a; "] {
            let sent = [others, b"__Host-shop-keyring=", value.as_bytes(), b"; last=\xe7"].concat();
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_bytes(&sent).unwrap())]);
            assert!(known(&headers, &base("https://connect.example")).is_some(), "{sent:?}");
        }
    }

    #[test]
    fn on_loopback_it_goes_without_the_prefix() {
        let (_, set) = known_or_new(&HeaderMap::new(), &base("http://127.0.0.1:8700"));
        assert!(set.unwrap().to_str().unwrap().starts_with("shop-keyring="));
    }

    #[test]
    fn a_value_that_is_not_ours_is_no_browser() {
        for value in ["", "short", &"x".repeat(44), "has spaces in it and is just forty-three ch"] {
            let sent = format!("__Host-shop-keyring={value}");
            let headers = HeaderMap::from_iter([(header::COOKIE, sent.parse().unwrap())]);
            assert!(known(&headers, &base("https://connect.example")).is_none(), "{value}");
        }
    }
}
