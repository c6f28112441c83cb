//! Metrics, as lines in CloudWatch's embedded metric format on standard output: a small set of names, and dimensions
//! with few values each, none of a connection or an account. `docs/metrics.md` lists them all.
//!
//! Every invocation ends with [`flush`]: a container may be frozen right after it, for good.

use std::{
    io::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};

use crate::{
    connection::Reason,
    names::{AppKeyPath, MarketplaceName},
    vault::Source,
};

/// CloudWatch's namespace of all of them, unless `METRICS_NAMESPACE` names another: two stages in one account must not
/// be counted together.
pub(crate) const NAMESPACE: &str = "ShopKeyring";

/// Latencies that are gathered before they are written: the format takes a hundred at once, and as many as run side by
/// side may come on top.
const LATENCIES_AT_ONCE: u32 = 32;

/// Every metric, with its unit.
const COUNTS: [&str; 10] = [
    "Alarms",
    "CacheHits",
    "CacheMisses",
    "Connects",
    "EventsPublished",
    "EventsUnpublished",
    "Lookups",
    "ReauthorizationsRequired",
    "Webhooks",
    "WorkOutcomes",
];
const CONNECTIONS: &str = "Connections";
const OLDEST_DUE: &str = "OldestDueSeconds";
const LANE_STOPPED: &str = "LaneStoppedSeconds";
const MILLISECONDS: &str = "MarketplaceLatency";

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();
static LATENCIES: AtomicU32 = AtomicU32::new(0);

/// Begins to gather, once a process. Before that nothing is gathered.
pub(crate) fn start(namespace: &str) {
    let Ok(collector) = Builder::new().cloudwatch_namespace(namespace.to_owned()).init() else { return };
    if COLLECTOR.set(collector).is_ok() {
        for name in COUNTS {
            describe_counter!(name, Unit::Count, "");
        }
        describe_histogram!(CONNECTIONS, Unit::Count, "");
        describe_histogram!(OLDEST_DUE, Unit::Seconds, "");
        describe_histogram!(LANE_STOPPED, Unit::Seconds, "");
        describe_histogram!(MILLISECONDS, Unit::Milliseconds, "");
    }
}

/// Writes what was gathered.
pub fn flush() {
    let Some(collector) = COLLECTOR.get() else { return };
    let mut lines = Vec::new();
    // As a whole, so that no line of the log gets between.
    let written = collector.flush(&mut lines).and_then(|()| io::stdout().lock().write_all(&lines));
    if let Err(error) = written {
        tracing::warn!(%error, "metrics could not be written");
    }
}

/// Work on a connection came to this end.
pub fn worked(marketplace: MarketplaceName, outcome: &'static str) {
    counter!("WorkOutcomes", "Marketplace" => marketplace.as_str(), "Outcome" => outcome).increment(1);
}

/// A connection has stopped, and only its seller can help.
pub(crate) fn reauthorization_required(marketplace: MarketplaceName, reason: Reason) {
    let labels = [("Marketplace", marketplace.as_str()), ("Reason", reason.as_str())];
    counter!("ReauthorizationsRequired", &labels).increment(1);
}

/// A run has found that the oldest connection had been due for so many seconds, those of stopped lanes aside.
pub fn oldest_due(seconds: i64) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 seconds")]
    // A gauge would be written again with every flush, long after.
    histogram!(OLDEST_DUE).record(seconds as f64);
}

/// A run has found that the oldest connection of the lanes that it stopped had been due for so many seconds.
pub fn lane_stopped(seconds: i64) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 seconds")]
    // As above.
    histogram!(LANE_STOPPED).record(seconds as f64);
}

/// The same for one app's lane, where it is behind.
pub fn oldest_due_of(app: &AppKeyPath, seconds: i64) {
    of_app(OLDEST_DUE, app, seconds);
}

/// The same for one app's lane, where it is stopped.
pub fn lane_stopped_of(app: &AppKeyPath, seconds: i64) {
    of_app(LANE_STOPPED, app, seconds);
}

fn of_app(name: &'static str, app: &AppKeyPath, seconds: i64) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 seconds")]
    histogram!(name, "App" => app.to_string()).record(seconds as f64);
}

/// So many connections were found in this status.
pub fn connections(marketplace: MarketplaceName, status: &'static str, count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 connections")]
    // As above: a gauge would be written again.
    histogram!(CONNECTIONS, "Marketplace" => marketplace.as_str(), "Status" => status).record(count as f64);
}

/// What became of a run's events.
pub fn events(published: u32, unpublished: u32) {
    counter!("EventsPublished").increment(published.into());
    counter!("EventsUnpublished").increment(unpublished.into());
}

/// A call to a marketplace took so long, answered or not.
pub fn marketplace_call(marketplace: MarketplaceName, call: &'static str, took: Duration) {
    histogram!(MILLISECONDS, "Marketplace" => marketplace.as_str(), "Call" => call)
        .record(took.as_secs_f64() * 1_000.0);
    if LATENCIES.fetch_add(1, Ordering::Relaxed) % LATENCIES_AT_ONCE == LATENCIES_AT_ONCE - 1 {
        flush();
    }
}

/// A token was asked for, and this was the answer: `served`, or a problem's code. `marketplace` is none where the request
/// did not name one.
pub fn lookup(marketplace: Option<MarketplaceName>, answer: &'static str) {
    let marketplace = marketplace.map_or("none", MarketplaceName::as_str);
    counter!("Lookups", "Marketplace" => marketplace, "Answer" => answer).increment(1);
}

/// A token set was wanted and came from there.
pub(crate) fn cache(source: Source) {
    match source {
        Source::Memory => counter!("CacheHits").increment(1),
        Source::Vault => counter!("CacheMisses").increment(1),
    }
}

/// So many connections came of a seller's visit, or were asked for in vain: `connected`, or why not.
pub fn connected(marketplace: MarketplaceName, outcome: &'static str, connections: usize) {
    counter!("Connects", "Marketplace" => marketplace.as_str(), "Outcome" => outcome).increment(connections as u64);
}

/// A webhook was posted: `taken`, or the code of why not.
pub fn webhook(answer: &'static str) {
    counter!("Webhooks", "Answer" => answer).increment(1);
}

/// A line with this alarm was logged.
pub(crate) fn alarm(name: String) {
    counter!("Alarms", "Alarm" => name).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_documented_and_no_other() {
        let documented = include_str!("../../docs/metrics.md");
        let rows = documented.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let mut documented: Vec<_> = rows.map(|(name, _)| name).collect();
        documented.sort_unstable();
        let mut known: Vec<_> =
            COUNTS.into_iter().chain([CONNECTIONS, LANE_STOPPED, OLDEST_DUE, MILLISECONDS]).collect();
        known.sort_unstable();
        assert_eq!(documented, known);
    }
}
