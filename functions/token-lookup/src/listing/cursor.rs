//! How a walk goes on: the position as opaque text, bound to the filters that it belongs to.
//!
//! It is no secret and needs none: whatever it says, only what the filters of the request admit is shown, and whoever
//! may list at all may ask with any filters.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use shop_keyring::{connection::due::shard, names::ConnectionKey};

use super::filters::Filters;
use crate::problem::Problem;

/// The form of the text. A position of another release is refused.
const VERSION: &str = "1";

/// Longest text that is looked at, in characters. The longest name has 301.
const LONGEST: usize = 512;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At the beginning of a shard.
    Shard(u8),
    /// After a connection, in its shard.
    After(ConnectionKey),
}

impl Position {
    /// The shard that it lies in, of so many.
    pub(super) fn shard(&self, shards: u8) -> u8 {
        match self {
            Self::Shard(shard) => *shard,
            Self::After(name) if shards > 1 => shard(name),
            Self::After(_) => 0,
        }
    }

    /// The name after which it lies.
    pub(super) const fn after(&self) -> Option<&ConnectionKey> {
        match self {
            Self::Shard(_) => None,
            Self::After(name) => Some(name),
        }
    }
}

/// The text for a position.
pub(super) fn cursor(position: &Position, filters: &Filters) -> String {
    let filters = filters.fingerprint();
    BASE64_URL_SAFE_NO_PAD.encode(match position {
        Position::Shard(shard) => format!("{VERSION} {filters} shard {shard}"),
        Position::After(name) => format!("{VERSION} {filters} after {name}"),
    })
}

/// The position of a text.
pub(super) fn position(text: &str, filters: &Filters) -> Result<Position, Problem> {
    let garbage = || {
        Problem::BadRequest(
            "`cursor` is none of this API's: give `next_cursor` as it came, or leave it out to begin anew.".into(),
        )
    };
    let bytes = (text.len() <= LONGEST).then(|| BASE64_URL_SAFE_NO_PAD.decode(text).ok()).flatten();
    let decoded = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(garbage)?;
    let parts: Vec<&str> = decoded.split(' ').collect();
    let &[VERSION, fingerprint, kind, at] = parts.as_slice() else { return Err(garbage()) };
    if fingerprint != filters.fingerprint() {
        return Err(Problem::BadRequest(
            "`cursor` belongs to another query: keep the filters for all pages of one walk, or leave it out to begin \
             anew. Only `limit` may change."
                .into(),
        ));
    }
    let position = match kind {
        "shard" => at.parse().ok().filter(|shard| *shard < filters.shards()).map(Position::Shard),
        "after" => at.parse().ok().filter(|name| filters.admits_name(name)).map(Position::After),
        _ => None,
    };
    // One position has one text.
    position.filter(|position| cursor(position, filters) == text).ok_or_else(garbage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_us() -> Filters {
        Filters {
            marketplace: Some("tiktok-shop".parse().unwrap()),
            app: Some("us".parse().unwrap()),
            ..Filters::default()
        }
    }

    fn refused(text: &str, filters: &Filters) -> String {
        match position(text, filters) {
            Err(Problem::BadRequest(what)) => what,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_position_reads_back_under_its_own_filters_only() {
        let filters = in_us();
        let longest = format!("tiktok-shop/us/{}", "x".repeat(256));
        for at in [Position::Shard(0), Position::Shard(15), Position::After(longest.parse().unwrap())] {
            let text = cursor(&at, &filters);
            assert_eq!(position(&text, &filters).unwrap(), at);
            let other = Filters { status: Some("active"), ..filters.clone() };
            assert!(refused(&text, &other).contains("another query"));
        }
    }

    #[test]
    fn what_was_made_by_hand_is_refused() {
        let filters = in_us();
        let fingerprint = filters.fingerprint();
        let of_account = Filters { account: Some("acme".parse().unwrap()), ..Filters::default() };
        let made = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
        for text in [
            String::new(),
            "~".into(),
            "x".repeat(LONGEST + 1),
            made(format!("2 {fingerprint} shard 3")),
            made(format!("1 {fingerprint} shard 16")),
            made(format!("1 {fingerprint} shard 03")),
            made(format!("1 {fingerprint} shard 3 ")),
            made(format!("1 {fingerprint} after temu/us/1")),
            made(format!("1 {fingerprint} after shop/tiktok-shop/us/1")),
            made(format!("1 {fingerprint} before tiktok-shop/us/1")),
        ] {
            assert!(refused(&text, &filters).contains("none of this API's"), "{text}");
        }
        let beyond = made(format!("1 {} shard 1", of_account.fingerprint()));
        assert!(refused(&beyond, &of_account).contains("none of this API's"));
    }
}
