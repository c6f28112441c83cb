//! What is the case: the items, the vault with all its versions, and what the marketplace takes.

use std::collections::BTreeMap;

use end_to_end::{Stack, Table};
use serde_json::Value;

use super::connection;

/// One version in the vault, and what the marketplace thinks of it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) version: String,
    /// Where its access token stands among all that were issued: authorization and number.
    pub(crate) place: Option<(u64, usize)>,
    /// Whether its refresh token would be taken now.
    pub(crate) refreshes: bool,
    /// Whether its access token would be taken now.
    pub(crate) works: bool,
}

/// What is stored of one seller.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) connection: String,
    pub(crate) item: Option<Value>,
    /// Whether there is a secret that is not deleted.
    pub(crate) has_secret: bool,
    /// Oldest first; also of a deleted secret.
    pub(crate) kept: Vec<Kept>,
}

impl Truth {
    /// Of each of these sellers.
    pub(crate) async fn of(stack: &Stack, sellers: &[String]) -> Vec<Self> {
        let items = stack.items(Table::Connections).await.into_iter();
        let keyed = items.filter_map(|item| Some((item["connection"].as_str()?.to_owned(), item)));
        let mut items: BTreeMap<_, _> = keyed.collect();
        let kept = stack.kept_tokens();
        let truth = |seller: &String| {
            let connection = connection(seller);
            let secret = kept.iter().find(|kept| kept.connection == connection);
            Self {
                item: items.remove(&connection),
                has_secret: secret.is_some_and(|secret| !secret.deleted),
                kept: secret.map(|secret| judge(stack, &secret.versions)).unwrap_or_default(),
                connection,
            }
        };
        sellers.iter().map(truth).collect()
    }

    /// Whether the vault holds anything with which the connection can go on.
    pub(crate) fn is_alive(&self) -> bool {
        self.kept.iter().any(|kept| kept.refreshes)
    }

    /// A text in the item; empty without one.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.item.as_ref().and_then(|item| item[name].as_str()).unwrap_or_default()
    }

    /// The version that the item names.
    pub(crate) fn current(&self) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.version == self.text("secret_version"))
    }

    /// The version whose tokens were issued last.
    pub(crate) fn newest(&self) -> Option<&Kept> {
        self.kept.iter().max_by_key(|kept| kept.place)
    }
}

fn judge(stack: &Stack, versions: &[(String, Value)]) -> Vec<Kept> {
    let tiktok_shop = stack.tiktok_shop();
    let takes = |set: &Value, token: &str| set[token].as_str().is_some_and(|token| tiktok_shop.accepts(token));
    let judged = versions.iter().map(|(version, set)| Kept {
        version: version.clone(),
        place: set["access_token"].as_str().and_then(|token| tiktok_shop.place_of(token)),
        refreshes: takes(set, "refresh_token"),
        works: takes(set, "access_token"),
    });
    judged.collect()
}
