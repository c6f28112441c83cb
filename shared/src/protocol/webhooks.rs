//! Webhooks that are registered per shop. No claim is taken: registering may be repeated, and nothing here touches tokens.

use std::{
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::join_all;

use super::{Protocol, settling::local_fault};
use crate::{
    apps::{App, AppError},
    connection::{
        Connection, Fault, Status,
        webhooks::{self, Delivery},
    },
    marketplace::{Marketplace, WebhookError},
    names::{AppKeyPath, ShopId},
    secret::Secret,
    store::{ApplyError, StoreError},
    vault::{Vault, VaultError},
};

/// Time limit for registering the shops of one connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// Time limit for removing what is registered, before its secret is deleted in any case.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(3);

/// Shops of one connection that are worked on at the same time.
const SHOPS_AT_ONCE: usize = 4;

/// Result of registering the webhooks of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationResult {
    /// All that was missing is registered.
    Done,
    /// Nothing was to be registered any longer: the app's own URL is ours, or the connection has changed in the meantime.
    NothingToDo,
    /// Some or all of it failed, for a reason that concerns other sellers of the app, too; it is tried again later.
    AppFailed(Fault),
    /// The same for a reason that concerns this seller only.
    SellerFailed(Fault),
    /// It could not be tried, and is deferred.
    Deferred(Fault),
}

/// Why the access token of a connection cannot be used.
enum NoToken {
    Deferred(Fault),
    Failed(WebhookError),
}

/// Calls to remove webhooks that have failed in a row, in this execution environment. A marketplace that does not respond
/// must not hold up the deletion of each secret for three seconds.
#[derive(Debug, Default)]
pub struct RemovalBreaker(Mutex<(u32, Option<Instant>)>);

impl RemovalBreaker {
    const FAILURES_IN_A_ROW: u32 = 3;
    const PAUSE: Duration = Duration::from_mins(10);

    /// Tries no removal for some minutes.
    pub fn pause(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (0, Some(Instant::now() + Self::PAUSE));
    }

    fn is_open(&self) -> bool {
        let (_, open_until) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open_until.is_some_and(|until| Instant::now() < until)
    }

