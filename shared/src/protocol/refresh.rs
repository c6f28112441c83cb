//! One connection, worked on under a claim.

use crate::{
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
    vault::{Create, PutPermits, Vault, VaultError, get_committed},
};

use super::{Protocol, keep::keep, token_set};

/// Over how many seconds the next tries are spread after something that is no connection's fault.
const SPREAD: i64 = 45 * 60;

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
    /// The token set was issued for another app key than the app has now; nothing was spent and nobody is blamed.
    OtherAppKey,
    /// The vault did not give a token set.
    VaultFault(VaultError),
    /// The vault did not keep what an exchange had given.
    KeepFailed(VaultError),
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

impl<M: Marketplace, V: Vault> Protocol<M, V> {
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
        let wait = spread_wait();
        let settled = self.connections.apply(connection, |item| {
            let (item, fault, now) = (item.ok_or(ClaimLost)?, fault.clone(), self.connections.now());
            if blame {
                settle::refuse(item, *attempt, fault, now)
            } else {
                settle::defer(item, *attempt, fault, wait, now)
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
        let Some(version) = &item.secret_version else { return self.let_go(held, Outcome::Lost).await };
        let current = match get_committed(&self.vault, &item.connection, version).await {
            Ok(set) => set,
            Err(error) => return self.vault_fault(held, error).await,
        };
        let app = match self.apps.get(&item.connection.app).await {
            Ok(app) => app,
            Err(error) => return self.misconfigured(held, &error).await,
        };
        if app.app_key != current.app_key {
            // Another app's secret must not spend it.
            self.apps.forget(&item.connection.app);
            let fault = local_fault(OTHER_APP_KEY);
            return self.defer(held, fault, Outcome::OtherAppKey).await;
        }
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
            Err(ExchangeError::Configuration { fault }) => return self.misconfigured(held, &fault).await,
        };
        let now = self.connections.now();
        let set = token_set(tokens, &app.app_key, Some(current), Some(version.clone()), item.granted_at, now);
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

    /// The vendor's configuration is wrong. The connection gives way to others, in case that it is the only one.
    async fn misconfigured(&self, held: &Held, problem: &(impl ToString + Sync)) -> Result<Outcome, StoreError> {
        self.apps.forget(&held.item.connection.app);
        let problem = problem.to_string();
        self.defer(held, local_fault(&problem), Outcome::Misconfigured(problem)).await
    }

    /// The vault did not give a token set. The connection gives way to others, in case that it is the only one.
    async fn vault_fault(&self, held: &Held, error: VaultError) -> Result<Outcome, StoreError> {
        self.fail(held, local_fault(&error), Spent::No, None, false).await?;
        Ok(Outcome::VaultFault(error))
    }

    async fn defer(&self, held: &Held, fault: Fault, outcome: Outcome) -> Result<Outcome, StoreError> {
        let wait = spread_wait();
        self.settle(held, outcome, |item| {
            settle::defer(item, held.attempt, fault.clone(), wait, self.connections.now())
        })
        .await
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

    /// Takes away what was never committed or never confirmed: the secret first, so that none stays behind unseen. A
    /// new grant may take the claim over at any moment; then a deletion that came too late is taken back.
    async fn remove(&self, held: &Held) -> Result<Outcome, StoreError> {
        let connection = &held.item.connection;
        let current = self.connections.get(connection).await?;
        let Some(current) = current.filter(|item| item.is_held_by(held.attempt)) else { return Ok(Outcome::Lost) };
        if held.timer.left().is_zero() {
            return Ok(Outcome::Lost);
        }
        if let Err(error) = self.vault.delete(connection).await {
            return self.vault_fault(held, error).await;
        }
        if self.connections.remove(&current).await? || self.connections.get(connection).await?.is_none() {
            return Ok(Outcome::Removed);
        }
        match self.vault.restore(connection).await {
            Ok(()) => Ok(Outcome::Lost),
            Err(error) => Ok(Outcome::VaultFault(error)),
        }
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

const OTHER_APP_KEY: &str =
    "the token set was issued for another app key: put the app's old key back, or let the seller connect anew";

fn spread_wait() -> i64 {
    SECOND_TRY_AFTER + rand::random_range(0..=SPREAD)
}

fn local_fault(what: &(impl ToString + ?Sized)) -> Fault {
    Fault { message: what.to_string(), code: None, request_id: None }
}
