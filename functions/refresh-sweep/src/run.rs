//! The breakers of one run: pure bookkeeping over outcomes, which decides what may still be claimed.

use std::collections::{HashMap, HashSet};

use shop_keyring::{
    metrics,
    names::{AppKeyPath, ConnectionKey, MarketplaceName},
    protocol::outcome::Outcome,
    store::StoreError,
};

use crate::{
    publisher::Told,
    registrar::Registered,
    summary::{Stop, Summary},
};

/// Failures in a row at one marketplace, at the table or at the vault that end the claiming there: an outage must not
/// burn every connection's back-off.
const FAILURES_IN_A_ROW: u32 = 5;

/// One run's state.
#[derive(Debug)]
pub(crate) struct Run {
    /// The registry's apps and those of due connections, and whether each is misconfigured.
    apps: HashMap<AppKeyPath, bool>,
    failures_in_a_row: HashMap<MarketplaceName, u32>,
    out_of_reach: HashSet<MarketplaceName>,
    table_failures_in_a_row: u32,
    vault_failures_in_a_row: u32,
    concurrency: usize,
    has_kept: bool,
    summary: Summary,
}

impl Run {
    /// A run over these apps.
    pub(crate) fn new(apps: impl Iterator<Item = AppKeyPath>, concurrency: usize, oldest_due_seconds: i64) -> Self {
        Self {
            apps: apps.map(|app| (app, false)).collect(),
            failures_in_a_row: HashMap::new(),
            out_of_reach: HashSet::new(),
            table_failures_in_a_row: 0,
            vault_failures_in_a_row: 0,
            concurrency,
            has_kept: false,
            summary: Summary { oldest_due_seconds, ..Summary::default() },
        }
    }

    /// How many connections may be worked on at a time: one, until the vault has shown that it keeps. A vault that
    /// does not costs one refresh token then, not thirty-two.
    pub(crate) const fn limit(&self) -> usize {
        if self.has_kept { self.concurrency } else { 1 }
    }

    /// Takes note that a connection was taken from the due index; false if a breaker says to leave it alone.
    pub(crate) fn admit(&mut self, connection: &ConnectionKey) -> bool {
        self.summary.due += 1;
        self.apps.entry(connection.app.clone()).or_default();
        let admitted = !self.leaves_alone(&connection.app);
        self.summary.skipped += u32::from(!admitted);
        admitted
    }

    /// Takes note that a connection was taken from the due index only for what no breaker stops: its events, its
    /// webhooks, or the deletion of its secret.
    pub(crate) const fn admit_unclaimed(&mut self) {
        self.summary.due += 1;
    }

    /// Whether the run was stopped with something due that was not taken, by what is no hindrance to its events.
    pub(crate) const fn leaves_events(&self) -> bool {
        matches!(self.summary.stopped, Some(Stop::Marketplaces | Stop::Vault))
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
        self.out_of_reach.contains(&app.marketplace)
            || self.apps.get(app).is_some_and(|is_misconfigured| *is_misconfigured)
    }

    /// Takes note that admitted connections are left as they are: no room, no time, or a breaker.
    pub(crate) fn leave(&mut self, connections: usize) {
        let connections = u32::try_from(connections).unwrap_or(u32::MAX);
        self.summary.skipped = self.summary.skipped.saturating_add(connections);
    }

    /// Whether to go on claiming.
    pub(crate) fn goes_on(&mut self) -> bool {
        if !self.apps.is_empty() && self.apps.keys().all(|app| self.leaves_alone(app)) {
            self.stop(Stop::Marketplaces);
        }
        self.summary.stopped.is_none()
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
        let is_misconfigured = self.apps.entry(connection.app.clone()).or_default();
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
                if !std::mem::replace(is_misconfigured, true) {
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

    /// Takes note that the due index could not be read: nothing more can be claimed.
    pub(crate) fn record_unread_index(&mut self, error: &StoreError) {
        tracing::error!(%error, "the due index cannot be read; claiming stops");
        self.summary.errors += 1;
        self.stop(Stop::Table);
    }

    /// Takes note of work that broke off by a panic; its claim runs out by itself.
    pub(crate) fn record_panic(&mut self) {
        tracing::error!(alarm = "panic", "work on a connection broke off");
        self.summary.errors += 1;
    }

    /// The counts.
    pub(crate) fn into_summary(self) -> Summary {
        self.summary
    }
}

#[cfg(test)]
mod tests;
