//! Addresses that apps have registered for notices: at most one per app, shop and topic.

use std::collections::BTreeMap;

use serde::Serialize;
use url::Url;

use super::topics;

/// A registered address, as the list shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Webhook {
    pub(super) event_type: &'static str,
    /// As the app wrote it.
    pub(super) address: String,
    create_time: u64,
    update_time: u64,
}

/// By app key and shop id, then by topic.
#[derive(Default)]
pub(super) struct Registrations(BTreeMap<(String, String), BTreeMap<&'static str, Webhook>>);

impl Registrations {
    /// Registers the address in place of an earlier one.
    pub(super) fn put(&mut self, app_key: &str, shop_id: &str, event_type: &'static str, address: String, now: u64) {
        let webhooks = self.0.entry(key(app_key, shop_id)).or_default();
        let create_time = webhooks.get(event_type).map_or(now, |earlier| earlier.create_time);
        webhooks.insert(event_type, Webhook { event_type, address, create_time, update_time: now });
    }

    pub(super) fn remove(&mut self, app_key: &str, shop_id: &str, event_type: &str) {
        if let Some(webhooks) = self.0.get_mut(&key(app_key, shop_id)) {
            webhooks.remove(event_type);
        }
    }

    /// Removes all of a shop's.
    pub(super) fn forget(&mut self, app_key: &str, shop_id: &str) {
        self.0.remove(&key(app_key, shop_id));
    }

    /// All of a shop's, sorted by topic.
    pub(super) fn of(&self, app_key: &str, shop_id: &str) -> impl Iterator<Item = &Webhook> {
        self.0.get(&key(app_key, shop_id)).into_iter().flat_map(BTreeMap::values)
    }

    /// The address for notices of this `type` about a shop.
    pub(super) fn address(&self, app_key: &str, shop_id: &str, kind: i64) -> Option<Url> {
        let webhook = self.0.get(&key(app_key, shop_id))?.get(topics::numbered(kind)?)?;
        webhook.address.parse().ok()
    }
}

fn key(app_key: &str, shop_id: &str) -> (String, String) {
    (app_key.to_owned(), shop_id.to_owned())
}
