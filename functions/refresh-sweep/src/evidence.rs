//! Writes what a run has counted as evidence for and against refusals: every five seconds beside the work, and at the end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use shop_keyring::{marketplace::Marketplace, protocol::Protocol, vault::Vault};
use tokio::task::JoinSet;
use tracing::Instrument;

/// From one write to the next.
const EVERY: Duration = Duration::from_secs(5);

/// The writes of one run.
pub(crate) struct EvidenceWriter<'a, M, V> {
    protocol: &'a Arc<Protocol<M, V>>,
    next_at: Instant,
    writes: JoinSet<()>,
}

impl<'a, M: Marketplace + 'static, V: Vault + 'static> EvidenceWriter<'a, M, V> {
    pub(crate) async fn begin(protocol: &'a Arc<Protocol<M, V>>) -> Self {
        protocol.evidence.begin_run().await;
        // The partitions of the schedule begin together, and write the same items.
        let first = EVERY.mul_f64(rand::random_range(0.5..1.0));
        Self { protocol, next_at: Instant::now() + first, writes: JoinSet::new() }
    }

    /// Waits for the time of the next write.
    pub(crate) async fn is_due(&self) {
        tokio::time::sleep_until(self.next_at.into()).await;
    }

    /// Begins a write, unless one is under way: the work must not wait for the table.
    pub(crate) fn begin_write(&mut self) {
        self.next_at = Instant::now() + EVERY;
        while self.writes.try_join_next().is_some() {}
        if self.writes.is_empty() {
            let protocol = Arc::clone(self.protocol);
            self.writes.spawn(async move { protocol.write_evidence().await }.in_current_span());
        }
    }

    /// Writes what is left, if that can be done by `until`.
    pub(crate) async fn finish(mut self, until: Instant) {
        let writing = async {
            while self.writes.join_next().await.is_some() {}
            self.protocol.write_evidence().await;
        };
        if tokio::time::timeout_at(until.into(), writing).await.is_err() {
            tracing::warn!("the evidence about refusals was not written: the run's time is over");
        }
    }
}
