//! The browser's cookie: each line of an input is a header `Cookie`.

use axum::http::{HeaderMap, HeaderValue, header};
use oauth_callback::{known, known_or_new};
use url::Url;

/// A browser is known by a value that could be ours, under our name; one that is not gets one that is known.
pub fn cookie(input: &[u8]) {
    let headers: HeaderMap = input
        .split(|byte| *byte == b'\n')
        .filter_map(|line| Some((header::COOKIE, HeaderValue::from_bytes(line).ok()?)))
        .collect();
    for (base, name) in [("https://connect.example", "__Host-shop-keyring"), ("http://127.0.0.1:8700", "shop-keyring")]
    {
        let base = Url::parse(base).expect("a URL");
        let browser = known(&headers, &base);
        if let Some(browser) = &browser {
            let value = browser.expose();
            let could_be_ours = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert!(value.len() == 43 && value.bytes().all(could_be_ours), "{value:?}");
            // Cookies beside it may hold any bytes.
            let is_sent = |sent: &HeaderValue| {
                let cookies =
                    sent.as_bytes().split(|byte| *byte == b';').filter_map(|cookie| str::from_utf8(cookie).ok());
                let mut pairs = cookies.filter_map(|cookie| cookie.split_once('='));
                pairs.any(|(sent_name, sent)| sent_name.trim() == name && sent.trim() == value)
            };
            assert!(headers.get_all(header::COOKIE).iter().any(is_sent), "a cookie under another name");
        }
        let (now, set) = known_or_new(&headers, &base);
        assert_eq!(set.is_some(), browser.is_none(), "one cookie a browser");
        if let Some(browser) = browser {
            assert!(browser.same_as(&now));
        }
        if let Some(set) = set {
            let set = set.to_str().expect("text");
            let cookie = HeaderValue::from_str(set.split(';').next().unwrap_or_default()).expect("a header");
            let again = known(&HeaderMap::from_iter([(header::COOKIE, cookie)]), &base);
            assert!(again.is_some_and(|again| again.same_as(&now)), "the cookie that was set is not known");
        }
    }
}
