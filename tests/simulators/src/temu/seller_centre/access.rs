//! An access token as the pages show it.

use crate::html::{self, escape};
use crate::temu::grant::{End, Token};

const DAY: u64 = 24 * 60 * 60;

/// In a word or two.
pub(super) fn standing(token: &Token, now: u64) -> String {
    match token.end {
        Some(End::Replaced) => "replaced".to_owned(),
        Some(End::Revoked) => "revoked".to_owned(),
        None if token.lives(now) => {
            let left = token.expires_at - now;
            if left < DAY { "valid for less than a day".to_owned() } else { format!("valid for {} days", left / DAY) }
        }
        None => "expired".to_owned(),
    }
}

/// The token to be copied, and what it may do.
pub(super) fn info(token: &Token, now: u64) -> String {
    let calls = html::list(token.permissions.iter().map(|call| format!("<small>{}</small>", escape(call))));
    format!(
        r#"<p>access_token ({standing}):</p>
<p><code id="access-token">{value}</code></p>
<details><summary>What it may do</summary>{calls}</details>"#,
        standing = standing(token, now),
        value = escape(&token.value),
    )
}
