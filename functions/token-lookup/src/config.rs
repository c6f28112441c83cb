//! What token-lookup reads from the environment.

use shop_keyring::{
    config::{ConfigError, Reader},
    telemetry::Telemetry,
};
use url::Url;

/// The configuration of token-lookup.
#[derive(Debug)]
pub struct Config {
    /// `CONNECTIONS_TABLE`
    pub(crate) connections_table: String,
    /// `SESSIONS_TABLE`
    pub(crate) sessions_table: String,
    /// `SECRET_PREFIX`
    pub(crate) secret_prefix: String,
    /// `PUBLIC_BASE_URL`: where sellers reach oauth-callback.
    pub(crate) public_base_url: Url,
    /// `RETURN_URLS`: where sellers may be sent back to, separated by commas.
    pub(crate) return_urls: Vec<Url>,
    /// `REFRESH_FUNCTION`: name or ARN of refresh-on-demand.
    pub(crate) refresh_function: String,
    /// `EVENT_BUS`: what the vendor is to be told of a change is written only if there is a bus to publish it on.
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
        let mut reader = Reader::new(variable);
        let config = Self {
            connections_table: reader.required("CONNECTIONS_TABLE"),
            sessions_table: reader.required("SESSIONS_TABLE"),
            secret_prefix: reader.secret_prefix(),
            public_base_url: reader.base_url("PUBLIC_BASE_URL"),
            return_urls: reader.urls("RETURN_URLS"),
            refresh_function: reader.required("REFRESH_FUNCTION"),
            event_bus: reader.event_bus(),
            telemetry: Telemetry::read(&mut reader),
        };
        reader.finish(config)
    }
}
