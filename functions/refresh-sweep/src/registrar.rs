//! Registers webhooks per shop, beside a run's work and never in its way. Connections for which there is no room are deferred,
//! because those that stay due are read again by each run, before what became due later.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use shop_keyring::{
    connection::Connection,
    marketplace::Marketplace,
    metrics,
    names::{AppKeyPath, ConnectionKey},
    protocol::{Protocol, webhooks::RegistrationResult},
    store::StoreError,
    vault::Vault,
};
use tokio::{
    sync::Semaphore,
    task::{JoinError, JoinSet},
};
use tracing::Instrument;

/// Connections that are worked on at the same time. With half a second each that is a thousand per minute.
const AT_ONCE: usize = 8;

/// Connections that wait for their turn; more are deferred.
const WAITING: usize = 500;

/// Connections in memory; more stay due.
const MOST: usize = 2_000;

/// Failures of an app in a row after which it is not tried again in this run.
const FAILURES_IN_A_ROW: u32 = 5;

/// Counts of one run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Registered {
    /// Connections whose webhooks are registered.
    pub(crate) done: u32,
    /// Connections where that failed, or was not tried because it had failed for others of the app.
    pub(crate) failed: u32,
    /// Connections that are left for later.
    pub(crate) left: u32,
}

/// What became of one connection.
#[derive(Debug)]
enum Finished {
    Tried(Result<RegistrationResult, StoreError>),
    /// Not tried, for its app has failed too often.
    Postponed(Result<(), StoreError>),
    /// Not tried, for want of room.
    Deferred(Result<(), StoreError>),
    /// Not tried, for want of time.
    Left,
}

/// One run's registering.
pub(crate) struct Registrar<'a, M, V> {
    protocol: &'a Arc<Protocol<M, V>>,
    until: Instant,
    places: Arc<Semaphore>,
    breaker: Arc<Mutex<Breaker>>,
    tasks: JoinSet<(ConnectionKey, Finished)>,
    counts: Registered,
}

impl<'a, M: Marketplace + 'static, V: Vault + 'static> Registrar<'a, M, V> {
    /// Begins nothing after `until`.
    pub(crate) fn new(protocol: &'a Arc<Protocol<M, V>>, until: Instant) -> Self {
        Self {
            protocol,
            until,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            breaker: Arc::default(),
            tasks: JoinSet::new(),
            counts: Registered::default(),
        }
    }

    /// Registers the webhooks of this connection soon, or leaves it for later: certainly if `is_stopped`, because its app is.
    pub(crate) fn take(&mut self, item: Connection, is_stopped: bool) {
        while let Some(finished) = self.tasks.try_join_next() {
            self.note(finished);
        }
        if self.tasks.len() >= MOST {
            self.counts.left += 1;
            return;
        }
        let has_room = self.tasks.len() < WAITING;
        let (protocol, places, until) = (Arc::clone(self.protocol), Arc::clone(&self.places), self.until);
        let breaker = Arc::clone(&self.breaker);
        let work = async move {
            let place = places.acquire().await;
            let finished = if place.is_err() || Instant::now() >= until {
                Finished::Left
            } else if !has_room {
                Finished::Deferred(protocol.defer_webhooks(&item).await)
            } else if is_stopped || lock(&breaker).is_open(&item.connection.app) {
                Finished::Postponed(protocol.postpone_webhooks(&item).await)
            } else {
                let result = protocol.register_webhooks(&item).await;
                if let Ok(result) = &result {
                    lock(&breaker).note(&item.connection.app, result);
                }
                Finished::Tried(result)
            };
            (item.connection, finished)
        };
        self.tasks.spawn(work.in_current_span());
    }

