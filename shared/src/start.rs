//! What the `main` of every function does: read the configuration, begin to log, then serve until the runtime ends it.

use std::{fmt::Display, process::ExitCode};

use crate::{
    config::{ConfigError, from_environment},
    telemetry::{self, Telemetry},
};

/// Starts a function. What is wrong with its environment goes to standard error, a line a variable.
pub async fn start<C, E: Display>(
    read: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<C, ConfigError>,
    telemetry: impl FnOnce(&C) -> &Telemetry,
    serve: impl AsyncFnOnce(C) -> Result<(), E>,
) -> ExitCode {
    let config = match read(&from_environment) {
        Ok(config) => config,
        Err(error) => return fail(error),
    };
    telemetry::start(telemetry(&config));
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

fn fail(error: impl Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
