//! Steps on the terminal: what is done, what came of it, and which one failed.

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use futures_util::FutureExt;
use serde_json::Value;

/// A step that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(150);

/// A step that failed: its number and name, and why.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

/// Counts the steps.
#[derive(Debug, Default)]
pub(crate) struct Steps(u32);

impl Steps {
    /// Failures of a step are told by its step, not by the panic's own message.
    pub(crate) fn new() -> Self {
        panic::set_hook(Box::new(|_| {}));
        Self::default()
    }

    /// Does one step. It fails when it panics, as the callers in the library do, or takes too long.
    pub(crate) async fn step<T>(&mut self, name: &str, work: impl Future<Output = T>) -> Result<T, Failed> {
        self.0 += 1;
        println!("\n{}. {name}", self.0);
        let failed = |why: &str| Failed(format!("step {} failed ({name}): {why}", self.0));
        match tokio::time::timeout(PATIENCE, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(panic)) => Err(failed(message(panic.as_ref()))),
            Err(_) => Err(failed("it takes too long")),
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("no reason given")
}

/// A line about the step under way.
pub(crate) fn tell(line: impl std::fmt::Display) {
    println!("   {line}");
}

/// JSON about the step under way.
pub(crate) fn tell_json(json: &Value) {
    for line in format!("{json:#}").lines() {
        tell(line);
    }
}
