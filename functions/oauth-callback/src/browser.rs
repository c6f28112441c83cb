//! The browser's one cookie: it binds a visit to the browser that began it. Further tabs use the same one.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use shop_keyring::{
    config::is_loopback,
    secret::{Secret, random_value},
};
use url::Url;

/// Characters of a cookie's value that this function made.
const LENGTH: usize = 43;

/// The name of the cookie. `__Host-` lets no other host and no insecure page set it; browsers take that over https
/// only, so on loopback it goes without.
const fn name(secure: bool) -> &'static str {
    if secure { "__Host-shop-keyring" } else { "shop-keyring" }
}

fn is_secure(base: &Url) -> bool {
    !(base.scheme() == "http" && is_loopback(base))
}

/// The browser that a request comes from, if it has our cookie.
pub fn known(headers: &HeaderMap, base: &Url) -> Option<Secret> {
    let name = name(is_secure(base));
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name && is_ours(cookie.value()))
        .map(|cookie| Secret::new(cookie.value()))
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
    let cookie = Cookie::build((name(secure), browser.expose()))
        .path("/")
        .http_only(true)
        .secure(secure)
        // Lax: the way back from the marketplace is a navigation from another site.
        .same_site(SameSite::Lax)
        .build();
    let header = HeaderValue::from_str(&cookie.to_string()).ok();
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
