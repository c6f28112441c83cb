//! The gate: whether a marketplace is called now, by its circuit breakers, and what each call tells them.

use std::time::Duration;

use super::{
    Protocol,
    health::{NotPassed, Turns},
    outcome::Outcome,
    settling::Held,
};
use crate::{
    apps::App,
    connection::{ended::has_ended, evidence::Call},
    health::{Admission, Breaker, Host},
    marketplace::{ExchangeError, HostGate, Marketplace, TransientCause},
    names::{AppKeyPath, AttemptId},
    store::StoreError,
    vault::Vault,
};

/// How long an app is left alone whose rate limit a caller has met, in seconds.
const PAUSE_OF_CALLERS: i64 = 30;

/// How long a call to a second host waits for the table.
const PATIENCE: Duration = Duration::from_secs(2);

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// Passes the gate before a call under a claim. Otherwise the claim has ended, and nothing else has changed.
    pub(super) async fn gate(&self, held: &Held, app: &App, call: Call) -> Result<Result<Turns, Outcome>, StoreError> {
        let breakers = app.config.breakers(&app.path, call);
        match self.health.pass(&self.connections, &breakers, held.attempt).await {
            Ok(turns) => Ok(Ok(turns)),
            Err(why @ NotPassed::Open { .. }) => {
                tracing::debug!(connection = %held.item.connection, %why, "not now");
                self.let_go(held, Outcome::BreakerOpen).await.map(Err)
            }
            Err(NotPassed::Store(error)) => {
                // Nothing was spent, so the claim need not run out.
                self.let_go(held, Outcome::Lost).await?;
                Err(error)
            }
        }
    }

    /// Passes the gate before the exchange of a code, without a connection yet.
    ///
    /// # Errors
    /// [`NotPassed`].
    pub async fn gate_for_grant(&self, app: &AppKeyPath) -> Result<Turns, NotPassed> {
        let registry = self.apps.registry().current().await.ok();
        let config = registry.as_ref().and_then(|registry| registry.get(app));
        let breakers = config.map(|config| config.breakers(app, Call::Refresh)).unwrap_or_default();
        self.health.read(&self.connections, &breakers).await?;
        self.health.pass(&self.connections, &breakers, AttemptId::random()).await
    }

    /// Gives back turns that were not used, because no call was made.
    pub async fn give_back(&self, turns: Turns) {
        self.health.give_back(&self.connections, turns).await;
    }

    /// Tells the breakers what the exchange of a code has met.
    pub async fn note_code_exchange(&self, app: &App, said: Result<(), &ExchangeError>, turns: &mut Turns) {
        let by = format!("code/{}", turns.id());
        self.note_call(app, Call::Refresh, &by, said, turns).await;
        turns.use_up_those_of_a_call();
    }

    /// Tells the vault's breaker that what a code gave was stored.
    pub async fn note_stored(&self, turns: &mut Turns) {
        self.health.closes(&self.connections, &Breaker::Vault, turns).await;
    }

    /// Tells the breakers what a call under a claim has met.
    pub(super) async fn tell_breakers(
        &self,
        held: &Held,
        app: &App,
        call: Call,
        said: Result<(), &ExchangeError>,
        turns: &mut Turns,
    ) {
        let by = held.item.connection.to_string();
        match said {
            // What an ended connection meets is no evidence against its app; but the host has responded.
            Err(ExchangeError::Configuration { .. }) if has_ended(&held.item) => {
                self.health.works(&self.connections, &Breaker::Host(app.config.host(call)), turns).await;
            }
            // A run makes fewer calls at a time; callers come one by one.
            Err(ExchangeError::Transient { cause: TransientCause::RateLimited, retry_after: None, .. })
                if !held.trigger.is_schedule() =>
            {
                self.health.works(&self.connections, &Breaker::Host(app.config.host(call)), turns).await;
                let lane = Breaker::Lane(app.path.clone());
                self.health.waits(&self.connections, &lane, PAUSE_OF_CALLERS, turns).await;
            }
            said => self.note_call(app, call, &by, said, turns).await,
        }
        turns.use_up_those_of_a_call();
    }

    async fn note_call(&self, app: &App, call: Call, by: &str, said: Result<(), &ExchangeError>, turns: &mut Turns) {
        let (table, health) = (&self.connections, &self.health);
        let (lane, host) = (Breaker::Lane(app.path.clone()), Breaker::Host(app.config.host(call)));
        match said {
            Err(
                ExchangeError::OutcomeUnknown { .. } | ExchangeError::Transient { cause: TransientCause::Outage, .. },
            ) => health.fails(table, &host, by, turns).await,
            Err(ExchangeError::Transient { cause: TransientCause::RateLimited, retry_after: Some(wait), .. }) => {
                health.works(table, &host, turns).await;
                health.waits(table, &lane, *wait, turns).await;
            }
            Err(ExchangeError::Transient { .. }) => health.works(table, &host, turns).await,
            Err(ExchangeError::Configuration { .. }) => {
                health.works(table, &host, turns).await;
                health.fails(table, &lane, by, turns).await;
            }
            Ok(()) | Err(ExchangeError::Refused { .. } | ExchangeError::NoAnswerFrom { .. }) => {
                health.works(table, &host, turns).await;
                health.works(table, &lane, turns).await;
            }
        }
    }

    /// The gate before a second host in the course of a check.
    pub(super) fn further_hosts<'a>(&'a self, held: &'a Held) -> FurtherHosts<'a, M, V> {
        FurtherHosts { protocol: self, held, turns: tokio::sync::Mutex::new(Turns::none(held.attempt)) }
    }

    /// Whether a breaker is open, as far as this process knows, so that nothing is to be claimed for a call that it guards.
    pub(super) fn is_left_alone(&self, breakers: &[Breaker]) -> bool {
        matches!(self.health.admission(breakers, self.connections.now()), Admission::Refuse { .. })
    }
}

/// See [`Protocol::further_hosts`].
pub(super) struct FurtherHosts<'a, M, V> {
    protocol: &'a Protocol<M, V>,
    held: &'a Held,
    turns: tokio::sync::Mutex<Turns>,
}

impl<M: Marketplace, V: Vault> HostGate for FurtherHosts<'_, M, V> {
    async fn admits(&self, host: &Host) -> bool {
        let Protocol { health, connections, .. } = self.protocol;
        let breakers = [Breaker::Host(host.clone())];
        let passing = health.pass(connections, &breakers, self.held.attempt);
        match tokio::time::timeout(PATIENCE, passing).await {
            Ok(Ok(turns)) => {
                *self.turns.lock().await = turns;
                true
            }
            _ => false,
        }
    }

    async fn answered(&self, host: &Host, has_responded: bool) {
        let Protocol { health, connections, .. } = self.protocol;
        let (breaker, mut turns) = (Breaker::Host(host.clone()), self.turns.lock().await);
        if has_responded {
            health.works(connections, &breaker, &mut turns).await;
        } else {
            health.fails(connections, &breaker, &self.held.item.connection.to_string(), &mut turns).await;
        }
    }
}
