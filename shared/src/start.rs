//! What the `main` of every function does: read the configuration, begin to log, then serve until the runtime ends it.

use std::{fmt::Display, process::ExitCode};

use tracing::level_filters::LevelFilter;

use crate::{
    config::{ConfigError, from_environment},
    telemetry,
};

/// Starts a function. What is wrong with its environment goes to standard error, a line a variable.
pub async fn start<C, E: Display>(
    read: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<C, ConfigError>,
    log_level: impl FnOnce(&C) -> LevelFilter,
    serve: impl AsyncFnOnce(C) -> Result<(), E>,
) -> ExitCode {
    let config = match read(&from_environment) {
        Ok(config) => config,
        Err(error) => return fail(error),
    };
    telemetry::start(log_level(&config));
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

fn fail(error: impl Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
