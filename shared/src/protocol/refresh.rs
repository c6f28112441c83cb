//! One connection, worked on under a claim: look back, then exchange, keep, commit. How each way ends is in
//! [`super::settling`].

use std::sync::Arc;

use super::{
    Protocol,
    keep::keep,
    outcome::{Outcome, Refusal},
    settling::{Held, local_fault},
    token_set,
};
use crate::{
    apps::{App, AppError},
    clock::ClaimTimer,
    connection::{
        Connection, Status,
        claim::{NotClaimed, Trigger, claim},
        next::Next,
        settle::{self, Kept, Refused, Spent},
    },
    marketplace::{ExchangeError, Marketplace},
    names::{AttemptId, ConnectionKey},
    store::{ApplyError, StoreError},
    token_set::TokenSet,
    vault::{Create, PutPermits, Vault, VaultError, get_committed},
};

const OTHER_APP_KEY: &str =
    "the token set was issued for another app key: put the app's old key back, or let the seller connect anew";

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// Claims the connection and does what is to be done, with one line in the log.
    ///
    /// # Errors
    /// [`StoreError`]: what was begun falls due again by itself.
    pub async fn work(
        &self,
        connection: &ConnectionKey,
        trigger: Trigger,
        permits: &PutPermits,
    ) -> Result<Outcome, StoreError> {
        let attempt = AttemptId::random();
        let worked = self.claim_and_work(connection, trigger, attempt, permits).await;
        match &worked {
            Ok(Outcome::Skipped(reason)) => tracing::debug!(%connection, ?trigger, %reason, "nothing done"),
            Ok(outcome) => tracing::info!(%connection, ?trigger, %attempt, outcome = outcome.as_str(), "worked on"),
            Err(error @ StoreError::Unreadable { .. }) => {
                tracing::error!(alarm = "unreadable_item", %connection, %error, "left alone");
            }
            Err(error) => {
                tracing::error!(%connection, ?trigger, %attempt, %error, "the table failed; it falls due again");
            }
        }
        worked
    }

    async fn claim_and_work(
        &self,
        key: &ConnectionKey,
        trigger: Trigger,
        attempt: AttemptId,
        permits: &PutPermits,
    ) -> Result<Outcome, StoreError> {
        let read = self.connections.get(key).await?;
        let timer = ClaimTimer::start();
        let mut next = Next::Nothing;
        let claimed = self.connections.apply_to(read, |item| {
            let item = item.ok_or(NotClaimed::NotDue)?;
            let claimed = claim(item, trigger, self.connections.now(), attempt)?;
            next = claimed.next;
            Ok(claimed.item)
        });
        let held = match claimed.await {
            Ok(item) => Held { item, attempt, timer },
            Err(ApplyError::Decided(reason)) => return Ok(Outcome::Skipped(reason)),
            Err(ApplyError::Store(error)) => return Err(error),
        };
        if let Some(outcome) = self.look_back(&held).await? {
            return Ok(outcome);
        }
        match next {
            Next::Refresh => self.refresh(&held, permits).await,
            Next::Check => self.check(&held).await,
            Next::Remind => self.remind(&held).await,
            Next::Expire => {
                self.settle(&held, Outcome::Expired, |item| settle::expire(item, attempt, self.connections.now())).await
            }
            Next::Remove => self.remove(&held).await,
            Next::DeleteSecret => self.delete_secret(&held).await,
            Next::LookBack if held.item.status == Status::Pending && held.item.secret_version.is_none() => {
                self.remove(&held).await
            }
            Next::LookBack | Next::Nothing => self.let_go(&held, Outcome::NothingFound).await,
        }
    }

    /// Looks for what an earlier attempt had kept but could not commit, and commits it. Calls no marketplace, save to
    /// list the shops of a connection that never had any listed.
    async fn look_back(&self, held: &Held) -> Result<Option<Outcome>, StoreError> {
        let Held { item, attempt, timer } = held;
        // The newest first: what a new grant has kept comes before what a refresh under the old one has.
        for earlier in item.attempts.iter().rev().filter(|earlier| *earlier != attempt) {
            let version = earlier.version();
            let set = match self.vault.get(&item.connection, &version).await {
                Ok(Some(set)) => set,
                // A miss is an unknown outcome: the attempt stays remembered.
                Ok(None) | Err(VaultError::Gone | VaultError::Unreadable) => continue,
                Err(error) => return self.vault_fault(held, error).await.map(Some),
            };
            let kept = Kept::new(&set, version);
            if kept.follows(item) {
                let shops = if item.shops.is_empty() { self.shops(item, &set.access_token, timer).await } else { None };
                return self.commit(held, kept, shops, Outcome::Healed).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Exchange, keep, commit.
    async fn refresh(&self, held: &Held, permits: &PutPermits) -> Result<Outcome, StoreError> {
        let Held { item, attempt, timer } = held;
        let (current, app) = match self.current(held).await? {
            Ok(current) => current,
            Err(outcome) => return Ok(outcome),
        };
        let Some(refresh_token) = &current.refresh_token else {
            return self.refused(held, local_fault("there is no refresh token to spend").into()).await;
        };
        permits.take().await;
        if !timer.may_start_exchange() {
            return self.let_go(held, Outcome::Lost).await;
        }
        let exchange = self.marketplace.refresh(&app, refresh_token);
        let answer = tokio::time::timeout(timer.left(), exchange).await.unwrap_or_else(|_| {
            let fault = local_fault("the exchange took longer than its claim allows");
            Err(ExchangeError::OutcomeUnknown { fault, retry_after: None })
        });
        let tokens = match answer {
            Ok(tokens) => tokens,
            Err(ExchangeError::Transient { fault, retry_after, outage }) => {
                return self.fail(held, fault, Spent::No, retry_after, outage).await;
            }
            Err(ExchangeError::OutcomeUnknown { fault, retry_after }) => {
                return self.fail(held, fault, Spent::Unknown, retry_after, true).await;
            }
            Err(ExchangeError::Refused { refused }) => return self.refused(held, refused).await,
            Err(ExchangeError::Configuration { fault }) => return self.misconfigured(held, &fault).await,
        };
        let now = self.connections.now();
        let set = token_set(tokens, &app.app_key, Some(current), item.secret_version.clone(), item.granted_at, now);
        let kept = match keep(&self.vault, &item.connection, *attempt, &set, Create::Never, timer).await {
            Ok(version) => Kept::new(&set, version),
            Err(error) => {
                self.fail(held, local_fault(&error), Spent::Unknown, None, false).await?;
                return Ok(Outcome::KeepFailed(error));
            }
        };
        let shops = self.shops(item, &set.access_token, timer).await;
        self.commit(held, kept, shops, Outcome::Refreshed).await
    }

    /// The current token set, and the app that it was issued for; otherwise how the work ends.
    pub(super) async fn current(&self, held: &Held) -> Result<Result<(TokenSet, Arc<App>), Outcome>, StoreError> {
        let Connection { connection, secret_version, .. } = &held.item;
        let Some(version) = secret_version else { return self.let_go(held, Outcome::Lost).await.map(Err) };
        let set = match get_committed(&self.vault, connection, version).await {
            Ok(set) => set,
            Err(error) => return self.vault_fault(held, error).await.map(Err),
        };
        match self.apps.get(&connection.app).await {
            Ok(app) if app.app_key == set.app_key => Ok(Ok((set, app))),
            Ok(_) => {
                // Another app's secret must not spend it.
                self.apps.forget(&connection.app);
                self.defer(held, local_fault(OTHER_APP_KEY), Outcome::OtherAppKey).await.map(Err)
            }
            Err(error @ AppError::Unavailable { .. }) => {
                self.fail(held, local_fault(&error), Spent::No, None, false).await.map(Err)
            }
            Err(error) => self.misconfigured(held, &error).await.map(Err),
        }
    }

    /// Refused; but a lost attempt's token set may have become visible by now.
    async fn refused(&self, held: &Held, refused: Refused) -> Result<Outcome, StoreError> {
        if let Some(outcome) = self.look_back(held).await? {
            return Ok(outcome);
        }
        let Held { item, attempt, .. } = held;
        Ok(Outcome::Refused(Box::new(Refusal { connection: item.connection.clone(), attempt: *attempt, refused })))
    }
}
