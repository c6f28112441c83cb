//! One connection, worked on under a claim.

use crate::{
    apps::AppError,
    clock::ClaimTimer,
    connection::{
        Connection, Fault, Status,
        claim::{NotClaimed, Trigger, claim},
        next::Next,
        settle::{self, ClaimLost, Kept, Right, SECOND_TRY_AFTER, Spent, back_off},
    },
    marketplace::{ExchangeError, Marketplace},
    names::{AttemptId, ConnectionKey},
    store::{ApplyError, StoreError},
    token_set::TokenSet,
    vault::{Create, PutPermits, Vault, VaultError, get_committed},
};

use super::{Protocol, keep::keep, token_set};

/// Over how many seconds the next tries after a mass refusal are spread.
const MASS_REFUSAL_SPREAD: i64 = 45 * 60;

/// What came of the work on one connection.
#[derive(Debug)]
pub enum Outcome {
    /// A new token set was obtained and committed.
    Refreshed,
    /// A token set that a lost attempt had kept was found and committed.
    Healed,
    /// A claim had run out, and the vault holds nothing of it.
    NothingFound,
    /// The authorization had ended.
    Expired,
    /// It was never committed or never confirmed, and is gone.
    Removed,
    /// There was nothing to do, or not by us.
    Skipped(NotClaimed),
    /// The claim was lost before the work was done; whoever has it goes on.
    Lost,
    /// A failure that may pass.
    Transient {
        /// Whether the marketplace itself seems to be out of reach.
        outage: bool,
    },
    /// Refused for good; what that means is for the run to settle, which sees the others.
    Refused(Box<Refusal>),
    /// The vendor's configuration is wrong; nothing was spent and nobody is blamed.
    Misconfigured(String),
    /// The vault does not work.
    VaultFault(VaultError),
}

/// A refusal whose claim is still held.
#[derive(Debug)]
pub struct Refusal {
    /// Whom it concerns.
    pub connection: ConnectionKey,
    /// Who holds the claim.
    pub attempt: AttemptId,
    /// What the marketplace said.
    pub fault: Fault,
}

/// A claim in our hands.
struct Held {
    item: Connection,
    attempt: AttemptId,
    timer: ClaimTimer,
}

