//! What can come of the work on one connection.

use crate::{
    connection::{Connection, claim::NotClaimed, verdict::Verdict},
    vault::VaultError,
};

/// What came of the work on one connection.
#[derive(Debug)]
pub enum Outcome {
    /// A new token set was obtained and committed.
    Refreshed,
    /// A token set that a lost attempt had kept, or that an item out of a backup did not know of, was found and committed.
    Healed,
    /// A claim had run out, and the vault holds nothing of it.
    NothingFound,
    /// The marketplace says that the token works.
    Verified,
    /// The vendor was told that the authorization ends soon.
    Reminded,
    /// It was never committed or never confirmed, and is gone.
    Removed,
    /// The vendor had ended it, and its secret is deleted.
    SecretDeleted,
    /// There was nothing to do, or not by us.
    Skipped(NotClaimed),
    /// Nothing but its events is left to be seen to: they are for the caller to publish.
    OnlyEvents(Box<Connection>),
    /// Nothing but the webhooks of its shops is left to be registered, by the caller: [`super::Protocol::register_webhooks`].
    OnlyWebhooks(Box<Connection>),
    /// The claim was lost before the work was done; whoever has it goes on.
    Lost,
    /// A circuit breaker is open: nothing was asked, and it stays due.
    BreakerOpen,
    /// The marketplace takes no more calls of the app now: nothing was spent, and it stays due.
    RateLimited,
    /// A failure that may pass.
    Transient,
    /// Refused, and what that means for the connection.
    Refused(Verdict),
    /// The vendor's configuration is wrong; nothing was spent.
    Misconfigured(String),
    /// The token set was issued for another app key than the app has now; nothing was spent.
    OtherAppKey,
    /// The vault did not give a token set.
    VaultFault(VaultError),
    /// The vault did not delete a secret, or did not take a deletion back.
    DeletionFailed(VaultError),
    /// The vault did not keep what an exchange had given.
    KeepFailed(VaultError),
    /// The outcome for a connection that had ended before. It says nothing of those that work.
    OfEnded(Box<Outcome>),
}

impl Outcome {
    /// As it stands in logs and answers.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Refreshed => "refreshed",
            Self::Healed => "healed",
            Self::NothingFound => "nothing_found",
            Self::Verified => "verified",
            Self::Reminded => "reminded",
            Self::Removed => "removed",
            Self::SecretDeleted => "secret_deleted",
            Self::Skipped(_) => "skipped",
            Self::OnlyEvents(_) => "only_events",
            Self::OnlyWebhooks(_) => "only_webhooks",
            Self::Lost => "lost",
            Self::BreakerOpen => "breaker_open",
            Self::RateLimited => "rate_limited",
            Self::Transient => "transient",
            // Nothing else was to be expected.
            Self::Refused(Verdict::Expired) => "expired",
            Self::Refused(_) => "refused",
            Self::Misconfigured(_) => "misconfigured",
            Self::OtherAppKey => "other_app_key",
            Self::VaultFault(_) => "vault_fault",
            Self::DeletionFailed(_) => "deletion_failed",
            Self::KeepFailed(_) => "keep_failed",
            Self::OfEnded(outcome) => match **outcome {
                Self::Refreshed | Self::Verified | Self::Healed => "accepted_again",
                Self::Refused(_) => "refused_again",
                _ => "not_asked_again",
            },
        }
    }
}
