//! A connection's revision as an entity tag, and what a request expects of it (RFC 9110, 8.8.3 and 13.1.1).

use axum::http::{HeaderMap, header};
use shop_keyring::connection::{Connection, edit::Expected};

use crate::problem::Problem;

/// The `ETag` of a connection: `"7"`.
pub(crate) fn etag(item: &Connection) -> String {
    format!("\"{}\"", item.revision)
}

/// What `If-Match` says, if it is there: `*`, or entity tags as [`etag`] made them. One that was never made, or is weak,
/// is no connection's.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<Expected>, Problem> {
    let malformed = || {
        Problem::BadRequest(
            "`If-Match` is not valid: give the `ETag` of the connection with its quotes, or `*` for whatever it is by \
             now."
                .into(),
        )
    };
    let mut tags = Vec::new();
    for value in headers.get_all(header::IF_MATCH) {
        tags.extend(value.to_str().map_err(|_| malformed())?.split(',').map(str::trim));
    }
    if tags.is_empty() {
        return Ok(None);
    }
    if tags == ["*"] {
        return Ok(Some(Expected::Any));
    }
    let mut revisions = Vec::new();
    for tag in tags {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        let text = strong.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).ok_or_else(malformed)?;
        if text.contains('"') {
            return Err(malformed());
        }
        let own = text.parse().ok().filter(|revision: &u64| strong.len() == tag.len() && revision.to_string() == text);
        revisions.extend(own);
    }
    Ok(Some(Expected::Revisions(revisions)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<Expected>, Problem> {
        if_match(&values.iter().map(|value| (header::IF_MATCH, value.parse().unwrap())).collect())
    }

    #[test]
    fn entity_tags_are_told_apart() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&["*"]).unwrap(), Some(Expected::Any));
        for (values, revisions) in [
            (&["\"7\""] as &[&str], vec![7]),
            (&["\"7\", \"9\""], vec![7, 9]),
            (&["\"7\"", "\"9\""], vec![7, 9]),
            (&["W/\"7\""], vec![]),
            (&["\"x\""], vec![]),
            (&["\"07\""], vec![]),
            (&["\"\""], vec![]),
        ] {
            assert_eq!(read(values).unwrap(), Some(Expected::Revisions(revisions)), "{values:?}");
        }
        for values in [&["7"] as &[&str], &[""], &["\"7"], &["*, \"7\""], &["\"7\"\"8\""], &["w/\"7\""]] {
            assert!(matches!(read(values), Err(Problem::BadRequest(_))), "{values:?}");
        }
    }
}
