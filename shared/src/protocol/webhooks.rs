//! Webhooks that are registered per shop. No claim is taken: registering may be repeated, and nothing here touches tokens.

use std::{fmt::Display, sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::{Protocol, settling::local_fault};
use crate::{
    apps::{App, AppError},
    connection::{
        Connection, Fault, Status,
        webhooks::{self, Delivery},
    },
    marketplace::Marketplace,
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

/// Longest random addition to the wait after a failure, in seconds.
const SPREAD: i64 = 10 * 60;

/// Result of registering the webhooks of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// All that was missing is registered, or nothing is to be registered.
    Done,
    /// Some or all of it failed; it is tried again later.
    Failed(Fault),
    /// Secrets Manager did not respond; it stays due.
    Deferred,
}

/// Why the access token of a connection cannot be used.
enum NoToken {
    Deferred,
    Failed(Fault),
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
    /// [`StoreError`]: it is done again.
    pub async fn register_webhooks(&self, item: &Connection) -> Result<Registration, StoreError> {
        let address = match self.delivery(&item.connection.app).await {
            None => return Ok(Registration::Deferred),
            Some(Delivery::PerShop(address)) => address,
            Some(Delivery::ByApp) => {
                self.write_webhooks(item, |item| {
                    webhooks::plan(item.clone(), &Delivery::ByApp, self.connections.now())
                })
                .await?;
                return Ok(Registration::Done);
            }
        };
        let (done, fault) = match self.token_for_webhooks(item).await {
            Ok((app, access_token)) => self.register_each(item, &app, &access_token, &address).await,
            Err(NoToken::Deferred) => return Ok(Registration::Deferred),
            Err(NoToken::Failed(fault)) => (Vec::new(), Some(fault)),
        };
        let (failed, jitter) = (fault.is_some(), rand::random_range(0..=SPREAD));
        self.write_webhooks(item, |item| {
            webhooks::record(item, &address, &done, failed, jitter, self.connections.now())
        })
        .await?;
        Ok(fault.map_or(Registration::Done, Registration::Failed))
    }

    /// Returns the shops that are done, and what went wrong with the last of the others.
    async fn register_each(
        &self,
        item: &Connection,
        app: &App,
        access_token: &Secret,
        address: &str,
    ) -> (Vec<ShopId>, Option<Fault>) {
        let (mut done, mut fault) = (Vec::new(), None);
        let all = async {
            for some in webhooks::missing(item, address).chunks(SHOPS_AT_ONCE) {
                let register = |cipher| self.marketplace.register_webhooks(app, access_token, cipher, address);
                let calls: Vec<_> = some.iter().map(|(_, cipher)| register(cipher)).collect();
                for ((shop, _), result) in some.iter().zip(join_all(calls).await) {
                    match result {
                        Ok(()) => done.push((*shop).clone()),
                        Err(why) => fault = Some(why),
                    }
                }
            }
        };
        let is_late = tokio::time::timeout(PATIENCE, all).await.is_err();
        (done, if is_late { Some(local_fault("registering the webhooks took too long")) } else { fault })
    }

    /// Removes what is registered for a connection that the vendor has ended, once and for a short time. What stays
    /// registered does no harm: its webhooks find no connection.
    pub(super) async fn remove_webhooks(&self, item: &Connection) {
        if item.webhooks.shops.is_empty() {
            return;
        }
        let removal = async {
            let (app, access_token) = self.token_for_webhooks(item).await.map_err(|why| match why {
                NoToken::Deferred => local_fault("Secrets Manager did not respond"),
                NoToken::Failed(fault) => fault,
            })?;
            let (app, access_token) = (&app, &access_token);
            let registered = |id: &ShopId| item.webhooks.shops.contains(id);
            let ciphers =
                item.shops.iter().filter(|shop| registered(&shop.id)).filter_map(|shop| shop.cipher.as_deref());
            let calls: Vec<_> =
                ciphers.map(|cipher| self.marketplace.remove_webhooks(app, access_token, cipher)).collect();
            join_all(calls).await.into_iter().collect::<Result<(), Fault>>()
        };
        let limit = tokio::time::timeout(REMOVAL_PATIENCE, removal).await;
        if let Err(fault) = limit.unwrap_or_else(|_| Err(local_fault("it took longer than three seconds"))) {
            tracing::warn!(connection = %item.connection, %fault, "webhooks stay registered at the marketplace");
        }
    }

    async fn token_for_webhooks(&self, item: &Connection) -> Result<(Arc<App>, Secret), NoToken> {
        let failed = |what: &dyn Display| NoToken::Failed(local_fault(&what.to_string()));
        let app = self.apps.get(&item.connection.app).await.map_err(|error| match error {
            AppError::Unavailable { .. } | AppError::Registry(_) => NoToken::Deferred,
            error => failed(&error),
        })?;
        let Some(version) = &item.secret_version else { return Err(failed(&"there is no token")) };
        match self.vault.get(&item.connection, version).await {
            Ok(Some(set)) if set.app_key == app.app_key => Ok((app, set.access_token)),
            Ok(Some(_)) => Err(failed(&"the token was issued for another app key")),
            Ok(None) => Err(failed(&"the secret has no such version")),
            Err(VaultError::Unavailable { .. }) => Err(NoToken::Deferred),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Writes what became of a registration, unless the connection has ended or the seller has authorized again since.
    async fn write_webhooks(
        &self,
        read: &Connection,
        decide: impl Fn(&Connection) -> Connection,
    ) -> Result<(), StoreError> {
        struct Moved;
        let written = self.connections.apply_to(Some(read.clone()), |item| match item {
            Some(item) if item.status == Status::Active && item.granted_at == read.granted_at => Ok(decide(item)),
            _ => Err(Moved),
        });
        match written.await {
            Ok(_) | Err(ApplyError::Decided(Moved)) => Ok(()),
            Err(ApplyError::Store(error)) => Err(error),
        }
    }
}
