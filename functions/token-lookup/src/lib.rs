//! `token-lookup`: what the vendor's services call. Tokens, connections, connect sessions.
//!
//! Every request needs an IAM identity in its context; without one it is refused ([`caller`]). What a route does not
//! take is refused before it ([`intake`]). This file wires; a file a route group does the work; [`problem`] is the one
//! place where errors become HTTP, [`code`] lists them all, [`openapi`] is the contract. No marketplace code is linked: a
//! refresh on demand is refresh-on-demand's work ([`refresher`]).
//!
//! Public are [`run`] for the binary and, for the fuzz targets, what reads outside input.

#![allow(rustdoc::private_intra_doc_links, reason = "its readers are in this repository")]

mod apps;
mod caller;
mod code;
mod config;
mod connections;
mod intake;
mod listing;
mod openapi;
mod parameters;
mod paths;
mod problem;
mod refresher;
mod revision;
mod router;
mod serve;
mod sessions;
mod token;
mod views;
mod whole_number;

use std::{process::ExitCode, sync::Arc};

use lambda_http::Error;
use shop_keyring::{http_event, start::start};

pub use crate::{
    code::Code,
    config::Config,
    listing::{Filters, ListRequest, Position},
    paths::is_canonical,
    problem::Problem,
    sessions::return_url::check as check_return_url,
};

use crate::router::Keyring;

/// The function, from its start until the runtime ends it.
///
/// # Panics
/// If the threads for it cannot be had.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub async fn run() -> ExitCode {
    start(Config::read, |config| &config.telemetry, serve).await
}

async fn serve(config: Config) -> Result<(), Error> {
    let keyring = Arc::new(Keyring::new(config).await);
    http_event::serve(router::router(keyring)).await
}
