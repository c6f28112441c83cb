//! `refresh-sweep`, which EventBridge Scheduler invokes each minute, and `refresh-on-demand`, which token-lookup invokes for
//! one connection: one binary, deployed as two functions.
//!
//! No other function spends a refresh token. `INVOKED_BY` says which of the two it is. refresh-on-demand has a reserved
//! concurrency and holds its slot until the new token set is stored, so no more tokens than it has slots are spent and not
//! stored yet, whatever Secrets Manager or the marketplace does. This file wires;
//! [`sweep`] walks the lanes and the chores, [`queue`] says which connection is next, [`run`] decides when to stop,
//! [`on_demand`] works on one connection, [`publisher`] tells the vendor, [`registrar`] registers webhooks,
//! [`shared_items`] exchanges evidence and circuit breakers with other processes, [`fleet`] counts. The line that spends the token is in
//! `shop_keyring::protocol`.
//!
//! Public are [`run`](fn@run) for the binary and, for the fuzz targets, what reads outside input.

#![allow(rustdoc::private_intra_doc_links, reason = "its readers are in this repository")]

mod at_work;
mod bus;
mod config;
mod event;
mod fleet;
mod on_demand;
mod pace;
mod publisher;
mod queue;
mod registrar;
mod run;
mod shared_items;
mod summary;
mod sweep;

use std::{process::ExitCode, sync::Arc};

use aws_sdk_secretsmanager::Client as SecretsManager;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shop_keyring::{
    apps::Apps,
    audit,
    marketplace::{Marketplaces, http},
    metrics,
    protocol::{Protocol, evidence::SharedEvidence, health::SharedHealth, webhooks::RemovalBreaker},
    start::start,
    store::Connections,
    vault::SecretsManagerVault,
};
use tracing::Instrument;

use crate::bus::EventBus;

pub use crate::{
    config::Config,
    event::{Input, InvokedBy, OnDemand, Partition},
};

/// Everything that is built once per execution environment.
struct Keyring {
    config: Config,
    bus: Option<EventBus>,
    protocol: Arc<Protocol<Marketplaces, SecretsManagerVault>>,
}

impl Keyring {
    async fn new(config: Config) -> Result<Self, Error> {
        let aws = shop_keyring::aws::load().await;
        let secrets = SecretsManager::new(&aws);
        let protocol = Arc::new(Protocol {
            marketplace: Marketplaces::new(http::client()?),
            vault: SecretsManagerVault::new(secrets.clone(), &config.secret_prefix),
            connections: Connections::new(&aws, &config.connections_table).recording_events(config.event_bus.is_some()),
            apps: Apps::new(secrets, &config.secret_prefix),
            public_base_url: config.public_base_url.clone(),
            removals: RemovalBreaker::default(),
            evidence: SharedEvidence::default(),
            health: SharedHealth::default(),
        });
        // A refresh on demand only writes events into the item; the schedule publishes them.
        let publishes = config.invoked_by == InvokedBy::Schedule;
        let bus = config.event_bus.as_deref().filter(|_| publishes).map(|name| EventBus::new(&aws, name));
        Ok(Self { config, bus, protocol })
    }

    async fn handle(&self, event: LambdaEvent<serde_json::Value>) -> Result<serde_json::Value, Error> {
        let answer = match Input::parse(self.config.invoked_by, event.payload)? {
            Input::Sweep(partition) => {
                let claims_until = sweep::claims_until(event.context.deadline());
                let summary =
                    sweep::sweep(&self.protocol, self.bus.clone(), &self.config, partition, claims_until).await?;
                serde_json::to_value(summary)?
            }
            Input::OnDemand(request) => {
                serde_json::to_value(Box::pin(on_demand::refresh(&self.protocol, &request)).await?)?
            }
        };
        Ok(answer)
    }
}

/// The function, from its start until the runtime ends it.
///
/// # Panics
/// If the threads for it cannot be had.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub async fn run() -> ExitCode {
    start(Config::read, |config| &config.telemetry, serve).await
}

async fn serve(config: Config) -> Result<(), Error> {
    let keyring = Keyring::new(config).await?;
    let handle = |event: LambdaEvent<_>| {
        let span = tracing::info_span!(target: audit::TARGET, "invocation", request_id = event.context.request_id);
        // On the heap: a sweep's state is large, and every future around it would hold it again.
        let handled = Box::pin(keyring.handle(event).instrument(span));
        async move {
            let answer = handled.await;
            metrics::flush();
            answer
        }
    };
    lambda_runtime::run(service_fn(handle)).await
}
