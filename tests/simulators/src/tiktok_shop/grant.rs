use std::collections::BTreeSet;

use super::mint;
use super::settings::{Rotation, Settings};

/// An authorization code on its way from the callback to the token host.
pub(super) struct Code {
    pub(super) value: String,
    pub(super) app_key: String,
    pub(super) open_id: String,
    pub(super) dead_at: u64,
    pub(super) used: bool,
}

/// An access token with the refresh token that came in the same answer.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) access_expires_at: u64,
    pub(super) access_retired: bool,
    pub(super) refresh: String,
    pub(super) refresh_retired: bool,
}

/// What a seller gave an app by authorizing it once, with every pair issued under it.
pub(super) struct Grant {
    pub(super) id: u64,
    pub(super) app_key: String,
    pub(super) open_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: u64,
    /// Taken away by the seller, or replaced by a later authorization.
    pub(super) ended: bool,
    /// Ids of the seller's shops that were taken out of it one by one.
    pub(super) left: BTreeSet<String>,
    pub(super) pairs: Vec<Pair>,
}

impl Grant {
    pub(super) fn issue(&mut self, prefix: &str, settings: &Settings, now: u64) -> Pair {
        let refresh = match (settings.rotation, self.pairs.last()) {
            (Rotation::Unchanged, Some(last)) => last.refresh.clone(),
            _ => mint::token(prefix),
        };
        let pair = Pair {
            access: mint::token(prefix),
            access_expires_at: now + settings.access_lifetime,
            access_retired: false,
            refresh,
            refresh_retired: false,
        };
        self.pairs.push(pair.clone());
        pair
    }

    /// Renews the pair at `spent`, which the caller has found to be acceptable.
    pub(super) fn renew(&mut self, spent: usize, prefix: &str, settings: &Settings, now: u64) -> Pair {
        self.mark_used(spent, settings);
        let renewed = self.issue(prefix, settings, now);
        let ends_access = settings.rotation_ends_access_tokens;
        match settings.rotation {
            Rotation::OneTime => self.retire_first(spent + 1, true, ends_access),
            Rotation::KeepOld | Rotation::Unchanged => self.retire_first(spent + 1, false, ends_access),
            Rotation::Grace => {}
        }
        renewed
    }

    /// Under a grace period the use of a pair is the proof that it arrived, so what came before it
    /// is no longer needed.
    pub(super) fn mark_used(&mut self, used: usize, settings: &Settings) {
        if settings.rotation == Rotation::Grace {
            self.retire_first(used, true, settings.rotation_ends_access_tokens);
        }
    }

    fn retire_first(&mut self, count: usize, refresh: bool, access: bool) {
        for pair in self.pairs.iter_mut().take(count) {
            pair.refresh_retired |= refresh;
            pair.access_retired |= access;
        }
    }

    /// The newest pair with this refresh token, whether or not it is still good.
    pub(super) fn by_refresh(&self, token: &str) -> Option<usize> {
        self.pairs.iter().rposition(|pair| pair.refresh == token)
    }

    /// The pair with this access token, whether or not it is still good.
    pub(super) fn by_access(&self, token: &str) -> Option<usize> {
        self.pairs.iter().rposition(|pair| pair.access == token)
    }

    /// Whether a shop of the seller is under it.
    pub(super) fn covers(&self, shop_id: &str) -> bool {
        !self.left.contains(shop_id)
    }

    pub(super) fn refreshes(&self, pair: usize, now: u64) -> bool {
        !self.ended && !self.pairs[pair].refresh_retired && now < self.expires_at
    }

    pub(super) fn grants_access(&self, pair: usize, now: u64) -> bool {
        let pair = &self.pairs[pair];
        !self.ended && !pair.access_retired && now < pair.access_expires_at
    }
}
