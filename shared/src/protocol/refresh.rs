//! One connection, worked on under a claim: look back, then exchange, keep, commit. How each way ends is in
//! [`super::settling`].

use std::{sync::Arc, time::Instant};

use super::{
    Protocol,
    line::InVault,
    outcome::Outcome,
    settling::{Held, local_fault},
    token_set,
};
use crate::{
    apps::{App, AppError},
    clock::ClaimTimer,
    connection::{
        Connection, Status,
        claim::{NotClaimed, Trigger, claim},
        ended::has_ended,
        evidence::Call,
        next::Next,
        settle::{Kept, Refused, Spent},
    },
    health::Breaker,
    marketplace::{ExchangeError, Marketplace, NewTokens, TransientCause},
    names::{AttemptId, ConnectionKey},
    secret::Secret,
    store::{ApplyError, StoreError},
    token_set::TokenSet,
    vault::{Create, PutPermits, Vault, VaultError},
};

/// Why a refresh left nothing in the vault.
enum NotKept {
    /// The marketplace gave nothing.
    Exchange(ExchangeError),
    /// What it gave could not be kept.
    Vault(VaultError),
}

const OTHER_APP_KEY: &str =
    "the token set was issued for another app key: put the app's old key back, or let the seller connect anew";

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// Claims the connection and does what is to be done, with one line in the log. `read` is its item, if somebody has
    /// read it some seconds ago: the claim is written only if that is still what the table holds, and otherwise decided
    /// on what it holds now.
    ///
    /// # Errors
    /// [`StoreError`]: what was begun falls due again by itself.
    pub async fn work(
        &self,
        connection: &ConnectionKey,
        read: Option<Connection>,
        trigger: Trigger,
        permits: &PutPermits,
    ) -> Result<Outcome, StoreError> {
        let attempt = AttemptId::random();
        let worked = self.claim_and_work(connection, read, trigger, attempt, permits).await;
        match &worked {
            Ok(Outcome::Skipped(reason)) => tracing::debug!(%connection, ?trigger, %reason, "nothing done"),
            Ok(Outcome::OnlyEvents(_) | Outcome::OnlyWebhooks(_) | Outcome::BreakerOpen) => {}
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
        read: Option<Connection>,
        trigger: Trigger,
        attempt: AttemptId,
        permits: &PutPermits,
    ) -> Result<Outcome, StoreError> {
        let registry = self.apps.registry().current().await.ok();
        let config = registry.as_ref().and_then(|registry| registry.get(&key.app));
        let read = match (read, trigger) {
            (Some(item), _) => Some(item),
            (None, Trigger::Schedule(_)) => self.connections.get(key).await?,
            (None, Trigger::OnDemand { .. }) => {
                let breakers = config.map(|config| config.all_breakers(&key.app)).unwrap_or_default();
                let breakers: Vec<_> = breakers.into_iter().collect();
                let began = Instant::now();
                let (item, health) = self.connections.get_with_health(key, &breakers).await?;
                self.health.learn(health, began, self.connections.now());
                item
            }
        };
        let timer = ClaimTimer::start();
        let (mut next, mut seen) = (Next::Nothing, None);
        let claimed = self.connections.apply_to(read, |item| {
            let item = item.ok_or(NotClaimed::NotDue)?;
            let claimed = claim(item, trigger, self.connections.now(), attempt).inspect_err(|why| {
                let is_unclaimed_work = matches!(why, NotClaimed::OnlyEvents | NotClaimed::OnlyWebhooks);
                seen = is_unclaimed_work.then(|| Box::new(item.clone()));
            })?;
            next = claimed.next;
            let call = match next {
                Next::Refresh => Call::Refresh,
                Next::Check => Call::Check,
                _ => return Ok(claimed.item),
            };
            // Without the registry nothing is claimed that needs an app: reminders and deletions go on.
            if registry.is_none() {
                return Err(NotClaimed::NoRegistry);
            }
            // The gate is before the call; this spares the claim.
            if config.is_some_and(|config| self.is_left_alone(&config.breakers(&key.app, call))) {
                return Err(NotClaimed::BreakerOpen);
            }
            Ok(claimed.item)
        });
        let held = match claimed.await {
            Ok(item) => Held { item, attempt, trigger, timer },
            Err(ApplyError::Decided(reason)) => {
                return Ok(match (reason, seen) {
                    (NotClaimed::OnlyEvents, Some(item)) => Outcome::OnlyEvents(item),
                    (NotClaimed::OnlyWebhooks, Some(item)) => Outcome::OnlyWebhooks(item),
                    (NotClaimed::BreakerOpen, _) => Outcome::BreakerOpen,
                    (reason, _) => Outcome::Skipped(reason),
                });
            }
            Err(ApplyError::Store(error)) => return Err(error),
        };
        let outcome = self.do_next(&held, next, permits).await?;
        Ok(match outcome {
            // These concern all.
            Outcome::KeepFailed(_) | Outcome::BreakerOpen | Outcome::RateLimited => outcome,
            outcome if has_ended(&held.item) => Outcome::OfEnded(Box::new(outcome)),
            outcome => outcome,
        })
    }

    async fn do_next(&self, held: &Held, next: Next, permits: &PutPermits) -> Result<Outcome, StoreError> {
        // A reminder neither obtains nor loses anything, so a vault that fails does not hold it back.
        if next != Next::Remind
            && let Some(outcome) = self.look_back(held).await?
        {
            return Ok(outcome);
        }
        match next {
            Next::Refresh => self.refresh(held, permits).await,
            Next::Check => self.check(held).await,
            Next::Remind => self.remind(held).await,
            Next::Remove => self.remove(held).await,
            Next::DeleteSecret => self.delete_secret(held).await,
            Next::LookBack if held.item.status == Status::Pending && held.item.secret_version.is_none() => {
                self.remove(held).await
            }
            Next::LookBack | Next::Nothing | Next::RegisterWebhooks | Next::Publish => {
                self.let_go(held, Outcome::NothingFound).await
            }
        }
    }

    /// Looks for what an earlier attempt had kept but could not commit, and commits it. Calls no marketplace, save to
    /// list the shops of a connection that never had any listed.
    async fn look_back(&self, held: &Held) -> Result<Option<Outcome>, StoreError> {
        let Held { item, attempt, timer, .. } = held;
        // The newest first: what a new grant has kept comes before what a refresh under the old one has.
        for earlier in item.attempts.iter().rev().filter(|earlier| *earlier != attempt) {
            let version = earlier.version();
            let set = match self.vault.get(&item.connection, &version).await {
                Ok(Some(set)) => set,
                // A miss is an unknown outcome: the attempt stays remembered.
                Ok(None) | Err(VaultError::Gone | VaultError::Unreadable) => continue,
                Err(error) => return self.vault_fault(held, error).await.map(Some),
            };
            let mut kept = Kept::new(&set, version);
            if kept.follows(item) {
                // The item may be out of a backup that was made in the middle of that attempt.
                match self.in_vault(held, kept.version()).await {
                    Ok(InVault::Later(later)) => kept = later,
                    Ok(InVault::Current(_)) => {}
                    Err(error) => return self.vault_fault(held, error).await.map(Some),
                }
                let listed =
                    if item.shops.is_empty() { self.shops(item, &set.access_token, timer).await } else { None };
                return self.commit(held, kept, listed, Outcome::Healed).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Exchange, keep, commit.
    async fn refresh(&self, held: &Held, permits: &PutPermits) -> Result<Outcome, StoreError> {
        let Held { item, attempt, timer, .. } = held;
        let (current, app) = match self.current(held).await? {
            Ok(current) => current,
            Err(outcome) => return Ok(outcome),
        };
        let Some(refresh_token) = &current.refresh_token else {
            // The marketplace was not asked, so it is no evidence.
            let refused = local_fault("there is no refresh token to spend").into();
            return self.judge(held, Call::Refresh, refused).await;
        };
        permits.take().await;
        if !timer.may_start_exchange() {
            return self.let_go(held, Outcome::Lost).await;
        }
        let mut turns = match self.gate(held, &app, Call::Refresh).await? {
            Ok(turns) => turns,
            Err(outcome) => return Ok(outcome),
        };
        // The table may have taken its time.
        if !timer.may_start_exchange() {
            self.give_back(turns).await;
            return self.let_go(held, Outcome::Lost).await;
        }
        let exchange_and_keep = async {
            let tokens = self.exchange(held, &app, refresh_token).await.map_err(NotKept::Exchange)?;
            self.accepted(held, Call::Refresh);
            let (previous, parent) = (Some(current.clone()), item.secret_version.clone());
            let set = token_set(tokens, &app.app_key, previous, parent, item.granted_at, self.connections.now());
            let kept = self.keep(&item.connection, *attempt, &set, Create::Never, timer, &mut turns).await;
            kept.map(|version| (set, version)).map_err(NotKept::Vault)
        };
        // Side by side, so that neither waits for the other; if nothing is kept, the list is not waited for.
        let listing = async { Ok(self.shops_meanwhile(held, &app, &current).await) };
        let worked = tokio::try_join!(exchange_and_keep, listing);
        let said = match &worked {
            Err(NotKept::Exchange(error)) => Err(error),
            Ok(_) | Err(NotKept::Vault(_)) => Ok(()),
        };
        self.tell_breakers(held, &app, Call::Refresh, said, &mut turns).await;
        self.give_back(turns).await;
        let (set, version, listed) = match worked {
            Ok(((set, version), listed)) => (set, version, listed),
            Err(NotKept::Exchange(error)) => return self.not_exchanged(held, error).await,
            Err(NotKept::Vault(error)) => {
                // Whether or not this can be written: a token was spent and not kept.
                if let Err(table) = self.fail(held, local_fault(&error), Spent::Unknown, None).await {
                    tracing::warn!(connection = %item.connection, %attempt, error = %table, "the claim runs out by itself");
                }
                return Ok(Outcome::KeepFailed(error));
            }
        };
        let listed = match listed {
            Some(listed) => Some(listed),
            None => self.shops(item, &set.access_token, timer).await,
        };
        let kept = Kept::new(&set, version).used_at(&app.config.api);
        self.commit(held, kept, listed, Outcome::Refreshed).await
    }

    /// The one line that spends a refresh token.
    async fn exchange(&self, held: &Held, app: &App, refresh_token: &Secret) -> Result<NewTokens, ExchangeError> {
        let exchange = self.marketplace.refresh(app, refresh_token);
        tokio::time::timeout(held.timer.left(), exchange).await.unwrap_or_else(|_| {
            let fault = local_fault("the exchange took longer than its claim allows");
            Err(ExchangeError::OutcomeUnknown { fault, retry_after: None })
        })
    }

    async fn not_exchanged(&self, held: &Held, error: ExchangeError) -> Result<Outcome, StoreError> {
        match error {
            ExchangeError::Transient { cause: TransientCause::RateLimited, .. } => {
                self.let_go(held, Outcome::RateLimited).await
            }
            ExchangeError::Transient { fault, retry_after, .. } => self.fail(held, fault, Spent::No, retry_after).await,
            ExchangeError::NoAnswerFrom { fault, .. } => self.fail(held, fault, Spent::No, None).await,
            ExchangeError::OutcomeUnknown { fault, retry_after } => {
                self.fail(held, fault, Spent::Unknown, retry_after).await
            }
            ExchangeError::Refused { refused } => self.refresh_refused(held, refused).await,
            ExchangeError::Configuration { fault } => self.misconfigured(held, &fault).await,
        }
    }

    /// The current token set, and the app that it was issued for; otherwise how the work ends.
    pub(super) async fn current(&self, held: &Held) -> Result<Result<(TokenSet, Arc<App>), Outcome>, StoreError> {
        let Connection { connection, secret_version, .. } = &held.item;
        let Some(version) = secret_version else { return self.let_go(held, Outcome::Lost).await.map(Err) };
        let set = match self.in_vault(held, version).await {
            Ok(InVault::Current(set)) => set,
            Ok(InVault::Later(kept)) => return self.commit(held, kept, None, Outcome::Healed).await.map(Err),
            Err(error) => return self.vault_fault(held, error).await.map(Err),
        };
        match self.apps.get(&connection.app).await {
            Ok(app) if app.app_key == set.app_key => Ok(Ok((set, app))),
            Ok(_) => {
                // Another app's secret must not spend it.
                self.apps.forget(&connection.app);
                self.defer(held, local_fault(OTHER_APP_KEY), Outcome::OtherAppKey).await.map(Err)
            }
            Err(error @ (AppError::Unavailable { .. } | AppError::Registry(_))) => {
                self.fail(held, local_fault(&error), Spent::No, None).await.map(Err)
            }
            Err(error) => {
                // Without the app's secret nobody of it can be asked about.
                if !matches!(error, AppError::NotSetUp(_)) {
                    self.health.fails_for_all(&self.connections, &Breaker::Lane(connection.app.clone())).await;
                }
                self.misconfigured(held, &error).await.map(Err)
            }
        }
    }

    /// Refused; but a lost attempt's token set may have become visible by now.
    async fn refresh_refused(&self, held: &Held, refused: Refused) -> Result<Outcome, StoreError> {
        if let Some(outcome) = self.look_back(held).await? {
            return Ok(outcome);
        }
        self.refused(held, Call::Refresh, refused).await
    }
}
