//! Registers webhooks per shop, beside a run's work and never in its way: what finds no place here, or no time, stays due.

use std::{sync::Arc, time::Instant};

use shop_keyring::{
    connection::Connection,
    marketplace::Marketplace,
    metrics,
    names::ConnectionKey,
    protocol::{Protocol, webhooks::Registration},
    store::StoreError,
    vault::Vault,
};
use tokio::{sync::Semaphore, task::JoinSet};
use tracing::Instrument;

/// Connections whose webhooks are registered at the same time.
const AT_ONCE: usize = 8;

/// Connections that one run takes; a run a minute registers some ten thousand within the hour.
const MOST: usize = 200;

/// Failures in a row that end the registering of a run: then the marketplace is out of reach, or the app is not allowed to.
const FAILURES_IN_A_ROW: u32 = 5;

/// Counts of one run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Registered {
    /// Connections whose webhooks are registered.
    pub(crate) done: u32,
    /// Connections where that failed.
    pub(crate) failed: u32,
    /// Connections that are left for the next run.
    pub(crate) left: u32,
}

/// One run's registering.
pub(crate) struct Registrar<'a, M, V> {
    protocol: &'a Arc<Protocol<M, V>>,
    until: Instant,
    places: Arc<Semaphore>,
    tasks: JoinSet<(ConnectionKey, Option<Result<Registration, StoreError>>)>,
    taken: usize,
    failures_in_a_row: u32,
    counts: Registered,
}

impl<'a, M: Marketplace + 'static, V: Vault + 'static> Registrar<'a, M, V> {
    /// Begins nothing after `until`.
    pub(crate) fn new(protocol: &'a Arc<Protocol<M, V>>, until: Instant) -> Self {
        Self {
            protocol,
            until,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            tasks: JoinSet::new(),
            taken: 0,
            failures_in_a_row: 0,
            counts: Registered::default(),
        }
    }

    /// Registers the webhooks of this connection soon, if there is a place.
    pub(crate) fn take(&mut self, item: Connection) {
        while let Some(finished) = self.tasks.try_join_next() {
            self.note(finished.ok());
        }
        if self.taken >= MOST || self.failures_in_a_row >= FAILURES_IN_A_ROW {
            self.counts.left += 1;
            return;
        }
        self.taken += 1;
        let (protocol, places, until) = (Arc::clone(self.protocol), Arc::clone(&self.places), self.until);
        let work = async move {
            let place = places.acquire_owned().await;
            let result = match place {
                Ok(_place) if Instant::now() < until => Some(protocol.register_webhooks(&item).await),
                _ => None,
            };
            (item.connection, result)
        };
        self.tasks.spawn(work.in_current_span());
    }

    /// Waits for those under way; ends the waiting ones after too many failures.
    pub(crate) async fn finish(mut self, deadline: Instant) -> Registered {
        while !self.tasks.is_empty() {
            match tokio::time::timeout_at(deadline.into(), self.tasks.join_next()).await {
                Ok(Some(finished)) => self.note(finished.ok()),
                Ok(None) => break,
                Err(_) => {
                    self.counts.left += u32::try_from(self.tasks.len()).unwrap_or(u32::MAX);
                    break;
                }
            }
        }
        self.counts
    }

    fn note(&mut self, finished: Option<(ConnectionKey, Option<Result<Registration, StoreError>>)>) {
        let Some((connection, result)) = finished else {
            tracing::error!(alarm = "panic", "registering webhooks broke off; it stays due");
            self.counts.left += 1;
            return;
        };
        let marketplace = connection.app.marketplace;
        match result {
            Some(Ok(Registration::Done)) => {
                self.counts.done += 1;
                self.failures_in_a_row = 0;
                metrics::worked(marketplace, "webhooks_registered");
                tracing::info!(%connection, "webhooks are registered");
            }
            Some(Ok(Registration::Failed(fault))) => {
                self.counts.failed += 1;
                self.failures_in_a_row += 1;
                metrics::worked(marketplace, "webhooks_failed");
                tracing::error!(
                    alarm = "webhooks_not_registered",
                    %connection,
                    %fault,
                    "the webhooks of its shops are not registered; it is tried again"
                );
                if self.failures_in_a_row >= FAILURES_IN_A_ROW {
                    self.places.close();
                }
            }
            Some(Err(error)) => {
                self.counts.left += 1;
                tracing::warn!(%connection, %error, "the table failed; the webhooks are registered again");
            }
            Some(Ok(Registration::Deferred)) | None => self.counts.left += 1,
        }
    }
}
