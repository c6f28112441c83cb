//! What the platform says only in words: the same code stands for several things, and the same thing is said under
//! several codes. Pure.

/// A text with its spellings made equal: lower case, and a space for each underscore and hyphen.
pub(super) fn plain(text: &str) -> String {
    text.to_lowercase().replace(['_', '-'], " ")
}

/// Whether a text speaks of the access token, or of the header that carries it: `x-tts-access-token`, `access_token`,
/// "access token".
pub(super) fn names_the_access_token(text: &str) -> bool {
    plain(text).contains("access token")
}

/// Whether a text says that an IP address is not on the app's list.
pub(super) fn names_the_ip_list(text: &str) -> bool {
    let text = plain(text);
    let names_a_list = ["allow list", "allowlist", "white list", "whitelist"].iter().any(|list| text.contains(list));
    names_a_list && text.split(|character: char| !character.is_alphanumeric()).any(|word| matches!(word, "ip" | "ips"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_token_is_named_in_every_documented_spelling() {
        for text in [
            "Invalid credentials. The `x-tts-access-token` header is invalid.",
            "Invalid access token",
            "'access_token' header is invalid",
            "Access_Token expired",
        ] {
            assert!(names_the_access_token(text), "{text}");
        }
        for text in ["Invalid credentials. Invalid `app_key` query parameter.", "Invalid timestamp.", "token", ""] {
            assert!(!names_the_access_token(text), "{text}");
        }
    }

    #[test]
    fn a_refused_address_is_recognised_by_the_words() {
        for text in [
            "The IP address is not in the app's allow list",
            "Request IP 203.0.113.7 is not in IP whitelist.",
            "ip not in white-list",
            "IPs outside of the allowlist are denied",
        ] {
            assert!(names_the_ip_list(text), "{text}");
        }
        for text in ["The shop is not on the allow list", "invalid ip", "zip whitelist", ""] {
            assert!(!names_the_ip_list(text), "{text}");
        }
    }
}
