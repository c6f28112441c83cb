//! A stack on which one cell after the other is tried, each with a seller of its own.

use std::{sync::Arc, time::Duration};

use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::Rotation;

/// How a round differs from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Round {
    /// What a refresh does to the refresh token.
    pub(super) rotation: Rotation,
    /// Connections that break, in place of errors.
    pub(super) cut: bool,
    /// Whether sellers who have to repeat give up first, so that what stays behind is seen.
    pub(super) gives_up: bool,
}

impl Round {
    /// The round of this number, from 0.
    pub(super) const fn of(number: u32) -> Self {
        let rotation = match number % 4 {
            0 => Rotation::OneTime,
            1 => Rotation::KeepOld,
            2 => Rotation::Grace,
            _ => Rotation::Unchanged,
        };
        Self { rotation, cut: number % 2 == 1, gives_up: number.is_multiple_of(2) }
    }

    /// Whether a refresh token works once only.
    pub(super) fn is_strict(self) -> bool {
        self.rotation == Rotation::OneTime
    }
}

/// A run of the sweep, and a Keep that fails, may take most of a claim's minute.
const PATIENCE: Duration = Duration::from_secs(100);

/// A stack with one process of each function. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Bench {
    pub(super) stack: Arc<Stack>,
    client: reqwest::Client,
}

impl Bench {
    pub(super) async fn start(round: Round) -> Result<Self, String> {
        let mut options = Options { sellers: Vec::new(), ..Options::default() }.with_webhooks_per_shop();
        for function in Function::ALL {
            options = options.with_processes(function, 1).with_variable(function, "LOG_LEVEL", "info");
        }
        let stack = Stack::start(options).await.map_err(|error| error.to_string())?;
        stack.tiktok_shop().configure(|settings| settings.rotation = round.rotation);
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
        Ok(Self { stack: Arc::new(stack), client: client.map_err(|error| error.to_string())? })
    }

    /// New processes of these functions: nothing in memory, and no retry's cost to pay off.
    pub(super) fn renew(&self, functions: &[Function]) -> Result<(), String> {
        for function in functions {
            self.stack.kill(*function);
            self.stack.start_process(*function).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Runs a sweep; gives its summary, or the error that it failed with.
    pub(super) async fn sweep(&self) -> Result<Value, String> {
        self.invoke(Function::RefreshSweep, &json!({})).await
    }

    /// Waits until a function that refreshes has done what it was asked to do: its one process takes one thing after the
    /// other, and refuses this one.
    pub(super) async fn wait_for(&self, function: Function) -> Result<(), String> {
        if !matches!(function, Function::RefreshOnDemand | Function::RefreshSweep) {
            return Ok(());
        }
        match self.invoke(function, &json!([])).await {
            Ok(output) => Err(format!("{function} has taken a list for its input: {output}")),
            Err(_) => Ok(()),
        }
    }

    async fn invoke(&self, function: Function, input: &Value) -> Result<Value, String> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.stack.lambda_url());
        let answer = self.client.post(url).body(input.to_string()).send().await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        let output = serde_json::from_str::<Value>(&body).map_err(|_| format!("{status}: {body}"))?;
        if status == 200 && output.get("errorMessage").is_none() { Ok(output) } else { Err(body) }
    }

    /// How often the operator was told of something.
    pub(super) fn alarms(&self) -> usize {
        self.stack.output().matches("\"alarm\":").count()
    }
}
