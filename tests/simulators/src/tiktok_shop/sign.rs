use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a signed request is made of, with decoded query values.
pub(super) struct Signed<'a> {
    pub(super) path: &'a str,
    pub(super) query: &'a [(String, String)],
    pub(super) body: &'a [u8],
    pub(super) multipart: bool,
}

/// The signature that a request ought to carry: the sorted query behind the path, then the body,
/// wrapped in the secret on both sides and keyed with it.
pub(super) fn sign(secret: &str, request: &Signed<'_>) -> String {
    let mut query: Vec<_> = request.query.iter().filter(|(key, _)| key != "sign" && key != "access_token").collect();
    query.sort();

    let mut mac = keyed(secret);
    mac.update(secret.as_bytes());
    mac.update(request.path.as_bytes());
    for (key, value) in query {
        mac.update(key.as_bytes());
        mac.update(value.as_bytes());
    }
    if !request.multipart {
        mac.update(request.body);
    }
    mac.update(secret.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// The signature that a notice carries: the app's key and the raw body, keyed with the secret.
pub(super) fn sign_notice(secret: &str, app_key: &str, body: &[u8]) -> String {
    let mut mac = keyed(secret);
    mac.update(app_key.as_bytes());
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn keyed(secret: &str) -> Hmac<Sha256> {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        unreachable!("HMAC takes keys of any length");
    };
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn signed<'a>(path: &'a str, query: &'a [(String, String)], body: &'a [u8]) -> Signed<'a> {
        Signed { path, query, body, multipart: false }
    }

    #[test]
    fn published_vector_of_the_shop_list() {
        let query = pairs(&[("timestamp", "1623812664"), ("app_key", "29a39d")]);
        assert_eq!(
            sign("e59af819cc", &signed("/authorization/202309/shops", &query, b"")),
            "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"
        );
    }

    #[test]
    fn published_vector_of_the_test_path() {
        assert_eq!(
            sign("app_secret", &signed("/test-api", &pairs(&[("foo", "bar")]), b"")),
            "d3cb7fe11ecae942802ceeca67e7cf10120cc12f1517d45fbc1c8cfe5413c80f"
        );
    }

    #[test]
    fn sign_and_access_token_are_left_out_and_the_body_only_if_multipart() {
        let bare = pairs(&[("a", "1")]);
        let dressed = pairs(&[("sign", "x"), ("a", "1"), ("access_token", "y")]);
        let plain = sign("s", &signed("/p", &bare, b""));
        assert_eq!(plain, sign("s", &signed("/p", &dressed, b"")));
        assert_ne!(plain, sign("s", &signed("/p", &bare, b"{}")));
        let multipart = Signed { multipart: true, ..signed("/p", &bare, b"{}") };
        assert_eq!(plain, sign("s", &multipart));
    }

    /// Made with `openssl dgst -sha256 -hmac`, for none is published.
    #[test]
    fn a_notice_is_signed_behind_the_app_key() {
        let sign = sign_notice("e59af819cc", "29a39d", br#"{"type":6}"#);
        assert_eq!(sign, "f229c422c80d035caf2212260b9fef6ea1158ec9dd38264ee705787c2584559d");
    }
}
