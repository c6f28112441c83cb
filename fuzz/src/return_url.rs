//! Where a seller is sent back to.

use oauth_callback::back_with_result;
use shop_keyring::secret::Secret;
use token_lookup::check_return_url;
use url::Url;

use crate::MARK;

/// An accepted address stays under an allowed one, also with the result behind it.
pub fn return_url(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let allowed = ["https://app.example/shops", "https://other.example/", "http://127.0.0.1:3000/back/"]
        .map(|url| Url::parse(url).expect("a URL"));
    if let Ok(url) = check_return_url(text, &allowed) {
        assert!(allowed.iter().any(|allowed| is_under(&url, allowed)), "{url} is not under an allowed one");
        let again = check_return_url(url.as_str(), &allowed).expect("what was accepted is accepted");
        assert_eq!(again, url);

        let back = back_with_result(url.as_str(), "session", &Secret::new("result")).expect("there is a way back");
        let back = Url::parse(&back).expect("a URL");
        assert_eq!((back.origin(), back.path(), back.fragment()), (url.origin(), url.path(), None));
        let pairs: Vec<_> = back.query_pairs().collect();
        let ours = [("session_id", "session"), ("status", "connected"), ("result", "result")];
        let ours = ours.map(|(name, value)| (name.into(), value.into()));
        assert_eq!(pairs[pairs.len() - 3..], ours, "{back}");
    }
    let marked = format!("{text}{MARK}");
    // Of an address only the origin is named in an error.
    let is_in_origin = Url::parse(&marked).is_ok_and(|url| url.origin().ascii_serialization().contains(MARK));
    if let Err(problem) = check_return_url(&marked, &allowed) {
        assert!(is_in_origin || !format!("{problem:?}").contains(MARK), "an error repeats the address");
    }
}

/// By another way than the product's: segment by segment, each as a server may decode it.
fn is_under(url: &Url, allowed: &Url) -> bool {
    let decoded = decoded(url.path());
    let mut segments = decoded.split(['/', '\\']);
    let mut wanted = allowed.path().trim_end_matches('/').split('/');
    (url.scheme(), url.host(), url.port()) == (allowed.scheme(), allowed.host(), allowed.port())
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && !segments.clone().any(|segment| segment == "..")
        && wanted.all(|wanted| segments.next() == Some(wanted))
}

fn decoded(path: &str) -> String {
    [("%2e", "."), ("%2E", "."), ("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\")]
        .into_iter()
        .fold(path.to_owned(), |path, (escape, plain)| path.replace(escape, plain))
}
