//! What a test may do to the platform, and ask of it, without going through HTTP.

use url::Url;

use super::app::App;
use super::calls::{Call, Route};
use super::seller::{Seller, Shop};
use super::settings::Settings;
use super::simulator::Simulator;
use super::world::{Refusal, World};
use crate::calls::Outcome;
use crate::faults::Fault;
use crate::platform::Platform;

impl Simulator {
    /// Changes how the platform behaves from now on.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.lock().world.settings);
    }

    /// Registers an app, replacing one with the same key.
    pub fn add_app(&self, app: App) {
        self.shared.lock().world.add_app(app);
    }

    /// Changes a registered app: its Redirect URL, its secret.
    ///
    /// # Errors
    /// When there is no such app.
    pub fn update_app(&self, app_key: &str, change: impl FnOnce(&mut App)) -> Result<(), Refusal> {
        self.shared.lock().world.update_app(app_key, change)
    }

    /// Adds a seller, replacing one with the same `open_id`.
    pub fn add_seller(&self, seller: Seller) {
        self.shared.lock().world.add_seller(seller);
    }

    /// Changes a seller. Scopes that change here count from the next authorization on; the rest at
    /// once. The `open_id` must stay as it is.
    ///
    /// # Errors
    /// When there is no such seller.
    pub fn update_seller(&self, open_id: &str, change: impl FnOnce(&mut Seller)) -> Result<(), Refusal> {
        change(self.shared.lock().world.seller_mut(open_id)?);
        Ok(())
    }

    /// Opens a shop under a seller's account.
    ///
    /// # Errors
    /// When there is no such seller.
    pub fn add_shop(&self, open_id: &str, shop: Shop) -> Result<(), Refusal> {
        self.update_seller(open_id, |seller| seller.shops.push(shop))
    }

    /// Closes a shop, if the seller has it. The platform says nothing about it; see also
    /// [`deauthorize_shop`](Self::deauthorize_shop).
    ///
    /// # Errors
    /// When there is no such seller.
    pub fn remove_shop(&self, open_id: &str, shop_id: &str) -> Result<(), Refusal> {
        self.update_seller(open_id, |seller| seller.shops.retain(|shop| shop.id != shop_id))
    }

    /// What the authorization page does when the seller says yes: mints a code and gives the
    /// callback to be visited. Without a `state` it is an install begun in the platform's own store.
    ///
    /// # Errors
    /// When the app or the seller is unknown, or the app has no Redirect URL.
    pub fn authorize(&self, app_key: &str, open_id: &str, state: Option<&str>) -> Result<Url, Refusal> {
        let mut shared = self.shared.lock();
        let now = shared.now();
        shared.world.authorize(app_key, open_id, state, now)
    }

    /// What the authorization page does when the seller says no.
    ///
    /// # Errors
    /// When the app is unknown or has no Redirect URL.
    pub fn deny(&self, app_key: &str, state: Option<&str>) -> Result<Url, Refusal> {
        self.shared.lock().world.deny(app_key, state)
    }

    /// What the seller does under "My Apps & Services > Renew": the authorization lives so many seconds from now on, under
    /// the tokens that it has. Says whether there was one.
    pub fn extend_authorization(&self, app_key: &str, open_id: &str, lifetime: u64) -> bool {
        let mut shared = self.shared.lock();
        let ends_at = shared.now() + lifetime;
        shared.world.extend(app_key, open_id, ends_at)
    }

    /// The addresses that an app has registered for notices about a shop, each with its event type, sorted by event type.
    pub fn webhooks_of(&self, app_key: &str, shop_id: &str) -> Vec<(&'static str, String)> {
        let shared = self.shared.lock();
        let registered = shared.world.registrations.of(app_key, shop_id);
        registered.map(|webhook| (webhook.event_type, webhook.address.clone())).collect()
    }

    /// Puts a fault in store for a route.
    pub fn inject(&self, route: Route, fault: Fault) {
        self.shared.lock().faults.inject(route, fault);
    }

    /// Takes back what is in store for a route. Calls that hang there lose their connection.
    pub fn clear_faults(&self, route: Route) {
        self.shared.lock().faults.clear(route);
    }

    /// Every call so far, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.lock().calls.all().to_vec()
    }

    /// Every call to one route so far, in order of arrival.
    pub fn calls_to(&self, route: Route) -> Vec<Call> {
        self.shared.lock().calls.to(route).cloned().collect()
    }

    /// The calls to one route that are under way.
    pub fn in_flight(&self, route: Route) -> Vec<Call> {
        let shared = self.shared.lock();
        shared.calls.to(route).filter(|call| call.outcome == Outcome::InFlight).cloned().collect()
    }

    /// Empties the log of calls, and with it what is counted.
    pub fn forget_calls(&self) {
        self.shared.lock().calls.forget();
    }

    /// How often a route really did its work, whatever the callers were told.
    pub fn effects(&self, route: Route) -> usize {
        self.shared.lock().calls.effects(route, World::SUCCESS)
    }

    /// The most callers that ever waited on a route at the same time.
    pub fn peak_in_flight(&self, route: Route) -> usize {
        self.shared.lock().calls.peak(route)
    }

    /// The same, counting only callers with codes and tokens of one seller.
    pub fn peak_in_flight_for(&self, route: Route, open_id: &str) -> usize {
        self.shared.lock().calls.peak_for(route, open_id)
    }

    /// Whether the platform would take this access or refresh token now. Asking uses up nothing.
    pub fn accepts(&self, token: &str) -> bool {
        let shared = self.shared.lock();
        shared.world.accepts(token, shared.now())
    }

    /// Where an access token stands among all that were issued: the number of its authorization, and its own under that.
    pub fn place_of(&self, access_token: &str) -> Option<(u64, usize)> {
        self.shared.lock().world.place_of(access_token)
    }

    /// The access token issued last under a seller's latest authorization, alive or not.
    pub fn newest_access_token(&self, app_key: &str, open_id: &str) -> Option<String> {
        let shared = self.shared.lock();
        let pair = shared.world.newest_pair(app_key, open_id)?;
        Some(pair.access.clone())
    }

    /// The refresh token issued last under a seller's latest authorization, alive or not.
    pub fn newest_refresh_token(&self, app_key: &str, open_id: &str) -> Option<String> {
        let shared = self.shared.lock();
        let pair = shared.world.newest_pair(app_key, open_id)?;
        Some(pair.refresh.clone())
    }

    /// Every app secret, code and token that was ever in play, dead or alive: nothing that the
    /// product writes anywhere but in its vault may contain one of them.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.lock().world.secrets()
    }
}
