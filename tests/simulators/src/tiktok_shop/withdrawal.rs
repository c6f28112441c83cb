//! What a seller takes back, wholly or shop by shop, and which shops there are to tell about.

use super::seller::Seller;
use super::world::{Refusal, World, live_grants};

impl World {
    /// The seller takes every authorization of the app back; gives the ids of the shops that this
    /// was for, or `None` if there was nothing to take back.
    pub(super) fn deauthorize(&mut self, app_key: &str, open_id: &str) -> Option<Vec<String>> {
        let mut shops = shop_ids(self.seller(open_id).ok()?);
        let ended: Vec<_> = live_grants(&mut self.grants, app_key, open_id).collect();
        if ended.is_empty() {
            return None;
        }
        shops.retain(|shop| ended.iter().any(|grant| grant.covers(shop)));
        for grant in ended {
            grant.ended = true;
        }
        Some(shops)
    }

    /// One shop leaves every authorization of the app; those that have no other shop end. Says
    /// whether the shop was under one.
    pub(super) fn deauthorize_shop(&mut self, app_key: &str, open_id: &str, shop_id: &str) -> bool {
        let shops = self.seller(open_id).map(shop_ids).unwrap_or_default();
        if !shops.iter().any(|shop| shop == shop_id) {
            return false;
        }
        let mut any = false;
        for grant in live_grants(&mut self.grants, app_key, open_id) {
            any |= grant.left.insert(shop_id.to_owned());
            grant.ended = !shops.iter().any(|shop| grant.covers(shop));
        }
        any
    }

    /// The seller extends the authorization in the platform's own seller center: it goes on under the same tokens, and
    /// nobody visits the callback.
    pub(super) fn extend(&mut self, app_key: &str, open_id: &str, ends_at: u64) -> bool {
        let mut extended = false;
        for grant in live_grants(&mut self.grants, app_key, open_id) {
            grant.expires_at = ends_at;
            extended = true;
        }
        extended
    }

    /// When the seller's latest authorization of the app ends, unless it is taken back before.
    pub(super) fn end_of_latest(&self, app_key: &str, open_id: &str) -> Result<u64, Refusal> {
        let grant = self.latest_grant(app_key, open_id).ok_or_else(|| Refusal::NotAuthorized(open_id.to_owned()))?;
        Ok(grant.expires_at)
    }

    /// The ids of the shops under the seller's latest authorization of the app, alive or not; all
    /// of the seller's if there never was one.
    pub(super) fn shops_under_latest(&self, app_key: &str, open_id: &str) -> Result<Vec<String>, Refusal> {
        let mut shops = shop_ids(self.seller(open_id)?);
        if let Some(grant) = self.latest_grant(app_key, open_id) {
            shops.retain(|shop| grant.covers(shop));
        }
        Ok(shops)
    }
}

fn shop_ids(seller: &Seller) -> Vec<String> {
    seller.shops.iter().map(|shop| shop.id.clone()).collect()
}
