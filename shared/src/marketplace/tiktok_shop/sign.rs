//! The open API's request signature: HMAC-SHA256 over path, sorted parameters and body, wrapped in the app secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Signs a request. `parameters` are the decoded query parameters; `sign` and `access_token` among them do not count.
/// `body` is the raw body, empty for none and for multipart.
pub fn sign(app_secret: &Secret, path: &str, parameters: &[(&str, &str)], body: &[u8]) -> String {
    let mut sorted: Vec<_> = parameters.iter().filter(|(key, _)| !matches!(*key, "sign" | "access_token")).collect();
    sorted.sort_unstable();
    let secret = app_secret.expose().as_bytes();
    let mut text = Zeroizing::new(Vec::new());
    text.extend_from_slice(secret);
    text.extend_from_slice(path.as_bytes());
    for (key, value) in sorted {
        text.extend_from_slice(key.as_bytes());
        text.extend_from_slice(value.as_bytes());
    }
    text.extend_from_slice(body);
    text.extend_from_slice(secret);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { unreachable!("HMAC takes keys of any length") };
    mac.update(&text);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        assert_eq!(
            sign(
                &Secret::new("e59af819cc"),
                "/authorization/202309/shops",
                &[("timestamp", "1623812664"), ("app_key", "29a39d")],
                b"",
            ),
            "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"
        );
        assert_eq!(
            sign(&Secret::new("app_secret"), "/test-api", &[("foo", "bar")], b""),
            "d3cb7fe11ecae942802ceeca67e7cf10120cc12f1517d45fbc1c8cfe5413c80f"
        );
    }

    #[test]
    fn the_sign_and_the_token_do_not_count_and_the_body_does() {
        let secret = Secret::new("s");
        let plain = sign(&secret, "/p", &[("b", "2"), ("a", "1")], b"");
        assert_eq!(plain, sign(&secret, "/p", &[("a", "1"), ("sign", "x"), ("b", "2"), ("access_token", "y")], b""));
        assert_ne!(plain, sign(&secret, "/p", &[("a", "1"), ("b", "2")], b"{}"));
    }
}
