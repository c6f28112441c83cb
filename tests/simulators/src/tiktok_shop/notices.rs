//! What makes the platform post notices, and what a test may ask about them.
//!
//! A simulator that was stopped posts nothing.

use std::time::Duration;

use super::delivery::{Delivery, Reception};
use super::notice::Notice;
use super::simulator::Simulator;
use super::world::Refusal;
use crate::conduct::machine_time;

impl Simulator {
    /// The seller takes every authorization of this app back; says whether there was one. The app
    /// gets a notice for each shop.
    pub fn deauthorize(&self, app_key: &str, open_id: &str) -> bool {
        let shops = self.shared.lock().world.deauthorize(app_key, open_id);
        let Some(shops) = shops else { return false };
        for shop in shops {
            self.tell_deauthorized(app_key, &shop);
        }
        true
    }

    /// One shop leaves the seller's authorizations of this app, and with the last shop an
    /// authorization ends; says whether the shop was under one. The app gets a notice for this
    /// shop. The seller keeps it, so that the next authorization covers it again.
    pub fn deauthorize_shop(&self, app_key: &str, open_id: &str, shop_id: &str) -> bool {
        let left = self.shared.lock().world.deauthorize_shop(app_key, open_id, shop_id);
        if left {
            self.tell_deauthorized(app_key, shop_id);
        }
        left
    }

    /// The app gets a notice for each shop under the seller's latest authorization, alive or not,
    /// with the end that it has; gives their notification ids.
    ///
    /// # Errors
    /// When the app or the seller is unknown, the seller never authorized the app, or there is no address
    /// to post to; see [`send_notice`](Self::send_notice).
    pub fn announce_end(&self, app_key: &str, open_id: &str) -> Result<Vec<String>, Refusal> {
        let end = {
            let state = self.shared.lock();
            state.world.app(app_key)?;
            state.world.seller(open_id)?;
            state.world.end_of_latest(app_key, open_id)?
        };
        self.announce_end_at(app_key, open_id, end)
    }

    /// The same with any end, in Unix seconds. For a seller who never authorized the app it is about
    /// all shops.
    ///
    /// # Errors
    /// When the app or the seller is unknown, or there is no address to post to; see
    /// [`send_notice`](Self::send_notice).
    pub fn announce_end_at(&self, app_key: &str, open_id: &str, end: u64) -> Result<Vec<String>, Refusal> {
        let shops = self.shared.lock().world.shops_under_latest(app_key, open_id)?;
        shops.into_iter().map(|shop| self.send_notice(app_key, Notice::ends_soon(shop, end))).collect()
    }

    /// The app gets this notice; gives its notification id, by which its deliveries are found.
    ///
    /// # Errors
    /// When the app is unknown, or has no webhook URL and registered none for the shop and the topic.
    pub fn send_notice(&self, app_key: &str, notice: Notice) -> Result<String, Refusal> {
        let letter = {
            let state = self.shared.lock();
            let app = state.world.app(app_key)?;
            let (kind, shop_id) = notice.about();
            let registered = state.world.registrations.address(app_key, shop_id, kind);
            if registered.is_none() && app.webhook_url.is_none() {
                return Err(Refusal::NoWebhookUrl(app_key.to_owned()));
            }
            let by_machine = state.world.settings.timestamps_by_machine_clock;
            notice.into_letter(app_key, registered, if by_machine { machine_time() } else { state.now() })
        };
        let id = letter.notification_id.clone();
        self.courier.take(letter);
        Ok(id)
    }

    /// Every attempt to deliver a notice so far, in order of their beginnings. The first attempt of
    /// a notice is among them as soon as the call returns that caused the notice.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.courier.log().all()
    }

    /// Every attempt to deliver the notice with this id.
    pub fn deliveries_of(&self, notification_id: &str) -> Vec<Delivery> {
        let mut deliveries = self.deliveries();
        deliveries.retain(|delivery| delivery.notification_id == notification_id);
        deliveries
    }

    /// Waits until the app has answered a notice with 200; says whether it did so in time.
    pub async fn delivered(&self, notification_id: &str, patience: Duration) -> bool {
        let taken = |delivery: &Delivery| delivery.notification_id == notification_id && delivery.succeeded();
        self.courier.log().shows(|deliveries| deliveries.iter().any(taken), patience).await
    }

    /// Waits until so many attempts to deliver a notice have ended, well or not; says whether they
    /// did so in time.
    pub async fn attempted(&self, notification_id: &str, attempts: usize, patience: Duration) -> bool {
        let ended = |delivery: &&Delivery| {
            delivery.notification_id == notification_id && delivery.reception != Reception::Awaited
        };
        let enough = |deliveries: &Vec<Delivery>| deliveries.iter().filter(ended).count() >= attempts;
        self.courier.log().shows(enough, patience).await
    }

    /// What the platform does by itself concerns nobody if the app has not asked for notices.
    ///
    /// The shop's registered addresses are removed once the notice is on its way to one of them. Whether the real
    /// platform keeps them for the next authorization is unknown; a client that registers them again after each
    /// authorization works with both.
    fn tell_deauthorized(&self, app_key: &str, shop_id: &str) {
        let _ = self.send_notice(app_key, Notice::deauthorized(shop_id));
        self.shared.lock().world.registrations.forget(app_key, shop_id);
    }
}
