//! A refresh on demand: refresh-sweep is invoked, for it alone may spend a refresh token, and the item tells what came
//! of it. If somebody else is at it already, the item is polled.

use std::time::{Duration, Instant};

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::{Client, error::ProvideErrorMetadata, primitives::Blob};
use serde_json::json;
use shop_keyring::{
    connection::Connection,
    store::{Connections, StoreError},
};

/// How long both attempts to invoke may take together.
const INVOCATION: Duration = Duration::from_secs(14);

/// How long the first attempt may take. Its connection may have died while this execution environment was frozen.
const FIRST_ATTEMPT: Duration = Duration::from_secs(5);

/// The pause before the second attempt.
const PAUSE: Duration = Duration::from_millis(200);

/// How long somebody else's refresh is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Invocation and waiting together.
const TOGETHER: Duration = Duration::from_secs(16);

/// How often the item is looked at meanwhile.
const POLL: Duration = Duration::from_millis(250);

/// Invokes refresh-sweep.
#[derive(Debug)]
pub(crate) struct Refresher {
    client: Client,
    function: String,
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

    /// Has the connection refreshed unless that is being done already, and answers the item as it is then, if it is
    /// still there.
    pub(crate) async fn refresh(
        &self,
        connections: &Connections,
        item: Connection,
    ) -> Result<Option<Connection>, StoreError> {
        let deadline = Instant::now() + TOGETHER;
        if item.held_at(connections.now()).is_none() {
            self.invoke(&item).await;
        }
        let deadline = deadline.min(Instant::now() + PATIENCE);
        loop {
            let Some(current) = connections.get(&item.connection).await? else { return Ok(None) };
            let settled = current.token_version != item.token_version || current.held_at(connections.now()).is_none();
            if settled || Instant::now() + POLL >= deadline {
                return Ok(Some(current));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What the invocation answers does not matter: the item tells what came of it.
    async fn invoke(&self, item: &Connection) {
        let payload = json!({"connection": item.connection, "rejected_version": item.token_version});
        let invocation = self.client.invoke().function_name(&self.function).payload(Blob::new(payload.to_string()));
        let attempts = async {
            match tokio::time::timeout(FIRST_ATTEMPT, invocation.clone().send()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) => tokio::time::sleep(PAUSE).await,
                Err(_) => {}
            }
            // If the first one is at work all the same, its claim makes the second one do nothing.
            invocation.send().await
        };
        let problem = match tokio::time::timeout(INVOCATION, attempts).await {
            Ok(Ok(answer)) => answer.function_error,
            Ok(Err(error)) => Some(error.code().unwrap_or("no response").to_owned()),
            Err(_) => Some("no response in time".to_owned()),
        };
        if let Some(problem) = problem {
            tracing::error!(alarm = "refresh_not_invoked", connection = %item.connection, problem, "refresh-sweep could not be invoked");
        }
    }
}
