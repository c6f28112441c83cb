//! Once an hour the connections are counted by status, for the metric `Connections`, and the log names apps of active
//! connections that the registry does not have: nobody reads their lanes.
//!
//! A million connections take longer to read than a run should wait, so each run of the first partition walks a slice of the
//! index for a few seconds, beside the work. The item `count/fleet` has the round so far ([`Round`]). Two runs at once walk
//! the same slice; the one that writes second drops it. Nothing fails by the count: after an error the item is as it was,
//! and the next run walks the slice again.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use shop_keyring::{
    connection::fleet::Round,
    metrics,
    names::AppKeyPath,
    store::{Connections, StoreError},
};
use tokio::{task::JoinSet, time::timeout_at};
use tracing::Instrument;

use crate::event::Partition;

/// Time limit for a slice: what a run that has nothing else to do waits for at most.
const SLICE: Duration = Duration::from_secs(5);

/// The part of it that is kept for writing the slice.
const WRITING: Duration = Duration::from_secs(1);

/// A slice that is walked beside the run; dropped, it ends.
pub(crate) struct Counting(JoinSet<()>);

impl Counting {
    /// Begins a slice in a run of the first partition. Gives up at `until`, or earlier. `apps` are those of the registry, if
    /// it could be read.
    pub(crate) fn begin(
        connections: &Connections,
        apps: Option<Vec<AppKeyPath>>,
        partition: Partition,
        until: Instant,
    ) -> Self {
        let mut task = JoinSet::new();
        if partition.index == 0 {
            let until = until.min(Instant::now() + SLICE);
            task.spawn(count_until(connections.clone(), apps, until).in_current_span());
        }
        Self(task)
    }

    /// Waits for what was begun.
    pub(crate) async fn finish(mut self) {
        while let Some(ended) = self.0.join_next().await {
            if ended.is_err() {
                tracing::warn!("the fleet was not counted: it panicked");
            }
        }
    }
}

async fn count_until(connections: Connections, apps: Option<Vec<AppKeyPath>>, until: Instant) {
    match timeout_at(until.into(), count(&connections, until)).await {
        Ok(Ok(Some(round))) => tell(&round, apps.as_deref()),
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the fleet was not counted"),
        Err(_) => tracing::warn!("the fleet was not counted: the table took too long"),
    }
}

/// Walks and writes a slice, if the hour's round is not complete yet. Returns the round if this slice completed it.
async fn count(connections: &Connections, until: Instant) -> Result<Option<Round>, StoreError> {
    let seen = connections.fleet_round().await?;
    let Some(mut round) = Round::to_continue(seen.round.clone(), connections.now()) else { return Ok(None) };
    let pages = walk(connections, &mut round, until.checked_sub(WRITING).unwrap_or(until)).await?;
    if pages == 0 {
        tracing::warn!("the fleet was not counted: no page of the index could be read in time");
        return Ok(None);
    }
    let is_written = connections.replace_fleet_round(&seen, &round).await?;
    if !is_written {
        tracing::info!("another run has counted the same part of the fleet");
    }
    Ok((is_written && round.position().is_none()).then_some(round))
}

/// Adds pages until the round is complete or the time is over; returns how many.
async fn walk(connections: &Connections, round: &mut Round, until: Instant) -> Result<u32, StoreError> {
    let mut pages = 0;
    while let Some(position) = round.position() {
        let Ok(page) = timeout_at(until.into(), connections.statuses(position)).await else { break };
        round.add(page?, connections.now());
        pages += 1;
    }
    Ok(pages)
}

/// Writes what a complete round has found.
fn tell(round: &Round, apps: Option<&[AppKeyPath]>) {
    if let Some(apps) = apps {
        tell_of_those_without_an_app(round, &apps.iter().collect());
    }
    // Those of a marketplace that is no longer set up are counted as well.
    for ((marketplace, status), count) in round.by_status(apps.unwrap_or_default().iter().map(|app| app.marketplace)) {
        metrics::connections(marketplace, status, count);
    }
    let unknown = round.unknown();
    if unknown > 0 {
        tracing::warn!(
            unknown,
            "the fleet was counted without those of a name or a status that this release does not know"
        );
    }
}

/// What is due at a marketplace is read by the apps of the registry, so these connections are neither refreshed nor checked.
fn tell_of_those_without_an_app(round: &Round, apps: &BTreeSet<&AppKeyPath>) {
    for (app, connections) in round.active().filter(|(app, _)| !apps.contains(app)) {
        tracing::error!(
            alarm = "configuration_fault",
            %app,
            connections,
            "the registry has no such app that can be used: its active connections are neither refreshed nor checked"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tests::table_at;

    #[tokio::test]
    async fn a_table_that_does_not_answer_is_given_up_in_time() {
        // Connections are taken, and nothing is ever said.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let table = table_at(&format!("http://{}", silent.local_addr().unwrap()));
        let (began, patience) = (Instant::now(), Duration::from_millis(300));
        tokio::time::timeout(Duration::from_secs(10), count_until(table, None, began + patience))
            .await
            .expect("it gives up before its patience ends");
        assert!(began.elapsed() >= patience, "{:?}", began.elapsed());
    }
}
