//! The evidence of each app, which all processes share through the table. Responses are counted in memory and written
//! together; when a second refusal has to be judged, the table is read, unless that was done in the last five seconds.

use std::{
    collections::HashMap,
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};

use super::Protocol;
use crate::{
    clock::ClaimTimer,
    connection::evidence::Evidence,
    marketplace::Marketplace,
    names::AppKeyPath,
    store::{Connections, StoreError, StoredEvidence},
    time::Timestamp,
    vault::Vault,
};

/// How long the table is waited for while a claim is held.
const PATIENCE: Duration = Duration::from_secs(5);

/// How old evidence may be by which a connection is judged, in seconds.
const FRESH_FOR: i64 = 5;

/// Shortest time between two alarms about the same app, in seconds.
const ALARM_EVERY: i64 = 60;

/// Apps whose evidence is written at a time.
const WRITES_AT_ONCE: usize = 8;

/// The evidence of all apps that this process has to do with.
#[derive(Debug, Default)]
pub struct SharedEvidence(Mutex<HashMap<AppKeyPath, Arc<Lane>>>);

#[derive(Debug, Default)]
struct Lane {
    /// What this process has counted and not written yet.
    unwritten: Mutex<Evidence>,
    stored: tokio::sync::Mutex<Stored>,
}

/// What the table held when it was last asked.
#[derive(Debug, Default)]
struct Stored {
    seen: StoredEvidence,
    /// When it was asked, and whether it responded.
    asked: Option<(Timestamp, bool)>,
    alarmed_at: Option<Timestamp>,
}

/// What is being written. It is unwritten again if it is dropped, so that nothing is lost when time runs out.
struct Part<'a> {
    lane: &'a Lane,
    evidence: Evidence,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        let mut unwritten = self.lane.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        *unwritten = unwritten.plus(&self.evidence);
    }
}

impl SharedEvidence {
    /// Begins a run: the first judgment reads the table.
    pub async fn begin_run(&self) {
        for (_, lane) in self.lanes() {
            lane.stored.lock().await.asked = None;
        }
    }

    /// Counts something, in memory.
    pub(super) fn note(&self, app: &AppKeyPath, note: impl FnOnce(&mut Evidence)) {
        note(&mut self.lane(app).unwritten.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn lane(&self, app: &AppKeyPath) -> Arc<Lane> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(app.clone()).or_default())
    }

    fn lanes(&self) -> Vec<(AppKeyPath, Arc<Lane>)> {
        let lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.iter().map(|(app, lane)| (app.clone(), Arc::clone(lane))).collect()
    }
}

impl Lane {
    fn take_unwritten(&self) -> Part<'_> {
        let evidence = mem::take(&mut *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner));
        Part { lane: self, evidence }
    }

    fn has_unwritten(&self) -> bool {
        !self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn with_unwritten(&self, evidence: &Evidence) -> Evidence {
        evidence.plus(&self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what was counted; without anything to write, reads.
    async fn exchange(&self, app: &AppKeyPath, stored: &mut Stored, table: &Connections) -> Result<(), StoreError> {
        // For the others who wait, if this one is given up.
        stored.asked = Some((table.now(), false));
        // If a write fails, it may have been done after all: a part that counts twice is better than one that is lost.
        let mut part = self.take_unwritten();
        let exchanged = if part.evidence.is_empty() {
            table.evidence(app).await
        } else {
            table.add_evidence(app, &part.evidence, stored.seen.clone()).await
        };
        stored.seen = exchanged?;
        part.evidence = Evidence::default();
        stored.asked = Some((table.now(), true));
        stored.warn_of_mass_refusal(app, table.now());
        Ok(())
    }
}

impl Stored {
    fn warn_of_mass_refusal(&mut self, app: &AppKeyPath, now: Timestamp) {
        let is_told = self.alarmed_at.is_some_and(|at| now.since(at) < ALARM_EVERY);
        if is_told || !self.seen.evidence.is_mass_refusal(now) {
            return;
        }
        self.alarmed_at = Some(now);
        let (accepted, refused) = self.seen.evidence.counts(now);
        tracing::error!(
            alarm = "mass_refusal",
            %app,
            refused,
            accepted,
            "too many connections of this app were refused in the last half hour: none of them ends for it"
        );
    }
}

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// The evidence of an app, five seconds old at most, or `None` if it is unavailable.
    pub(super) async fn evidence_of(&self, app: &AppKeyPath, timer: &ClaimTimer) -> Option<Evidence> {
        tokio::time::timeout(timer.left().min(PATIENCE), self.fresh_evidence(app)).await.unwrap_or_else(|_| {
            tell_unavailable(app, &"no response in time");
            None
        })
    }

    async fn fresh_evidence(&self, app: &AppKeyPath) -> Option<Evidence> {
        let lane = self.evidence.lane(app);
        // Held while the table is asked, so that a cohort asks once, and once if the table does not respond.
        let mut stored = lane.stored.lock().await;
        match stored.asked.filter(|(at, _)| self.connections.now().since(*at) < FRESH_FOR) {
            Some((_, true)) => {}
            Some((_, false)) => return None,
            None => {
                if let Err(error) = lane.exchange(app, &mut stored, &self.connections).await {
                    tell_unavailable(app, &error);
                    return None;
                }
            }
        }
        Some(lane.with_unwritten(&stored.seen.evidence))
    }

    /// Writes what was counted since the last time, one write per app.
    pub async fn write_evidence(&self) {
        let unwritten = self.evidence.lanes().into_iter().filter(|(_, lane)| lane.has_unwritten());
        let writes = unwritten.map(|(app, lane)| async move {
            let mut stored = lane.stored.lock().await;
            if let Err(error) = lane.exchange(&app, &mut stored, &self.connections).await {
                tell_unavailable(&app, &error);
            }
        });
        stream::iter(writes).buffer_unordered(WRITES_AT_ONCE).collect::<()>().await;
    }
}

fn tell_unavailable(app: &AppKeyPath, error: &dyn fmt::Display) {
    tracing::error!(
        alarm = "evidence_unavailable",
        %app,
        %error,
        "the counts of refusals cannot be read or written: until they can, a refused connection ends only after seven days"
    );
}
