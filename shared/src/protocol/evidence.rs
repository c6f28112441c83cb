//! The evidence of each app, shared with all processes by way of the table: counted in memory, written together, and read
//! when a second refusal has to be judged, five seconds old at most.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{StreamExt as _, stream};

use super::Protocol;
use crate::{
    connection::evidence::Evidence,
    marketplace::Marketplace,
    names::AppKeyPath,
    store::{Connections, StoreError, StoredEvidence},
    time::Timestamp,
    vault::Vault,
};

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

/// What the table held when it was last looked at.
#[derive(Debug, Default)]
struct Stored {
    seen: StoredEvidence,
    seen_at: Option<Timestamp>,
    alarmed_at: Option<Timestamp>,
}

impl SharedEvidence {
    /// Begins a run: the first judgment reads the table.
    pub async fn begin_run(&self) {
        for (_, lane) in self.lanes() {
            lane.stored.lock().await.seen_at = None;
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
    fn take_unwritten(&self) -> Evidence {
        mem::take(&mut self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with_unwritten(&self, evidence: &Evidence) -> Evidence {
        evidence.plus(&self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what was counted; without anything to write, reads.
    async fn exchange(&self, app: &AppKeyPath, stored: &mut Stored, table: &Connections) -> Result<(), StoreError> {
        let part = self.take_unwritten();
        let exchanged = if part.is_empty() {
            table.evidence(app).await
        } else {
            table.add_evidence(app, &part, stored.seen.clone()).await
        };
        match exchanged {
            Ok(seen) => {
                (stored.seen, stored.seen_at) = (seen, Some(table.now()));
                stored.warn_of_mass_refusal(app, table.now());
                Ok(())
            }
            Err(error) => {
                // It may have been added after all. A part that counts twice is better than one that is lost.
                let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
                *unwritten = unwritten.plus(&part);
                Err(error)
            }
        }
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
            "too many connections of this app were refused in the last half hour: none is ended for it"
        );
    }
}

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// The evidence of an app, five seconds old at most, or `None` if it is unavailable.
    pub(super) async fn evidence_of(&self, app: &AppKeyPath) -> Option<Evidence> {
        let lane = self.evidence.lane(app);
        // Held while the table is asked, so that a cohort asks once.
        let mut stored = lane.stored.lock().await;
        let is_fresh = stored.seen_at.is_some_and(|at| self.connections.now().since(at) < FRESH_FOR);
        if !is_fresh && let Err(error) = lane.exchange(app, &mut stored, &self.connections).await {
            tracing::error!(%app, %error, "the evidence about refusals is unavailable: nobody is ended without it");
            return None;
        }
        Some(lane.with_unwritten(&stored.seen.evidence))
    }

    /// Writes what was counted since the last time, one write per app.
    pub async fn write_evidence(&self) {
        let unwritten = self.evidence.lanes().into_iter().filter(|(_, lane)| {
            let unwritten = lane.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            !unwritten.is_empty()
        });
        let writes = unwritten.map(|(app, lane)| async move {
            let mut stored = lane.stored.lock().await;
            if let Err(error) = lane.exchange(&app, &mut stored, &self.connections).await {
                tracing::warn!(%app, %error, "the evidence about refusals could not be written; it is tried again");
            }
        });
        stream::iter(writes).buffer_unordered(WRITES_AT_ONCE).collect::<()>().await;
    }
}
