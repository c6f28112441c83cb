//! What a run shares with all other processes: every five seconds beside the work it writes what it has counted as evidence for
//! and against refusals, and reads the circuit breakers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use shop_keyring::{health::Breaker, marketplace::Marketplace, protocol::Protocol, vault::Vault};
use tokio::task::JoinSet;
use tracing::Instrument;

/// From one time to the next.
const EVERY: Duration = Duration::from_secs(5);

/// The exchange of one run with the shared items.
pub(crate) struct SharedItems<'a, M, V> {
    protocol: &'a Arc<Protocol<M, V>>,
    breakers: Arc<[Breaker]>,
    next_at: Instant,
    exchanges: JoinSet<()>,
}

impl<'a, M: Marketplace + 'static, V: Vault + 'static> SharedItems<'a, M, V> {
    /// `breakers`: all that the run's lanes have to do with. They were read just now.
    pub(crate) async fn begin(protocol: &'a Arc<Protocol<M, V>>, breakers: Vec<Breaker>) -> Self {
        protocol.evidence.begin_run().await;
        // The partitions of the schedule begin together, and write the same items.
        let first = EVERY.mul_f64(rand::random_range(0.5..1.0));
        Self { protocol, breakers: breakers.into(), next_at: Instant::now() + first, exchanges: JoinSet::new() }
    }

    /// Waits for the next time.
    pub(crate) async fn is_due(&self) {
        tokio::time::sleep_until(self.next_at.into()).await;
    }

    /// Begins an exchange, unless one is under way: the work must not wait for the table.
    pub(crate) fn begin_exchange(&mut self) {
        self.next_at = Instant::now() + EVERY;
        while self.exchanges.try_join_next().is_some() {}
        if self.exchanges.is_empty() {
            let (protocol, breakers) = (Arc::clone(self.protocol), Arc::clone(&self.breakers));
            let exchange = async move {
                tokio::join!(protocol.write_evidence(), read_health(&protocol, &breakers));
            };
            self.exchanges.spawn(exchange.in_current_span());
        }
    }

    /// Writes what is left, if that can be done by `until`.
    pub(crate) async fn finish(mut self, until: Instant) {
        let writing = async {
            while self.exchanges.join_next().await.is_some() {}
            self.protocol.write_evidence().await;
        };
        if tokio::time::timeout_at(until.into(), writing).await.is_err() {
            tracing::warn!("the evidence about refusals was not written: the run's time is over");
        }
    }
}

async fn read_health<M, V>(protocol: &Protocol<M, V>, breakers: &[Breaker]) {
    if let Err(error) = protocol.health.read(&protocol.connections, breakers).await {
        tracing::warn!(%error, "the circuit breakers cannot be read");
    }
}
