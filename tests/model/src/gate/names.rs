//! The breakers, in the order in which they are passed.

use std::sync::LazyLock;

use shop_keyring::health::{Breaker, Host};

use crate::vault::Number;

/// Places of the breakers, in the order in which they are passed.
pub(super) const LANE: usize = 0;
pub(super) const HOST: usize = 1;
pub(super) const VAULT: usize = 2;

/// The names of the breakers.
pub(super) static BREAKERS: LazyLock<[Breaker; 3]> = LazyLock::new(|| {
    let host = Host::of(&"https://auth.tiktok-shops.com".parse().unwrap());
    [Breaker::Lane("tiktok-shop/us".parse().unwrap()), Breaker::Host(host), Breaker::Vault]
});

/// An attempt that is not under way: it opened a breaker before the beginning, or wrote the wait that a marketplace asked for.
pub(super) const NOBODY: Number = 39;
