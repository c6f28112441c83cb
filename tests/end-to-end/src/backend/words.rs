//! The keyring's codes in words for the vendor's customers. A code that is not known here falls back to the keyring's own
//! words: new codes may come.

use super::connection::{Attention, Connection};

/// A marketplace's name.
pub(super) fn marketplace(name: &str) -> &str {
    match name {
        "tiktok-shop" => "TikTok Shop",
        "temu" => "Temu",
        other => other,
    }
}

/// A connection's status.
pub(super) fn status(status: &str) -> &str {
    match status {
        "active" => "connected",
        "reauthorization_required" => "stopped until the seller authorizes again",
        "disconnected" => "disconnected",
        "pending" => "waits for its confirmation",
        other => other,
    }
}

/// What a token is for, unless it is for everything.
pub(super) fn purpose(purpose: &str) -> Option<&str> {
    match purpose {
        "all" => None,
        "order" => Some("orders"),
        "product" => Some("products"),
        other => Some(other),
    }
}

/// Why a connection needs attention, and what the customer can do.
pub(super) fn attention<'a>(connection: &Connection, attention: &'a Attention) -> &'a str {
    match attention.code.as_str() {
        "reauthorization_required" => reason(connection.reason.as_deref(), &attention.detail),
        "in_doubt" => "The marketplace has refused the last renewal. We try again automatically; wait half an hour.",
        "failing" => "The last renewals have failed. We try again automatically; there is nothing for you to do.",
        "held_back" | "secret_not_deleted" => "We have a problem on our side and are working on it.",
        "shop_inactive" => "The marketplace says that the shop is inactive. Check its state in the seller center.",
        "expiring" => "The permission ends soon. Press \"Reconnect\" before it does.",
        _ => &attention.detail,
    }
}

fn reason<'a>(reason: Option<&str>, detail: &'a str) -> &'a str {
    match reason {
        Some("authorization_expired") => "The time that you granted is over. Press \"Reconnect\".",
        Some("refused" | "rotation_lost") => "The marketplace no longer accepts the permission. Press \"Reconnect\".",
        Some("deauthorized") => {
            "The permission was taken back at the marketplace. Press \"Reconnect\" if that was a mistake, \"Disconnect\" \
             if it was not."
        }
        Some("replaced") => "A newer token was issued at the marketplace. Press \"Reconnect\" and paste that one.",
        Some("permissions_missing") => {
            "A permission that we need was taken back at the marketplace. Press \"Reconnect\" and grant it again."
        }
        _ => detail,
    }
}

/// Why a seller's visit connected nothing, and what the customer can do.
pub(super) fn failure<'a>(failure: &str, detail: &'a str) -> &'a str {
    match failure {
        "denied" => "You declined at the marketplace. If that was a mistake, connect again.",
        "code_refused" => {
            "The marketplace did not accept the authorization: it took too long, or was used already. Connect again."
        }
        "not_a_seller" => {
            "You were logged in to the marketplace as a creator or a partner. Log in there as the owner of the shop."
        }
        "account_conflict" => {
            "The shop is connected to another account with us. Use that account, or ask our support to move the shop."
        }
        "other_seller" => {
            "You authorized another shop than the one to reconnect. Log in to the marketplace as that shop's owner, and \
             press \"Reconnect\" again."
        }
        "nothing_to_reconnect" => "The connection no longer exists. Press \"Connect a shop\" instead.",
        "overtaken" => {
            "The shop was authorized again at the same moment. Look at your shops, and connect again if it is missing."
        }
        "marketplace_unavailable" => "The marketplace did not answer. Connect again in a few minutes.",
        "misconfigured" => "The marketplace rejects our app. That is our mistake; write to our support.",
        "storage_unavailable" => "We could not store the permission. Connect again in a few minutes.",
        "bad_callback" => "You came back from the marketplace without a permission. Connect again, and agree there.",
        _ => detail,
    }
}

/// `2026-11-26T05:09:56Z` for people.
pub(super) fn moment(rfc_3339: &str) -> String {
    rfc_3339.replace('T', " ").replace('Z', " UTC")
}
