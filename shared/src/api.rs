//! Where the vendor's services use a token.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::marketplace::temu::router::RouterAddress;

/// The addresses that serve an app's tokens.
///
/// Each connection's item has a copy, as of the last authorization, refresh or check, so that serving a token reads that
/// item and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Api {
    /// TikTok Shop: the open API's host. Temu: the first router's.
    pub base_url: Url,
    /// Temu: the routers that serve the token, the preferred one first. Empty at TikTok Shop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routers: Vec<RouterAddress>,
}

impl Api {
    /// The API of a marketplace that has one host for all calls.
    pub const fn at(base_url: Url) -> Self {
        Self { base_url, routers: Vec::new() }
    }
}
