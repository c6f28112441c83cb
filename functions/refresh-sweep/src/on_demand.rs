//! One connection, for a caller who cannot wait for the schedule.

use std::num::NonZeroU32;

use serde::Serialize;
use shop_keyring::{
    connection::claim::Trigger,
    marketplace::Marketplace,
    protocol::{Protocol, refresh::Outcome},
    store::StoreError,
    vault::{PutPermits, Vault},
};

use crate::event::OnDemand;

/// What came of it. The caller reads the connection to see what it is now.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    outcome: &'static str,
}

/// Refreshes one connection, through the same protocol as the sweep.
pub(crate) async fn refresh<M: Marketplace, V: Vault>(
    protocol: &Protocol<M, V>,
    request: &OnDemand,
) -> Result<Answer, StoreError> {
    let OnDemand { connection, rejected_version } = request;
    let trigger = Trigger::OnDemand { rejected_version: *rejected_version };
    let permits = PutPermits::per_second(NonZeroU32::MIN);
    let outcome = match protocol.work(connection, trigger, &permits).await? {
        Outcome::Refreshed => "refreshed",
        Outcome::Healed => "healed",
        Outcome::Expired => "expired",
        Outcome::Removed => "removed",
        Outcome::NothingFound | Outcome::Skipped(_) => "skipped",
        Outcome::Lost => "lost",
        Outcome::Transient { .. } => "transient",
        Outcome::Refused(refusal) => {
            // The first strike only: a second try on demand is not claimed, the schedule makes it.
            protocol.settle_refusal(&refusal, true).await?;
            "refused"
        }
        Outcome::Misconfigured(problem) => {
            tracing::error!(alarm = "configuration_fault", app = %connection.app, problem, "nothing was spent");
            "misconfigured"
        }
        Outcome::OtherAppKey => {
            tracing::error!(alarm = "configuration_fault", %connection, "its token set was issued for another app key");
            "misconfigured"
        }
        Outcome::VaultFault(error) | Outcome::KeepFailed(error) => {
            tracing::error!(alarm = "vault_fault", %connection, %error, "the vault does not work");
            "vault_fault"
        }
    };
    tracing::info!(%connection, outcome, "refresh on demand");
    Ok(Answer { outcome })
}
