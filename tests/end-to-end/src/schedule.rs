//! What `EventBridge` Scheduler does in AWS: sweeps, again and again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{answer::Answer, stack::Function};

/// A sandbox may run for days.
const REMEMBERED: usize = 200;

/// Timeout of a run, as the template sets it for refresh-sweep, and a little for the way.
const RUN: Duration = Duration::from_secs(125);

/// Invokes refresh-sweep. Clones invoke the same one.
#[derive(Debug, Clone)]
pub struct Sweeper {
    pub(crate) client: reqwest::Client,
    pub(crate) lambda_url: String,
}

impl Sweeper {
    /// Runs a sweep; gives its summary.
    ///
    /// # Errors
    /// What went wrong, in a line.
    pub async fn sweep(&self) -> Result<Value, String> {
        let request = self.invocation(Function::RefreshSweep, &json!({})).timeout(RUN);
        let answer = Answer::to(request).await.map_err(|error| error.to_string())?;
        if answer.status == 200 { Ok(answer.json()) } else { Err(format!("{}: {}", answer.status, answer.body)) }
    }

    pub(crate) async fn invoke(&self, function: Function, input: &Value) -> Result<Answer, reqwest::Error> {
        Answer::to(self.invocation(function, input)).await
    }

    fn invocation(&self, function: Function, input: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.lambda_url);
        self.client.post(url).body(input.to_string())
    }
}

/// One run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Counts the runs from 1.
    pub number: u64,
    /// When it ended.
    pub at: SystemTime,
    /// Its summary, or what went wrong.
    pub summary: Result<Value, String>,
}

impl Run {
    /// Whether there was anything to do, or to say.
    pub fn did_something(&self) -> bool {
        match &self.summary {
            Ok(summary) => summary["due"] != 0 || summary.get("stopped").is_some(),
            Err(_) => true,
        }
    }

    /// What it did, without what is zero: `due 1, refreshed 1`.
    pub fn in_words(&self) -> String {
        let summary = match &self.summary {
            Ok(summary) => summary,
            Err(error) => return format!("failed: {error}"),
        };
        let counts = summary.as_object().into_iter().flatten().filter(|(_, count)| **count != 0);
        let words: Vec<String> = counts.map(|(name, count)| format!("{} {count}", name.replace('_', " "))).collect();
        if words.is_empty() { "nothing is due".into() } else { words.join(", ") }
    }
}

/// The time of day for people.
pub(crate) fn clock(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() % 86_400);
    format!("{:02}:{:02}:{:02} UTC", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Sweeps until it is dropped.
#[derive(Debug)]
pub struct Schedule {
    runs: Runs,
    task: JoinHandle<()>,
}

/// The last runs. Clones see the same ones.
#[derive(Debug, Clone, Default)]
pub struct Runs(Arc<Mutex<VecDeque<Run>>>);

impl Schedule {
    /// Begins at once.
    pub fn start(sweeper: Sweeper, every: Duration) -> Self {
        let runs = Runs::default();
        let log = runs.clone();
        let task = tokio::spawn(async move {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for number in 1.. {
                ticks.tick().await;
                let summary = sweeper.sweep().await;
                log.push(Run { number, at: SystemTime::now(), summary });
            }
        });
        Self { runs, task }
    }

    /// The last runs.
    pub fn runs(&self) -> &Runs {
        &self.runs
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Runs {
    /// The runs after the one with this number, oldest first.
    pub fn after(&self, number: u64) -> Vec<Run> {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter().filter(|run| run.number > number).cloned().collect()
    }

    fn push(&self, run: Run) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.len() == REMEMBERED {
            runs.pop_front();
        }
        runs.push_back(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_the_time_of_day() {
        assert_eq!(clock(UNIX_EPOCH + Duration::from_secs(86_400 + 3 * 3_600 + 4 * 60 + 5)), "03:04:05 UTC");
    }

    #[test]
    fn a_run_is_told_by_what_it_did() {
        let run = |summary| Run { number: 1, at: UNIX_EPOCH, summary };
        let quiet = run(Ok(json!({ "due": 0, "refreshed": 0, "oldest_due_seconds": 0 })));
        assert_eq!((quiet.did_something(), quiet.in_words().as_str()), (false, "nothing is due"));
        let busy = run(Ok(json!({ "due": 1, "refreshed": 1, "oldest_due_seconds": 4, "skipped": 0 })));
        assert!(busy.did_something());
        assert_eq!(busy.in_words(), "due 1, oldest due seconds 4, refreshed 1");
        assert!(run(Err("500".into())).did_something());
    }
}
