//! One run: pure bookkeeping over outcomes, which decides what may still be claimed. What lasts longer than a run is in the
//! circuit breakers (`shop_keyring::health`), of which a run sees what they say.

use std::collections::HashMap;

use shop_keyring::{
    connection::due::Lane,
    health::Admission,
    metrics,
    names::{AppKeyPath, ConnectionKey},
    protocol::outcome::Outcome,
    store::StoreError,
};

use crate::{
    pace::{MOST_AT_WORK, Pace},
    publisher::Told,
    queue::{Ages, Unread},
    registrar::Registered,
    summary::{Stop, Summary},
};

/// Failures in a row at the table, or secrets in a row that cannot be read, that end the claiming.
const FAILURES_IN_A_ROW: u32 = 5;

/// How many connections may ask marketplaces at a time until the vault has stored a token set: what a vault that does not
/// costs at most.
const UNPROVEN: usize = 4;

/// One run's state.
#[derive(Debug)]
pub(crate) struct Run {
    /// The apps whose lanes are read.
    apps: HashMap<AppKeyPath, App>,
    table_failures_in_a_row: u32,
    vault_failures_in_a_row: u32,
    concurrency: usize,
    has_kept: bool,
    summary: Summary,
}

/// What a run knows of an app.
#[derive(Debug)]
struct App {
    /// What its breakers say.
    admission: Admission,
    /// Connections that may be under way, halved with each response that the rate limit is reached. At 0 the run is done
    /// with it.
    limit: usize,
    /// Whether its marketplace has accepted or refused a token in this run.
    is_proven: bool,
    has_told: bool,
}

impl Run {
    /// A run over the lanes of these apps, and the chores.
    pub(crate) fn new(apps: impl IntoIterator<Item = AppKeyPath>, concurrency: usize) -> Self {
        let app = |path: AppKeyPath| {
            let limit = if Pace::holds_app(&path) { MOST_AT_WORK } else { concurrency };
            (path, App { admission: Admission::Pass, limit, is_proven: false, has_told: false })
        };
        Self {
            apps: apps.into_iter().map(app).collect(),
            table_failures_in_a_row: 0,
            vault_failures_in_a_row: 0,
            concurrency,
            has_kept: false,
            summary: Summary::default(),
        }
    }

    /// Takes note of what the breakers of each app say now.
    pub(crate) fn see(&mut self, admission: impl Fn(&AppKeyPath) -> Admission) {
        for (path, app) in &mut self.apps {
            app.admission = admission(path);
        }
    }

    /// How many connections may be worked on at a time.
    pub(crate) const fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// How many of them may ask a marketplace.
    pub(crate) const fn limit(&self) -> usize {
        if self.has_kept { self.concurrency } else { UNPROVEN }
    }

    /// How many of one app's connections may be under way: one, until its marketplace has shown that it works and the vault
    /// that it stores.
    pub(crate) fn limit_of(&self, app: &AppKeyPath) -> usize {
        let Some(known) = self.apps.get(app) else { return 0 };
        let is_proven = known.is_proven && (self.has_kept || Pace::holds_app(app));
        match known.admission {
            Admission::Refuse { .. } => 0,
            Admission::Pass if is_proven => known.limit,
            Admission::Pass | Admission::NeedsTurn => known.limit.min(1),
        }
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

    /// Whether to leave this app alone.
    pub(crate) fn leaves_alone(&self, app: &AppKeyPath) -> bool {
        self.limit_of(app) == 0
    }

    /// Whether to leave this lane alone; chores never are.
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
            (Some(Stop::Vault), lane) => *lane == Lane::Chores,
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
                | Outcome::BreakerOpen
                | Outcome::OnlyEvents(_)
                | Outcome::OnlyWebhooks(_))
                | Err(_)
        ) {
            self.vault_failures_in_a_row = 0;
        }
        let is_nothing = matches!(
            outcome,
            Ok(Outcome::Skipped(_) | Outcome::BreakerOpen | Outcome::OnlyEvents(_) | Outcome::OnlyWebhooks(_))
        );
        if !is_nothing {
            let outcome = outcome.as_ref().map_or("table_failed", Outcome::as_str);
            metrics::worked(connection.app.marketplace, outcome);
        }
        let outcome_of_any = match outcome {
            Ok(Outcome::OfEnded(outcome)) => Some(&**outcome),
            outcome => outcome.as_ref().ok(),
        };
        if matches!(outcome_of_any, Some(Outcome::Refreshed | Outcome::Verified | Outcome::Refused(_)))
            && let Some(app) = self.apps.get_mut(&connection.app)
        {
            app.is_proven = true;
        }
        let summary = &mut self.summary;
        match outcome {
            Ok(Outcome::Refreshed) => {
                summary.refreshed += 1;
                self.has_kept = true;
            }
            Ok(Outcome::Verified) => summary.verified += 1,
            Ok(Outcome::Reminded) => summary.reminded += 1,
            Ok(Outcome::OfEnded(outcome)) => {
                self.has_kept |= matches!(**outcome, Outcome::Refreshed);
                summary.count_ended(outcome);
            }
            Ok(Outcome::Refused(_)) => summary.refused += 1,
            Ok(Outcome::Transient) => summary.transient += 1,
            Ok(Outcome::RateLimited) => {
                summary.transient += 1;
                if let Some(app) = self.apps.get_mut(&connection.app) {
                    app.limit /= 2;
                    tracing::warn!(app = %connection.app, left = app.limit, "rate limited: fewer calls at a time");
                }
            }
            Ok(Outcome::Misconfigured(problem)) => {
                summary.misconfigured += 1;
                let app = self.apps.get_mut(&connection.app);
                if app.is_none_or(|app| !std::mem::replace(&mut app.has_told, true)) {
                    tracing::error!(alarm = "configuration_fault", app = %connection.app, problem, "the app cannot be used");
                }
            }
            Ok(Outcome::OtherAppKey) => {
                summary.misconfigured += 1;
                tracing::error!(alarm = "configuration_fault", %connection, "its token set was issued for another app key");
            }
            Ok(Outcome::KeepFailed(error)) => {
                summary.errors += 1;
                tracing::error!(alarm = "vault_fault", %connection, %error, "the vault does not keep a token set");
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
            Ok(Outcome::Skipped(_) | Outcome::BreakerOpen | Outcome::Lost | Outcome::NothingFound) => {
                summary.skipped += 1;
            }
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
        let stopped = self.apps.keys().filter(|app| self.leaves_alone(app)).count();
        let lanes_stopped = u32::try_from(stopped).unwrap_or(u32::MAX);
        Summary { oldest_due_seconds, lane_stopped_seconds, lanes_stopped, ..self.summary }
    }
}

#[cfg(test)]
mod tests;
