//! A refresh on demand: refresh-on-demand is invoked, for only it and refresh-sweep may spend a refresh token, and the item
//! says what came of it. While somebody else is at work, the item is polled.
//!
//! Lambda throttles the function at its reserved concurrency, and a circuit breaker may be open. Then the item says that the
//! refresh is wanted, which makes the connection due for the schedule, and the caller is told to come again in a minute.
//! Waiting for a slot would keep this function's own execution environments busy, and with them the callers whose tokens work.

use std::time::{Duration, Instant};

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::invoke::InvokeError,
    primitives::Blob,
};
use serde::Deserialize;
use serde_json::json;
use shop_keyring::{
    connection::{Connection, claim::NotClaimed, evidence::Call, wanted::want},
    health::Admission,
    registry::AppRegistry,
    store::{ApplyError, Connections, StoreError, StoredState},
};

/// How long both attempts to invoke may take together.
const INVOCATION: Duration = Duration::from_secs(14);

/// How long the first attempt may take. Its connection may have died while this execution environment was frozen.
const FIRST_ATTEMPT: Duration = Duration::from_secs(5);

/// The pause before the second attempt.
const PAUSE: Duration = Duration::from_millis(200);

/// How long somebody else's work on the connection is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often the item is polled in the meantime.
const POLL: Duration = Duration::from_millis(250);

/// Invokes refresh-on-demand.
#[derive(Debug)]
pub(crate) struct Refresher {
    client: Client,
    function: String,
}

/// What came of an invocation, as far as it is known here. What came of the refresh, the item says.
enum Invoked {
    Done,
    /// Nothing was begun: all slots are taken, or a circuit breaker is open.
    NotNow,
    /// Why nobody knows that it was done.
    Failed(String),
}

impl Refresher {
    pub(crate) fn new(config: &SdkConfig, function: &str) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(INVOCATION)
            .operation_timeout(INVOCATION)
            .build();
        // The SDK would repeat an invocation that it has given up, and so start a second one beside it.
        let config = aws_sdk_lambda::config::Builder::from(config)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::disabled())
            .build();
        Self { client: Client::from_conf(config), function: function.to_owned() }
    }

    /// Has the connection refreshed unless somebody is at work on it, or else by the schedule. Returns the item as it is
    /// then, if it still exists.
    pub(crate) async fn refresh(
        &self,
        connections: &Connections,
        registry: &AppRegistry,
        item: Connection,
    ) -> Result<Option<Connection>, StoreError> {
        if item.held_at(connections.now()).is_none() {
            let invoked = if is_left_alone(connections, registry, &item).await {
                Invoked::NotNow
            } else {
                self.invoke(&item).await
            };
            match invoked {
                Invoked::Done => {}
                Invoked::NotNow => {
                    tracing::info!(connection = %item.connection, "not now: the schedule refreshes it");
                    leave_to_schedule(connections, &item).await;
                }
                Invoked::Failed(problem) => {
                    tracing::error!(alarm = "refresh_not_invoked", connection = %item.connection, problem, "refresh-on-demand could not be invoked");
                    leave_to_schedule(connections, &item).await;
                }
            }
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Some(current) = connections.get(&item.connection).await? else { return Ok(None) };
            let settled = current.token_version != item.token_version || current.held_at(connections.now()).is_none();
            if settled || Instant::now() + POLL >= deadline {
                return Ok(Some(current));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn invoke(&self, item: &Connection) -> Invoked {
        let payload = json!({"connection": item.connection, "rejected_version": item.token_version});
        let invocation = self.client.invoke().function_name(&self.function).payload(Blob::new(payload.to_string()));
        let attempts = async {
            match tokio::time::timeout(FIRST_ATTEMPT, invocation.clone().send()).await {
                Ok(Err(error)) if !is_throttled(&error) => tokio::time::sleep(PAUSE).await,
                Ok(response) => return response,
                Err(_) => {}
            }
            // If the first one is at work all the same, its claim makes the second one do nothing.
            invocation.send().await
        };
        match tokio::time::timeout(INVOCATION, attempts).await {
            Ok(Ok(response)) => match response.function_error {
                Some(error) => Invoked::Failed(error),
                None if was_refused(response.payload) => Invoked::NotNow,
                None => Invoked::Done,
            },
            Ok(Err(error)) if is_throttled(&error) => Invoked::NotNow,
            Ok(Err(error)) => Invoked::Failed(error.code().unwrap_or("no response").to_owned()),
            Err(_) => Invoked::Failed("no response in time".to_owned()),
        }
    }
}

fn is_throttled(error: &SdkError<InvokeError>) -> bool {
    error.as_service_error().is_some_and(InvokeError::is_too_many_requests_exception)
}

/// Whether the function's response says that nothing was asked because it may not be now.
fn was_refused(response: Option<Blob>) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        outcome: String,
    }
    let answer = response.and_then(|payload| serde_json::from_slice::<Answer>(payload.as_ref()).ok());
    answer.is_some_and(|answer| ["breaker_open", "rate_limited"].contains(&answer.outcome.as_str()))
}

/// Whether a circuit breaker is open that guards what the connection wants. If that is not known, the function finds out.
async fn is_left_alone(connections: &Connections, registry: &AppRegistry, item: &Connection) -> bool {
    let call = if item.has_refresh() { Call::Refresh } else { Call::Check };
    let Ok(registry) = registry.current().await else { return false };
    let Some(config) = registry.get(&item.connection.app) else { return false };
    let health = connections.health(&config.breakers(&item.connection.app, call)).await;
    let health = health.inspect_err(|error| tracing::warn!(%error, "the circuit breakers cannot be read"));
    let is_open = |stored: &StoredState| matches!(stored.state.admission(connections.now()), Admission::Refuse { .. });
    health.is_ok_and(|health| health.values().any(is_open))
}

/// Makes the connection due for the schedule, unless it rests, is in doubt, or has a new token set or somebody at work on it
/// by now. If the table fails, the caller is served all the same as far as the token works, and asks again otherwise.
async fn leave_to_schedule(connections: &Connections, item: &Connection) {
    let rejected_version = item.token_version;
    let written = connections.apply_to(Some(item.clone()), |item| {
        want(item.ok_or(NotClaimed::NotActive)?, rejected_version, connections.now())
    });
    if let Err(ApplyError::Store(error)) = written.await {
        tracing::warn!(connection = %item.connection, %error, "the schedule could not be told that a refresh is wanted");
    }
}
