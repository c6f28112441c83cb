use std::ops::RangeInclusive;

use rand::RngExt;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Long enough to be real, and of varying length so that nobody comes to rely on one.
const TOKEN_LENGTH: RangeInclusive<usize> = 40..=96;

pub(super) fn token(prefix: &str) -> String {
    let mut rng = rand::rng();
    let length = rng.random_range(TOKEN_LENGTH);
    let body: String = (0..length)
        .map(|at| match at {
            // Fixed, so that code which chokes on these does so every time and not now and then.
            11 => '-',
            23 => '_',
            _ => char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]),
        })
        .collect();
    format!("{prefix}{body}")
}

/// 34 characters, as the real ones have.
pub(super) fn request_id(now: u64) -> String {
    let tail: [u8; 12] = rand::rng().random();
    format!("{now:010}{}", hex::encode_upper(tail))
}

/// 19 digits, as the ids of shops and notices have.
pub(super) fn notification_id() -> String {
    rand::rng().random_range(7_000_000_000_000_000_000..8_000_000_000_000_000_000_u64).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_look_like_the_platforms() {
        for _ in 0..200 {
            let token = token("TTP_");
            let body = token.strip_prefix("TTP_").unwrap();
            assert!(TOKEN_LENGTH.contains(&body.len()));
            assert!(body.contains('-') && body.contains('_'));
            assert!(body.bytes().all(|byte| ALPHABET.contains(&byte)));
        }
    }

    #[test]
    fn request_ids_have_34_characters() {
        assert_eq!(request_id(1_660_000_000).len(), 34);
    }
}