    fn note(&self, succeeded: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = if succeeded { 0 } else { state.0 + 1 };
        if state.0 >= Self::FAILURES_IN_A_ROW {
            drop(state);
            self.pause();
        }
    }
}

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// Where the webhooks about an app's shops are sent; `None` while the registry cannot be read.
    pub(super) async fn delivery(&self, app: &AppKeyPath) -> Option<Delivery> {
        let registry = self.apps.registry().current().await.ok()?;
        let config = registry.get(app);
        Some(config.map_or(Delivery::ByApp, |config| config.webhook_delivery(app, &self.public_base_url)))
    }

    /// Registers the webhooks of the shops for which they are missing.
    ///
    /// # Errors
    /// [`StoreError`]: the next run repeats it.
    pub async fn register_webhooks(&self, item: &Connection) -> Result<RegistrationResult, StoreError> {
        let address = match self.delivery(&item.connection.app).await {
            None => return self.defer_webhooks_for(item, local_fault("the registry of apps cannot be read")).await,
            Some(Delivery::PerShop(address)) => address,
            Some(Delivery::ByApp) => {
                let plan = |item: &Connection| webhooks::plan(item.clone(), &Delivery::ByApp, self.connections.now());
                self.write_webhooks(item, plan).await?;
                return Ok(RegistrationResult::NothingToDo);
            }
        };
        let (done, error) = match self.token_for_webhooks(item).await {
            Ok((app, access_token)) => self.register_each(item, &app, &access_token, &address).await,
            Err(NoToken::Deferred(fault)) => return self.defer_webhooks_for(item, fault).await,
            Err(NoToken::Failed(error)) => (Vec::new(), Some(error)),
        };
        let random = rand::random();
        let record = |item: &Connection| webhooks::record(item, &address, &done, random, self.connections.now());
        let written = self.write_webhooks(item, record).await?;
        Ok(match (written, error) {
            (None, _) => RegistrationResult::NothingToDo,
            // Another run may have done the rest.
            (Some(item), _) if item.webhooks.due_at.is_none() => RegistrationResult::Done,
            (Some(_), Some(WebhookError::App(fault))) => RegistrationResult::AppFailed(fault),
            (Some(_), Some(WebhookError::Seller(fault))) => RegistrationResult::SellerFailed(fault),
            (Some(_), None) => RegistrationResult::Deferred(local_fault("the seller has got another shop meanwhile")),
        })
    }

    /// Leaves the webhooks of a connection for a later run.
    ///
    /// # Errors
    /// [`StoreError`]: it stays due.
    pub async fn defer_webhooks(&self, item: &Connection) -> Result<(), StoreError> {
        let random = rand::random();
        let defer = |item: &Connection| webhooks::defer(item, random, self.connections.now());
        self.write_webhooks(item, defer).await.map(drop)
    }

    /// Counts a registration as failed that was not tried, because those before it have failed.
    ///
    /// # Errors
    /// [`StoreError`]: it stays due.
    pub async fn postpone_webhooks(&self, item: &Connection) -> Result<(), StoreError> {
        let Some(Delivery::PerShop(address)) = self.delivery(&item.connection.app).await else {
            return self.defer_webhooks(item).await;
        };
        let random = rand::random();
        let record = |item: &Connection| webhooks::record(item, &address, &[], random, self.connections.now());
        self.write_webhooks(item, record).await.map(drop)
    }

    async fn defer_webhooks_for(&self, item: &Connection, fault: Fault) -> Result<RegistrationResult, StoreError> {
        self.defer_webhooks(item).await?;
        Ok(RegistrationResult::Deferred(fault))
    }

    /// Returns the shops that are done, and what went wrong with the last of the others.
    async fn register_each(
        &self,
        item: &Connection,
        app: &App,
        access_token: &Secret,
        address: &str,
    ) -> (Vec<ShopId>, Option<WebhookError>) {
        let (mut done, mut error) = (Vec::new(), None);
        let all = async {
            for some in webhooks::missing(item, address).chunks(SHOPS_AT_ONCE) {
                let register = |cipher| self.marketplace.register_webhooks(app, access_token, cipher, address);
                let calls: Vec<_> = some.iter().map(|(_, cipher)| register(cipher)).collect();
                for ((shop, _), result) in some.iter().zip(join_all(calls).await) {
                    match result {
                        Ok(()) => done.push((*shop).clone()),
                        Err(why) => error = Some(why),
                    }
                }
            }
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            error = Some(WebhookError::App(local_fault("registering the webhooks took too long")));
        }
        (done, error)
    }

    /// Removes the webhooks of a connection that the vendor has ended, once and for a short time, if any may have been
    /// registered by us. What stays registered does no harm: its webhooks find no connection.
    pub(super) async fn remove_webhooks(&self, item: &Connection) {
        let is_ours = matches!(self.delivery(&item.connection.app).await, Some(Delivery::PerShop(_)));
        // Where an attempt was planned, it may have been made without being recorded.
        if item.webhooks.is_empty() || !is_ours || self.removals.is_open() {
            return;
        }
        let removal = async {
            let (app, access_token) = self.token_for_webhooks(item).await.map_err(|why| match why {
                NoToken::Deferred(fault) => fault,
                NoToken::Failed(error) => error.into_fault(),
            })?;
            let ciphers: Vec<_> = item.shops.iter().filter_map(|shop| shop.cipher.as_deref()).collect();
            for some in ciphers.chunks(SHOPS_AT_ONCE) {
                let calls: Vec<_> =
                    some.iter().map(|cipher| self.marketplace.remove_webhooks(&app, &access_token, cipher)).collect();
                for result in join_all(calls).await {
                    result.map_err(WebhookError::into_fault)?;
                }
            }
            Ok(())
        };
        let limited = tokio::time::timeout(REMOVAL_PATIENCE, removal).await;
        let removed = limited.unwrap_or_else(|_| Err(local_fault("it took longer than three seconds")));
        self.removals.note(removed.is_ok());
        if let Err(fault) = removed {
            tracing::warn!(connection = %item.connection, %fault, "webhooks stay registered at the marketplace");
        }
    }

    async fn token_for_webhooks(&self, item: &Connection) -> Result<(Arc<App>, Secret), NoToken> {
        let of_app = |what: &dyn Display| NoToken::Failed(WebhookError::App(local_fault(&what.to_string())));
        let of_seller = |what: &dyn Display| NoToken::Failed(WebhookError::Seller(local_fault(&what.to_string())));
        let app = self.apps.get(&item.connection.app).await.map_err(|error| match error {
            AppError::Unavailable { .. } | AppError::Registry(_) => NoToken::Deferred(local_fault(&error)),
            error => of_app(&error),
        })?;
        let Some(version) = &item.secret_version else { return Err(of_seller(&"there is no token")) };
        match self.vault.get(&item.connection, version).await {
            Ok(Some(set)) if set.app_key == app.app_key => Ok((app, set.access_token)),
            Ok(Some(_)) => Err(of_seller(&"the token was issued for another app key")),
            Ok(None) => Err(of_seller(&"the secret has no such version")),
            Err(error @ VaultError::Unavailable { .. }) => Err(NoToken::Deferred(local_fault(&error))),
            Err(error) => Err(of_seller(&error)),
        }
    }

    /// Writes a change of the webhooks; `None` if the connection has ended or the seller has authorized again since it was
    /// read.
    async fn write_webhooks(
        &self,
        read: &Connection,
        decide: impl Fn(&Connection) -> Connection,
    ) -> Result<Option<Connection>, StoreError> {
        struct Moved;
        let written = self.connections.apply_to(Some(read.clone()), |item| match item {
            Some(item) if item.status == Status::Active && item.granted_at == read.granted_at => Ok(decide(item)),
            _ => Err(Moved),
        });
        match written.await {
            Ok(item) => Ok(Some(item)),
            Err(ApplyError::Decided(Moved)) => Ok(None),
            Err(ApplyError::Store(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_removals_that_fail_in_a_row_end_the_trying_for_a_while() {
        let breaker = RemovalBreaker::default();
        for succeeded in [false, false, true, false, false] {
            breaker.note(succeeded);
            assert!(!breaker.is_open());
        }
        breaker.note(false);
        assert!(breaker.is_open());
    }
}
