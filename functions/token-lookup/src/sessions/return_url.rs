//! Where a seller may be sent back to: only where the operator allows it, or the redirect could be anybody's.

use url::Url;

use crate::problem::Problem;

/// Longest address, in bytes. The seller's browser carries it with a `result` behind it.
const LONGEST: usize = 2_048;

/// What the seller's way back adds to the query: a second value beside it could be taken for ours.
const OURS: [&str; 3] = ["session_id", "status", "result"];

/// Checks an address against the allowed ones: the exact origin, and the allowed path by whole segments. What comes of
/// it, and not what was sent, is where the seller goes.
///
/// # Errors
/// If sellers may not be sent there.
pub fn check(text: &str, allowed: &[Url]) -> Result<Url, Problem> {
    let refused = |what: &str| Problem::BadRequest(format!("`return_url` {what}"));
    if text.len() > LONGEST {
        return Err(refused("is longer than 2,048 bytes."));
    }
    if !is_written_out(text) {
        return Err(refused(
            "must be written out as `https://host/path`, without a user, blanks, control characters and backslashes.",
        ));
    }
    // Parsing normalizes: dot segments, escaped ones too, are resolved before anything is compared.
    let url = Url::parse(text).map_err(|_| refused("is not a URL."))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(refused("must not have a user or a fragment."));
    }
    if url.query_pairs().any(|(name, _)| OURS.contains(&&*name)) {
        return Err(refused("must not have `session_id`, `status` or `result` in its query: the way back adds them."));
    }
    if climbs(&url) {
        return Err(refused("must not have `..` beside an escaped slash or a `;`."));
    }
    if allowed.iter().any(|allowed| is_under(&url, allowed)) {
        Ok(url)
    } else {
        let known: Vec<_> = allowed.iter().map(|url| format!("`{url}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let origin = url.origin().ascii_serialization();
        Err(refused(&format!(
            "is not under one of the addresses that this installation allows (RETURN_URLS): {known}. Its origin is `{origin}`."
        )))
    }
}

/// Whether the text says by itself what parsing makes of it: browsers' URLs forgive missing and wrong slashes, an empty
/// user, and line breaks anywhere.
fn is_written_out(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let before_query = text.split('?').next().unwrap_or_default();
    !authority.is_empty()
        && !authority.contains('@')
        && !before_query.contains('\\')
        && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
}

/// Whether there are dot segments left for a server that decodes the path, more than once even, before it takes it
/// apart, or that cuts off parameters (`..;x`).
fn climbs(url: &Url) -> bool {
    let mut path = url.path().to_ascii_lowercase();
    while path.contains("%25") {
        path = path.replace("%25", "%");
    }
    let path = path.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace("%3b", ";");
    path.split('/').any(|segment| segment.split(';').next() == Some(".."))
}

fn is_under(url: &Url, allowed: &Url) -> bool {
    let path = allowed.path().trim_end_matches('/');
    url.scheme() == allowed.scheme()
        && url.origin() == allowed.origin()
        && url.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_origin_and_whole_segments() {
        let allowed: Vec<Url> =
            ["https://app.example/shops", "https://other.example/"].map(|url| url.parse().unwrap()).into();
        for good in [
            "https://app.example/shops",
            "https://app.example/shops/",
            "https://app.example/shops/done?x=1",
            "https://app.example:443/shops",
            "https://other.example",
            "https://other.example/any",
            "https://app.example/shops/a%2Fb/..c",
            "https://app.example/shops?next=/a%20b&statuses=x\\y",
            "HTTPS://APP.EXAMPLE/shops",
            "https://app.example/shops/./done",
            "https://app.example/shops/x/../done",
            "https://other.example/shops;x=1/100%25",
        ] {
            assert!(check(good, &allowed).is_ok(), "{good}");
        }
        for bad in [
            "https://app.example/shopsx",
            "https://app.example/",
            "https://app.example/shops/../admin",
            "https://app.example/shops/%2e%2e/admin",
            "https://app.example/shops/..%2Fadmin",
            "https://app.example/shops/x%5c%2e%2E%5cadmin",
            "http://app.example/shops",
            "https://app.example:8443/shops",
            "https://app.example.evil.example/shops",
            "https://app.example@evil.example/shops",
            "https://evil@app.example/shops",
            "https://app.example/shops#x",
            "//app.example/shops",
            "javascript:alert(1)",
            "/shops",
            "",
            // Another scheme around the allowed address, or one that only looks like it.
            "blob:https://other.example/any",
            "view-source:https://other.example/any",
            "ftp://other.example/any",
            "httpsx://other.example/any",
            "javascript://other.example/%0aalert(1)",
            "data:text/html,https://other.example/any",
            // What browsers forgive.
            "https:app.example/shops",
            "https:/app.example/shops",
            "https:///app.example/shops",
            "https:\\\\app.example\\shops",
            "https://app.example\\shops",
            "https://other.example\\@evil.example/",
            "https://@app.example/shops",
            "https://:@app.example/shops",
            " https://app.example/shops",
            "https://app.example/shops\n",
            "https://app.exa\tmple/shops",
            "ht\ntps://app.example/shops",
            "https://app.example/sh ops",
            "https://app.example/shops\u{a0}",
            // Hosts that are not the allowed one.
            "https://app.example./shops",
            "https://app.example.:443/shops",
            "https://xn--pp-oia.example/shops",
            "https://áapp.example/shops",
            "https://app.example%2eevil.example/shops",
            "https://app.example%00.evil.example/shops",
            "https://app.example:80/shops",
            "https://app.example:443443/shops",
            "http://app.example:443/shops",
            "https://evil.example/https://app.example/shops",
            "https://evil.example?https://app.example/shops",
            "https://evil.example#https://app.example/shops",
            // Out of the allowed path, for one server or another.
            "https://app.example",
            "https://app.example?/shops",
            "https://app.example/shops%2Fdone",
            "https://app.example/shops;x/done",
            "https://app.example/SHOPS",
            "https://app.example//shops",
            "https://app.example/shops/.%2e/admin",
            "https://app.example/shops/x/%2E./../admin",
            "https://app.example/shops/%252e%252e%252fadmin",
            "https://app.example/shops/%25252e%25252e%25252fadmin",
            "https://app.example/shops/..;/admin",
            "https://app.example/shops/..%3bx=1/admin",
            // A second value beside ours.
            "https://app.example/shops?result=x",
            "https://app.example/shops?a=1&status=connected",
            "https://app.example/shops?session%5fid=x",
            "https://app.example/shops?#",
        ] {
            let said = check(bad, &allowed);
            assert!(said.is_err(), "{bad} became {said:?}");
        }
        let long = format!("https://app.example/shops?x={}", "x".repeat(LONGEST));
        assert!(check(&long, &allowed).is_err());
    }

    #[test]
    fn the_seller_goes_where_the_address_was_found_to_lead() {
        let allowed: Vec<Url> =
            ["https://bücher.example/läden", "http://127.0.0.1:3000"].map(|url| url.parse().unwrap()).into();
        for (text, url) in [
            ("https://BÜCHER.example:443/läden/./x?y=ä", "https://xn--bcher-kva.example/l%C3%A4den/x?y=%C3%A4"),
            ("https://xn--bcher-kva.example/l%C3%A4den", "https://xn--bcher-kva.example/l%C3%A4den"),
            ("https://b%C3%BCcher.example/läden", "https://xn--bcher-kva.example/l%C3%A4den"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/"),
            ("http://0x7f.1:3000/x", "http://127.0.0.1:3000/x"),
        ] {
            assert_eq!(check(text, &allowed).unwrap().as_str(), url, "{text}");
        }
    }
}
