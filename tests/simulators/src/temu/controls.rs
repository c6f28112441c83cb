//! What a test may do to the platform, and ask of it, without going through HTTP.

use url::Url;

use super::app::App;
use super::calls::{Call, Route};
use super::grant::{End, Terms};
use super::permissions::Purpose;
use super::seller::{Mall, Seller};
use super::settings::Settings;
use super::simulator::Simulator;
use super::world::{Refusal, World};
use crate::faults::Fault;
use crate::platform::Platform;

/// Apps, sellers, and how the platform behaves.
impl Simulator {
    /// Changes how the platform behaves from now on.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.lock().world.settings);
    }

    /// Registers an app, replacing one with the same key.
    pub fn add_app(&self, app: App) {
        self.shared.lock().world.add_app(app);
    }

    /// Changes a registered app: its redirect URL, its secret, its standing.
    ///
    /// # Errors
    /// When there is no such app.
    pub fn update_app(&self, app_key: &str, change: impl FnOnce(&mut App)) -> Result<(), Refusal> {
        self.shared.lock().world.update_app(app_key, change)
    }

    /// Adds a seller's account, replacing one with the same id.
    pub fn add_seller(&self, seller: Seller) {
        self.shared.lock().world.add_seller(seller);
    }

    /// Changes a seller's account. Its id must stay as it is.
    ///
    /// # Errors
    /// When there is no such seller.
    pub fn update_seller(&self, id: &str, change: impl FnOnce(&mut Seller)) -> Result<(), Refusal> {
        change(self.shared.lock().world.seller_mut(id)?);
        Ok(())
    }

    /// Opens a mall under a seller's account.
    ///
    /// # Errors
    /// When there is no such seller.
    pub fn add_mall(&self, seller: &str, mall: Mall) -> Result<(), Refusal> {
        self.update_seller(seller, |seller| seller.malls.push(mall))
    }
}

/// Codes and tokens.
impl Simulator {
    /// What the authorization page does when the seller says yes: mints a code and gives the
    /// callback to be visited.
    ///
    /// # Errors
    /// When the app or the seller is unknown, the app has no redirect URL, or the seller no local
    /// mall in the app's region.
    pub fn authorize(&self, app_key: &str, seller: &str, state: Option<&str>) -> Result<Url, Refusal> {
        let mut shared = self.shared.lock();
        let now = shared.now();
        shared.world.authorize(app_key, seller, state, now)
    }

    /// What the authorization page does when the seller says no.
    ///
    /// # Errors
    /// When the app is unknown or has no redirect URL.
    pub fn deny(&self, app_key: &str, state: Option<&str>) -> Result<Url, Refusal> {
        self.shared.lock().world.deny(app_key, state)
    }

    /// The seller issues a token with the usual permissions and lifetime, which ends the one before.
    ///
    /// # Errors
    /// When the app or the mall is unknown.
    pub fn issue(&self, app_key: &str, mall_id: u64, purpose: Purpose) -> Result<String, Refusal> {
        self.issue_on(app_key, mall_id, purpose, Terms::default())
    }

    /// The same with these permissions and a lifetime in seconds.
    ///
    /// # Errors
    /// When the app or the mall is unknown.
    pub fn issue_with(
        &self,
        app_key: &str,
        mall_id: u64,
        purpose: Purpose,
        permissions: Vec<String>,
        lifetime: u64,
    ) -> Result<String, Refusal> {
        let terms = Terms { permissions: Some(permissions), lifetime: Some(lifetime) };
        self.issue_on(app_key, mall_id, purpose, terms)
    }

    fn issue_on(&self, app_key: &str, mall_id: u64, purpose: Purpose, terms: Terms) -> Result<String, Refusal> {
        let mut shared = self.shared.lock();
        let now = shared.now();
        shared.world.issue(app_key, mall_id, purpose, terms, now).map(|token| token.value.clone())
    }

    /// The seller takes back whatever this app has of the mall; says whether there was anything.
    pub fn revoke(&self, app_key: &str, mall_id: u64) -> bool {
        let mut shared = self.shared.lock();
        shared.world.end(End::Revoked, |token| token.app_key == app_key && token.mall_id == mall_id)
    }

    /// The same for one purpose only.
    pub fn revoke_only(&self, app_key: &str, mall_id: u64, purpose: Purpose) -> bool {
        self.shared.lock().world.end(End::Revoked, |token| token.is_for(app_key, mall_id, purpose))
    }

    /// Lets the token issued last reach its expiry.
    ///
    /// # Errors
    /// When there never was a token.
    pub fn expire(&self, app_key: &str, mall_id: u64, purpose: Purpose) -> Result<(), Refusal> {
        let now = self.now();
        self.set_expiry(app_key, mall_id, purpose, now)
    }

    /// Moves the expiry of the token issued last, to Unix seconds of the simulator's clock.
    ///
    /// # Errors
    /// When there never was a token.
    pub fn set_expiry(&self, app_key: &str, mall_id: u64, purpose: Purpose, at: u64) -> Result<(), Refusal> {
        self.shared.lock().world.newest_token_mut(app_key, mall_id, purpose)?.expires_at = at;
        Ok(())
    }

    /// Changes what the token issued last may do.
    ///
    /// # Errors
    /// When there never was a token.
    pub fn set_permissions(
        &self,
        app_key: &str,
        mall_id: u64,
        purpose: Purpose,
        permissions: Vec<String>,
    ) -> Result<(), Refusal> {
        self.shared.lock().world.newest_token_mut(app_key, mall_id, purpose)?.permissions = permissions;
        Ok(())
    }

    /// The token issued last, alive or not.
    pub fn token_of(&self, app_key: &str, mall_id: u64, purpose: Purpose) -> Option<String> {
        let shared = self.shared.lock();
        shared.world.newest_token(app_key, mall_id, purpose).map(|token| token.value.clone())
    }

    /// Whether the platform would take this access token now.
    pub fn accepts(&self, token: &str) -> bool {
        let shared = self.shared.lock();
        shared.world.accepts(token, shared.now())
    }

    /// Every app secret, code and token that was ever in play, dead or alive: nothing that the
    /// product writes anywhere but in its vault may contain one of them.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.lock().world.secrets()
    }
}

/// Faults, and the log of calls.
impl Simulator {
    /// Puts a fault in store for a route, whichever region is called.
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

    /// How often a route really did its work, whatever the callers were told.
    pub fn effects(&self, route: Route) -> usize {
        self.shared.lock().calls.effects(route, World::SUCCESS)
    }

    /// The most callers that ever waited on a route at the same time.
    pub fn peak_in_flight(&self, route: Route) -> usize {
        self.shared.lock().calls.peak(route)
    }

    /// The same, counting only callers with codes and tokens of one mall.
    pub fn peak_in_flight_for(&self, route: Route, mall_id: u64) -> usize {
        self.shared.lock().calls.peak_for(route, &mall_id.to_string())
    }

    /// The most calls of an app that arrived within any one second of the machine's clock.
    pub fn busiest_second(&self, app_key: &str) -> usize {
        self.shared.lock().calls.busiest_second(app_key)
    }
}