impl<M: Marketplace, V: Vault> Protocol<'_, M, V> {
    /// Claims the connection and does what is to be done.
    ///
    /// # Errors
    /// [`StoreError`]: what was begun falls due again by itself.
    pub async fn work(
        &self,
        key: &ConnectionKey,
        trigger: Trigger,
        permits: &PutPermits,
    ) -> Result<Outcome, StoreError> {
        let attempt = AttemptId::random();
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
            Next::Expire => {
                self.settle(&held, Outcome::Expired, |item| settle::expire(item, attempt, self.connections.now())).await
            }
            Next::Remove => self.remove(&held).await,
            Next::LookBack if held.item.status == Status::Pending && held.item.secret_version.is_none() => {
                self.remove(&held).await
            }
            Next::LookBack | Next::Nothing => self.let_go(&held, Outcome::NothingFound).await,
        }
    }

    /// Settles a refusal: a strike, or none when the run has found that it was refused to too many.
    ///
    /// # Errors
    /// [`StoreError`]: the connection falls due again by itself.
    pub async fn settle_refusal(&self, refusal: &Refusal, blame: bool) -> Result<(), StoreError> {
        let Refusal { connection, attempt, fault } = refusal;
        let wait = SECOND_TRY_AFTER + rand::random_range(0..=MASS_REFUSAL_SPREAD);
        let settled = self.connections.apply(connection, |item| {
            let (item, fault, now) = (item.ok_or(ClaimLost)?, fault.clone(), self.connections.now());
            if blame {
                settle::refuse(item, *attempt, fault, now)
            } else {
                settle::refuse_without_blame(item, *attempt, fault, wait, now)
            }
        });
        match settled.await {
            Ok(item) => {
                let status = item.status.as_str();
                tracing::warn!(%connection, %attempt, %fault, strikes = item.strikes, status, blame, "refused");
                Ok(())
            }
            Err(ApplyError::Decided(ClaimLost)) => Ok(()),
            Err(ApplyError::Store(error)) => Err(error),
        }
    }

    /// Looks for what an earlier attempt had kept but could not commit, and commits it. Calls no marketplace, save to
    /// list the shops of a connection that never had any listed.
    async fn look_back(&self, held: &Held) -> Result<Option<Outcome>, StoreError> {
        let Held { item, attempt, timer } = held;
        for earlier in item.attempts.iter().filter(|earlier| *earlier != attempt) {
            let version = earlier.version();
            let set = match self.vault.get(&item.connection, &version).await {
                Ok(Some(set)) => set,
                // A miss is an unknown outcome: the attempt stays remembered.
                Ok(None) | Err(VaultError::Gone | VaultError::Unreadable) => continue,
                Err(error) => return self.let_go(held, Outcome::VaultFault(error)).await.map(Some),
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
        let Some(version) = &item.secret_version else { return self.let_go(held, Outcome::Lost).await };
        let current = match get_committed(self.vault, &item.connection, version).await {
            Ok(set) => set,
            Err(error @ VaultError::Unavailable { .. }) => {
                return self.let_go(held, Outcome::VaultFault(error)).await;
            }
            Err(error) => return self.fail(held, local_fault(&error), Spent::No, None, false).await,
        };
        let app = match self.app_for(item, &current).await {
            Ok(app) => app,
            Err(problem) => return self.let_go(held, Outcome::Misconfigured(problem)).await,
        };
        let Some(refresh_token) = &current.refresh_token else {
            let fault = local_fault("there is no refresh token to spend");
            return self.refused(held, fault).await;
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
            Err(ExchangeError::Refused { fault }) => return self.refused(held, fault).await,
            Err(ExchangeError::Configuration { fault }) => {
                self.apps.forget(&item.connection.app);
                return self.let_go(held, Outcome::Misconfigured(fault.to_string())).await;
            }
        };
        let now = self.connections.now();
        let set = token_set(tokens, &app.app_key, Some(current), Some(version.clone()), item.granted_at, now);
        let kept = match keep(self.vault, &item.connection, *attempt, &set, Create::Never, timer).await {
            Ok(version) => Kept::new(&set, version),
            Err(error) => {
                self.fail(held, local_fault(&error), Spent::Unknown, None, false).await?;
                return Ok(Outcome::VaultFault(error));
            }
        };
        let shops = self.shops(item, &set.access_token, timer).await;
        self.commit(held, kept, shops, Outcome::Refreshed).await
    }

    /// The app, if it is the one that the token set was issued for: another app's secret must not spend it.
    async fn app_for(&self, item: &Connection, set: &TokenSet) -> Result<std::sync::Arc<crate::apps::App>, String> {
        let app = self.apps.get(&item.connection.app).await.map_err(|error: AppError| error.to_string())?;
        if app.app_key == set.app_key {
            return Ok(app);
        }
        self.apps.forget(&item.connection.app);
        Err(format!(
            "the app key of {} is not the one that its sellers authorized: put the old one back, or let them connect anew",
            item.connection.app
        ))
    }

    /// Refused; but a lost attempt's token set may have become visible by now.
    async fn refused(&self, held: &Held, fault: Fault) -> Result<Outcome, StoreError> {
        if let Some(outcome) = self.look_back(held).await? {
            return Ok(outcome);
        }
        let Held { item, attempt, .. } = held;
        Ok(Outcome::Refused(Box::new(Refusal { connection: item.connection.clone(), attempt: *attempt, fault })))
    }

    async fn commit(
        &self,
        held: &Held,
        kept: Kept,
        shops: Option<Vec<crate::connection::Shop>>,
        outcome: Outcome,
    ) -> Result<Outcome, StoreError> {
        let mine = kept.version().clone();
        let written = self.settle(held, outcome, |item| {
            settle::commit(item, Right::Claim(held.attempt), kept.clone(), shops.clone(), self.connections.now())
        });
        match written.await? {
            Outcome::Lost => {
                // Whoever took over may have found what we had kept: then it is committed all the same.
                let item = self.connections.get(&held.item.connection).await?;
                let won = item.is_some_and(|item| item.secret_version == Some(mine));
                Ok(if won { Outcome::Healed } else { Outcome::Lost })
            }
            outcome => Ok(outcome),
        }
    }

    async fn fail(
        &self,
        held: &Held,
        fault: Fault,
        spent: Spent,
        retry_after: Option<i64>,
        outage: bool,
    ) -> Result<Outcome, StoreError> {
        let connection = &held.item.connection;
        tracing::warn!(%connection, attempt = %held.attempt, %fault, "the refresh failed; it is tried again");
        let wait = back_off(held.item.failures, retry_after, &mut rand::rng());
        self.settle(held, Outcome::Transient { outage }, |item| {
            settle::fail(item, held.attempt, fault.clone(), spent, wait, self.connections.now())
        })
        .await
    }

    async fn let_go(&self, held: &Held, outcome: Outcome) -> Result<Outcome, StoreError> {
        self.settle(held, outcome, |item| settle::let_go(item, held.attempt, Spent::No, self.connections.now())).await
    }

    /// Takes away what was never committed or never confirmed: the secret first, so that none stays behind unseen.
    async fn remove(&self, held: &Held) -> Result<Outcome, StoreError> {
        if let Err(error) = self.vault.delete(&held.item.connection).await {
            return self.let_go(held, Outcome::VaultFault(error)).await;
        }
        let removed = self.connections.remove(&held.item).await?;
        Ok(if removed { Outcome::Removed } else { Outcome::Lost })
    }

    /// Writes an outcome, if the claim is still ours.
    async fn settle(
        &self,
        held: &Held,
        outcome: Outcome,
        decide: impl Fn(&Connection) -> Result<Connection, ClaimLost>,
    ) -> Result<Outcome, StoreError> {
        let current = Some(held.item.clone());
        match self.connections.apply_to(current, |item| decide(item.ok_or(ClaimLost)?)).await {
            Ok(_) => Ok(outcome),
            Err(ApplyError::Decided(ClaimLost)) => Ok(Outcome::Lost),
            Err(ApplyError::Store(error)) => Err(error),
        }
    }
}

fn local_fault(what: &(impl ToString + ?Sized)) -> Fault {
    Fault { message: what.to_string(), code: None, request_id: None }
}
