//! A refresh on demand: refresh-sweep is invoked, for it alone may spend a refresh token, and the item tells what came
//! of it. If somebody else is at it already, the item is polled.

use std::time::{Duration, Instant};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::{Client, error::ProvideErrorMetadata, primitives::Blob};
use serde_json::json;
use shop_keyring::{
    connection::Connection,
    store::{Connections, StoreError},
};

/// How long the invocation may take.
const INVOCATION: Duration = Duration::from_secs(14);

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
            .operation_timeout(INVOCATION)
            .disable_operation_attempt_timeout()
            .build();
        let config = aws_sdk_lambda::config::Builder::from(config).timeout_config(timeouts).build();
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
        let invocation = self.client.invoke().function_name(&self.function);
        let answer = invocation.payload(Blob::new(payload.to_string())).send().await;
        let problem = match answer {
            Ok(answer) => answer.function_error,
            Err(error) => Some(error.code().unwrap_or("no answer").to_owned()),
        };
        if let Some(problem) = problem {
            tracing::error!(alarm = "refresh_not_invoked", connection = %item.connection, problem, "refresh-sweep could not be invoked");
        }
    }
}
