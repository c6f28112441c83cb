use std::ops::RangeInclusive;

use rand::RngExt;

const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// The real ones are around 56 characters; nobody is to rely on it.
const TOKEN_LENGTH: RangeInclusive<usize> = 52..=60;

pub(super) fn token() -> String {
    let length = rand::rng().random_range(TOKEN_LENGTH);
    text(length)
}

pub(super) fn code() -> String {
    text(32)
}

pub(super) fn request_id() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    hex::encode(bytes)
}

fn text(length: usize) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_look_like_the_platforms() {
        for _ in 0..200 {
            let token = token();
            assert!(TOKEN_LENGTH.contains(&token.len()));
            assert!(token.bytes().all(|byte| ALPHABET.contains(&byte)));
        }
    }
}
