//! `token-lookup`: what the vendor's services call. Tokens, connections, connect sessions.
//!
//! Every request needs an IAM identity in its context; without one it is refused ([`caller`]). This file wires; a
//! file a route group does the work; [`problem`] is the one place where errors become HTTP. No marketplace code is
//! linked: a refresh on demand is refresh-sweep's work ([`refresher`]).

mod caller;
mod config;
mod connections;
mod paths;
mod problem;
mod refresher;
mod return_url;
mod router;
mod serve;
mod sessions;
mod token;
mod views;

use std::{process::ExitCode, sync::Arc};

use lambda_http::Error;
use shop_keyring::start::start;

use crate::{config::Config, router::Keyring};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    start(Config::read, |config| config.log_level, serve).await
}

async fn serve(config: Config) -> Result<(), Error> {
    let keyring = Arc::new(Keyring::new(config).await);
    lambda_http::run(router::router(keyring)).await
}
