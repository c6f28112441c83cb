//! Where a seller may be sent back to: only where the operator allows it, or the redirect could be anybody's.

use url::Url;

use crate::problem::Problem;

/// Checks an address against the allowed ones: the exact origin, and the allowed path by whole segments.
///
/// # Errors
/// If sellers may not be sent there.
pub fn check(text: &str, allowed: &[Url]) -> Result<Url, Problem> {
    let refused = |what: &str| Problem::BadRequest(format!("`return_url` {what}"));
    // Parsing normalizes: dot segments, escaped ones too, are resolved before anything is compared.
    let url = Url::parse(text).map_err(|_| refused("is not a URL."))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(refused("must not have a user or a fragment."));
    }
    if climbs(&url) {
        return Err(refused("must not have `..` beside an escaped slash."));
    }
    if allowed.iter().any(|allowed| is_under(&url, allowed)) {
        Ok(url)
    } else {
        Err(refused("is not under one of the addresses that this installation allows (RETURN_URLS)."))
    }
}

/// Whether there are dot segments left for a server that decodes slashes before it takes the path apart.
fn climbs(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    path.split('/').any(|segment| segment == "..")
}

fn is_under(url: &Url, allowed: &Url) -> bool {
    let path = allowed.path().trim_end_matches('/');
    url.origin() == allowed.origin()
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
        ] {
            assert!(check(bad, &allowed).is_err(), "{bad}");
        }
    }
}
