//! The breakers of one run: pure bookkeeping over outcomes, which decides what may still be claimed.

use std::collections::{HashMap, HashSet};

use shop_keyring::{
    connection::due::Lane,
    metrics,
    names::{AppKeyPath, ConnectionKey, MarketplaceName},
    protocol::outcome::Outcome,
    store::StoreError,
};

use crate::{
    publisher::Told,
    queue::{Ages, Unread},
    registrar::Registered,
    summary::{Stop, Summary},
};

/// Failures in a row at one marketplace, at the table or at the vault that end the claiming there: an outage must not
/// burn every connection's back-off.
const FAILURES_IN_A_ROW: u32 = 5;

/// One run's state.
#[derive(Debug)]
pub(crate) struct Run {
    /// The apps whose lanes are read.
    apps: HashSet<AppKeyPath>,
    misconfigured: HashSet<AppKeyPath>,
    failures_in_a_row: HashMap<MarketplaceName, u32>,
    out_of_reach: HashSet<MarketplaceName>,
    table_failures_in_a_row: u32,
    vault_failures_in_a_row: u32,
    concurrency: usize,
    has_kept: bool,
    summary: Summary,
}

impl Run {
    /// A run over the lanes of these apps, and the chores.
    pub(crate) fn new(apps: impl IntoIterator<Item = AppKeyPath>, concurrency: usize) -> Self {
        Self {
            apps: apps.into_iter().collect(),
            misconfigured: HashSet::new(),
            failures_in_a_row: HashMap::new(),
            out_of_reach: HashSet::new(),
            table_failures_in_a_row: 0,
            vault_failures_in_a_row: 0,
            concurrency,
            has_kept: false,
            summary: Summary::default(),
        }
    }

    /// How many connections may be worked on at a time.
    pub(crate) const fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// How many of them may ask a marketplace: one, until the vault has shown that it keeps. A vault that does not costs
    /// one refresh token then, not thirty-two.
    pub(crate) const fn limit(&self) -> usize {
        if self.has_kept { self.concurrency } else { 1 }
    }

    /// Takes note that a connection was taken from a lane.
    pub(crate) const fn admit(&mut self) {
        self.summary.due += 1;
    }

    /// Takes note of what became of the events.
    pub(crate) const fn record_events(&mut self, told: Told) {
        self.summary.published += told.published;
        self.summary.unpublished += told.unpublished;
    }

    /// Takes note of what became of the webhooks.
    pub(crate) const fn record_webhooks(&mut self, counts: Registered) {
        self.summary.webhooks_registered += counts.done;
        self.summary.webhooks_failed += counts.failed;
        self.summary.skipped += counts.left;
    }

    /// Whether a breaker says to leave this app alone.
    pub(crate) fn leaves_alone(&self, app: &AppKeyPath) -> bool {
        self.out_of_reach.contains(&app.marketplace) || self.misconfigured.contains(app)
    }

    /// Whether a breaker says to leave this lane alone; none does so for the chores.
    pub(crate) fn has_stopped(&self, lane: &Lane) -> bool {
        matches!(lane, Lane::App(app) if self.leaves_alone(app))
    }

    /// Takes note that connections that were taken are left as they are: no time, or a breaker.
    pub(crate) fn leave(&mut self, connections: usize) {
        let connections = u32::try_from(connections).unwrap_or(u32::MAX);
        self.summary.skipped = self.summary.skipped.saturating_add(connections);
    }

    /// Takes note that so many connections had been read from a lane that is stopped.
    pub(crate) fn leave_read(&mut self, connections: usize) {
        self.summary.due = self.summary.due.saturating_add(u32::try_from(connections).unwrap_or(u32::MAX));
        self.leave(connections);
    }

    /// Whether more may be taken from this lane. What stops the work at the marketplaces is no reason to keep the chores
    /// from being done.
    pub(crate) fn takes_from(&self, lane: &Lane) -> bool {
        match (self.summary.stopped, lane) {
            (None, _) => !self.has_stopped(lane),
            (Some(Stop::Marketplaces | Stop::Vault), lane) => *lane == Lane::Chores,
            (Some(Stop::Deadline | Stop::Table), _) => false,
        }
    }

    /// Stops claiming; the first reason stays.
    pub(crate) fn stop(&mut self, reason: Stop) {
        self.summary.stopped.get_or_insert(reason);
    }

