//! One connection, for a caller who cannot wait for the schedule.

use std::num::NonZeroU32;

use serde::Serialize;
use shop_keyring::{
    connection::claim::Trigger,
    marketplace::Marketplace,
    metrics,
    protocol::{Protocol, outcome::Outcome},
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
    let worked = protocol.work(connection, None, trigger, &permits).await;
    if !matches!(worked, Ok(Outcome::Skipped(_) | Outcome::BreakerOpen)) {
        let outcome = worked.as_ref().map_or("table_failed", Outcome::as_str);
        metrics::worked(connection.app.marketplace, outcome);
    }
    let outcome = worked?;
    match &outcome {
        Outcome::Misconfigured(problem) => {
            tracing::error!(alarm = "configuration_fault", app = %connection.app, problem, "nothing was spent");
        }
        Outcome::OtherAppKey => {
            tracing::error!(alarm = "configuration_fault", %connection, "its token set was issued for another app key");
        }
        Outcome::VaultFault(error) | Outcome::KeepFailed(error) | Outcome::DeletionFailed(error) => {
            tracing::error!(alarm = "vault_fault", %connection, %error, "the vault does not work");
        }
        _ => {}
    }
    Ok(Answer { outcome: outcome.as_str() })
}