    /// Waits for those under way.
    pub(crate) async fn finish(mut self, deadline: Instant) -> Registered {
        loop {
            match tokio::time::timeout_at(deadline.into(), self.tasks.join_next()).await {
                Ok(Some(finished)) => self.note(finished),
                Ok(None) => break,
                Err(_) => {
                    self.counts.left += u32::try_from(self.tasks.len()).unwrap_or(u32::MAX);
                    break;
                }
            }
        }
        self.counts
    }

    fn note(&mut self, finished: Result<(ConnectionKey, Finished), JoinError>) {
        let Ok((connection, finished)) = finished else {
            tracing::error!(alarm = "panic", "registering webhooks broke off; it stays due");
            self.counts.left += 1;
            return;
        };
        let marketplace = connection.app.marketplace;
        match finished {
            Finished::Tried(Ok(RegistrationResult::Done)) => {
                self.counts.done += 1;
                metrics::worked(marketplace, "webhooks_registered");
                tracing::info!(%connection, "its webhooks are registered");
            }
            Finished::Tried(Ok(RegistrationResult::NothingToDo)) => {}
            Finished::Tried(Ok(RegistrationResult::AppFailed(fault))) => {
                self.counts.failed += 1;
                metrics::worked(marketplace, "webhooks_failed");
                tracing::error!(
                    alarm = "webhooks_not_registered",
                    %connection,
                    %fault,
                    "the webhooks of its shops are not registered; it is tried again"
                );
            }
            Finished::Tried(Ok(RegistrationResult::SellerFailed(fault))) => {
                self.counts.failed += 1;
                metrics::worked(marketplace, "webhooks_failed");
                tracing::warn!(%connection, %fault, "its webhooks are not registered; it is tried again");
            }
            Finished::Postponed(Ok(())) => self.counts.failed += 1,
            Finished::Tried(Ok(RegistrationResult::Deferred(fault))) => {
                self.counts.left += 1;
                tracing::warn!(%connection, %fault, "its webhooks are registered later");
            }
            Finished::Deferred(Ok(())) | Finished::Left => self.counts.left += 1,
            Finished::Tried(Err(error)) | Finished::Postponed(Err(error)) | Finished::Deferred(Err(error)) => {
                self.counts.left += 1;
                tracing::warn!(%connection, %error, "the table failed; the webhooks of its shops stay due");
            }
        }
    }
}

fn lock(breaker: &Mutex<Breaker>) -> std::sync::MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Failures in a row of each app, in one run.
#[derive(Debug, Default)]
struct Breaker(HashMap<AppKeyPath, u32>);

impl Breaker {
    fn is_open(&self, app: &AppKeyPath) -> bool {
        self.0.get(app).is_some_and(|failures| *failures >= FAILURES_IN_A_ROW)
    }

    /// Only what concerns other sellers of the app, too, counts.
    fn note(&mut self, app: &AppKeyPath, result: &RegistrationResult) {
        match result {
            RegistrationResult::Done => drop(self.0.remove(app)),
            RegistrationResult::AppFailed(_) => *self.0.entry(app.clone()).or_default() += 1,
            RegistrationResult::NothingToDo | RegistrationResult::SellerFailed(_) | RegistrationResult::Deferred(_) => {
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use shop_keyring::connection::Fault;

    use super::*;

    #[test]
    fn five_failures_in_a_row_stop_their_own_app() {
        let [us, global] = ["tiktok-shop/us", "tiktok-shop/global"].map(|app| app.parse().unwrap());
        let fault = || Fault { message: "no".into(), code: None, request_id: None };
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.note(&us, &RegistrationResult::AppFailed(fault()));
            breaker.note(&global, &RegistrationResult::SellerFailed(fault()));
        }
        breaker.note(&us, &RegistrationResult::SellerFailed(fault()));
        assert!(!breaker.is_open(&us));
        breaker.note(&us, &RegistrationResult::AppFailed(fault()));
        assert!(breaker.is_open(&us) && !breaker.is_open(&global));
        breaker.note(&us, &RegistrationResult::Done);
        assert!(!breaker.is_open(&us));
    }
}
