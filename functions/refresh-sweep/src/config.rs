//! What refresh-sweep and refresh-on-demand, one binary, read from the environment.

use std::num::NonZeroU32;

use shop_keyring::{
    config::{ConfigError, Reader},
    telemetry::Telemetry,
};
use url::Url;

use crate::event::InvokedBy;

/// The configuration of refresh-sweep or refresh-on-demand.
#[derive(Debug)]
pub struct Config {
    /// `INVOKED_BY`: `schedule` for refresh-sweep, which it is unless set, `caller` for refresh-on-demand.
    pub(crate) invoked_by: InvokedBy,
    /// `CONNECTIONS_TABLE`
    pub(crate) connections_table: String,
    /// `SECRET_PREFIX`
    pub(crate) secret_prefix: String,
    /// `PUBLIC_BASE_URL`: where oauth-callback is reached, and with it the webhooks that are registered per shop.
    pub(crate) public_base_url: Url,
    /// `SWEEP_CONCURRENCY`: connections worked on at a time, 32 unless set.
    pub(crate) concurrency: NonZeroU32,
    /// `VAULT_PUTS_PER_SECOND`: over all partitions, 30 unless set. Secrets Manager takes 50 a second in a Region.
    pub(crate) puts_per_second: NonZeroU32,
    /// `TEMU_CALLS_PER_SECOND`: for each app over all partitions, 8 unless set. Temu takes about 20 a second of an app,
    /// the vendor's own calls among them, and two runs may overlap.
    pub(crate) temu_calls_per_second: NonZeroU32,
    /// `EVENT_BUS`: the bus that events are published on, by name or ARN; without one none are written.
    pub(crate) event_bus: Option<String>,
    /// `LOG_LEVEL`, `METRICS_NAMESPACE`
    pub(crate) telemetry: Telemetry,
}

impl Config {
    /// Reads and checks all variables.
    ///
    /// # Errors
    /// A line for each that is wrong.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        const CONCURRENCY: NonZeroU32 = NonZeroU32::new(32).unwrap();
        const PUTS: NonZeroU32 = NonZeroU32::new(30).unwrap();
        let mut reader = Reader::new(variable);
        let config = Self {
            invoked_by: invoked_by(&mut reader),
            connections_table: reader.required("CONNECTIONS_TABLE"),
            secret_prefix: reader.secret_prefix(),
            public_base_url: reader.base_url("PUBLIC_BASE_URL"),
            concurrency: reader.positive("SWEEP_CONCURRENCY", CONCURRENCY),
            puts_per_second: reader.positive("VAULT_PUTS_PER_SECOND", PUTS),
            temu_calls_per_second: temu_calls_per_second(&mut reader),
            event_bus: reader.event_bus(),
            telemetry: Telemetry::read(&mut reader),
        };
        reader.finish(config)
    }
}

fn invoked_by(reader: &mut Reader<'_>) -> InvokedBy {
    const NAME: &str = "INVOKED_BY";
    match reader.optional(NAME).as_deref() {
        None | Some("schedule") => InvokedBy::Schedule,
        Some("caller") => InvokedBy::Caller,
        Some(_) => {
            reader.problem(NAME, "must be `schedule` for refresh-sweep or `caller` for refresh-on-demand");
            InvokedBy::Schedule
        }
    }
}

fn temu_calls_per_second(reader: &mut Reader<'_>) -> NonZeroU32 {
    const NAME: &str = "TEMU_CALLS_PER_SECOND";
    const USUAL: NonZeroU32 = NonZeroU32::new(8).unwrap();
    const MOST: u32 = 20;
    let calls = reader.positive(NAME, USUAL);
    if calls.get() > MOST {
        reader.problem(NAME, format_args!("must be {MOST} at most: Temu takes no more of an app"));
    }
    calls
}
