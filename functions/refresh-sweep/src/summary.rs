//! What a run returns and logs.

use serde::Serialize;
use shop_keyring::protocol::outcome::Outcome;

/// Counts of one run.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// Connections that were taken from their lanes; one that is due for both kinds of work counts twice.
    pub(crate) due: u32,
    /// New token sets obtained and committed.
    pub(crate) refreshed: u32,
    /// Token sets of lost attempts found in the vault and committed.
    pub(crate) healed: u32,
    /// Tokens that their marketplace says work, where they cannot be refreshed.
    pub(crate) verified: u32,
    /// Authorizations of which the vendor was told that they end soon.
    pub(crate) reminded: u32,
    /// Connections taken away: never committed, or never confirmed.
    pub(crate) removed: u32,
    /// Secrets deleted of connections that the vendor has ended.
    pub(crate) secrets_deleted: u32,
    /// Events published.
    pub(crate) published: u32,
    /// Events that the bus did not take; they are tried again in some minutes.
    pub(crate) unpublished: u32,
    /// Connections whose webhooks were registered per shop.
    pub(crate) webhooks_registered: u32,
    /// Connections whose webhooks could not be registered, or were not tried because those of others of the app could not; they
    /// are tried again.
    pub(crate) webhooks_failed: u32,
    /// Failures that may pass.
    pub(crate) transient: u32,
    /// Refusals.
    pub(crate) refused: u32,
    /// Left alone because the vendor's configuration is wrong.
    pub(crate) misconfigured: u32,
    /// Not worked on: somebody else was at it, it was not due after all, a breaker was open, or its webhooks are registered
    /// later.
    pub(crate) skipped: u32,
    /// Failures of our own table or vault.
    pub(crate) errors: u32,
    /// For how many seconds the oldest connection had been due when the run began, those of stopped lanes aside.
    pub(crate) oldest_due_seconds: i64,
    /// The same of the lanes that were stopped.
    pub(crate) lane_stopped_seconds: i64,
    /// Apps whose lanes were stopped when the run ended, by a circuit breaker or by their rate limit.
    pub(crate) lanes_stopped: u32,
    /// Why the run stopped claiming before everything was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stopped: Option<Stop>,
}

impl Summary {
    /// Counts the outcome for a connection that had ended before.
    pub(crate) const fn count_ended(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Refreshed => &mut self.refreshed,
            Outcome::Verified => &mut self.verified,
            Outcome::Healed => &mut self.healed,
            Outcome::Refused(_) => &mut self.refused,
            Outcome::Transient => &mut self.transient,
            _ => &mut self.skipped,
        };
        *count += 1;
    }
}

/// Why a run stopped claiming. With [`Self::Vault`] the chores go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stop {
    /// The Lambda's time no longer covers a claim.
    Deadline,
    /// The vault gave no token set, several times in a row.
    Vault,
    /// The table did not answer.
    Table,
}