    /// Takes note of what came of one connection.
    pub(crate) fn record(&mut self, connection: &ConnectionKey, outcome: &Result<Outcome, StoreError>) {
        if !matches!(
            outcome,
            Ok(Outcome::VaultFault(_)
                | Outcome::OfEnded(_)
                | Outcome::Skipped(_)
                | Outcome::OnlyEvents(_)
                | Outcome::OnlyWebhooks(_))
                | Err(_)
        ) {
            self.vault_failures_in_a_row = 0;
        }
        if !matches!(outcome, Ok(Outcome::Skipped(_) | Outcome::OnlyEvents(_) | Outcome::OnlyWebhooks(_))) {
            let outcome = outcome.as_ref().map_or("table_failed", Outcome::as_str);
            metrics::worked(connection.app.marketplace, outcome);
        }
        let summary = &mut self.summary;
        let in_a_row = self.failures_in_a_row.entry(connection.app.marketplace).or_default();
        match outcome {
            Ok(Outcome::Refreshed) => {
                summary.refreshed += 1;
                *in_a_row = 0;
                self.has_kept = true;
            }
            Ok(Outcome::Verified) => {
                summary.verified += 1;
                *in_a_row = 0;
            }
            Ok(Outcome::Reminded) => summary.reminded += 1,
            // No evidence of an outage, nor against one.
            Ok(Outcome::OfEnded(outcome)) => {
                self.has_kept |= matches!(**outcome, Outcome::Refreshed);
                summary.count_ended(outcome);
            }
            Ok(Outcome::Refused(_)) => {
                summary.refused += 1;
                *in_a_row = 0;
            }
            Ok(Outcome::Transient { outage }) => {
                summary.transient += 1;
                *in_a_row = if *outage { *in_a_row + 1 } else { 0 };
                if *in_a_row >= FAILURES_IN_A_ROW && self.out_of_reach.insert(connection.app.marketplace) {
                    tracing::error!(
                        alarm = "marketplace_out_of_reach",
                        marketplace = %connection.app.marketplace,
                        "the marketplace cannot be reached; no more of its connections are claimed in this run"
                    );
                }
            }
            Ok(Outcome::Misconfigured(problem)) => {
                summary.misconfigured += 1;
                if self.misconfigured.insert(connection.app.clone()) {
                    tracing::error!(alarm = "configuration_fault", app = %connection.app, problem, "work on this app stops");
                }
            }
            Ok(Outcome::OtherAppKey) => {
                summary.misconfigured += 1;
                tracing::error!(alarm = "configuration_fault", %connection, "its token set was issued for another app key");
            }
            Ok(Outcome::KeepFailed(error)) => {
                summary.errors += 1;
                tracing::error!(alarm = "vault_fault", %connection, %error, "the vault does not keep; claiming stops");
                summary.stopped.get_or_insert(Stop::Vault);
            }
            Ok(Outcome::VaultFault(error)) => {
                summary.errors += 1;
                tracing::error!(alarm = "vault_fault", %connection, %error, "the vault does not give a token set");
                self.vault_failures_in_a_row += 1;
                if self.vault_failures_in_a_row >= FAILURES_IN_A_ROW {
                    summary.stopped.get_or_insert(Stop::Vault);
                }
            }
            Ok(Outcome::DeletionFailed(error)) => {
                summary.errors += 1;
                tracing::error!(alarm = "vault_fault", %connection, %error, "a secret cannot be deleted; the others go on");
            }
            Ok(Outcome::OnlyEvents(_) | Outcome::OnlyWebhooks(_)) => {}
            Ok(Outcome::Healed) => summary.healed += 1,
            Ok(Outcome::Removed) => summary.removed += 1,
            Ok(Outcome::SecretDeleted) => summary.secrets_deleted += 1,
            Ok(Outcome::Skipped(_) | Outcome::Lost | Outcome::NothingFound) => summary.skipped += 1,
            Err(_) => summary.errors += 1,
        }
        self.note_table(outcome.as_ref().err());
        if !self.apps.is_empty() && self.apps.iter().all(|app| self.leaves_alone(app)) {
            self.stop(Stop::Marketplaces);
        }
    }

    fn note_table(&mut self, error: Option<&StoreError>) {
        match error {
            Some(StoreError::Unavailable { .. }) => self.table_failures_in_a_row += 1,
            Some(StoreError::Unreadable { .. }) => {}
            None => self.table_failures_in_a_row = 0,
        }
        if self.table_failures_in_a_row >= FAILURES_IN_A_ROW {
            self.stop(Stop::Table);
        }
    }

    /// Takes note that what is due in a lane could not be read.
    pub(crate) fn record_unread(&mut self, Unread { lane, error }: &Unread) {
        let lane = lane.to_string();
        tracing::error!(lane, %error, "what is due cannot be read; the lane is left out of this run, the others go on");
        self.summary.errors += 1;
    }

    /// Takes note of work that broke off by a panic; its claim runs out by itself.
    pub(crate) fn record_panic(&mut self) {
        tracing::error!(alarm = "panic", "work on a connection broke off");
        self.summary.errors += 1;
    }

    /// The counts.
    pub(crate) fn into_summary(self, ages: Ages) -> Summary {
        let Ages { oldest_due_seconds, lane_stopped_seconds } = ages;
        Summary { oldest_due_seconds, lane_stopped_seconds, ..self.summary }
    }
}

#[cfg(test)]
mod tests;
