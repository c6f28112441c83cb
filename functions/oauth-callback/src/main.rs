//! `oauth-callback`: what sellers hit. Connect pages, the redirect to the marketplace, and the way back; and what
//! marketplaces post.
//!
//! This file wires; [`connect`] is the way out, [`callback`] the way back, [`temu`] the page to paste tokens, [`finish`]
//! what happens between an authorization and a stored connection, [`pages`] all that a seller reads, [`webhook`] what a marketplace
//! sends. [`problem`] is the one place where what went wrong becomes a page.

mod browser;
mod callback;
mod config;
mod connect;
mod finish;
mod pages;
mod problem;
mod result;
mod router;
mod temu;
mod webhook;

use std::{process::ExitCode, sync::Arc};

use lambda_http::Error;
use shop_keyring::start::start;

use crate::{config::Config, router::Keyring};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    start(Config::read, |config| config.log_level, serve).await
}

async fn serve(config: Config) -> Result<(), Error> {
    let keyring = Arc::new(Keyring::new(config).await?);
    lambda_http::run(router::router(keyring)).await
}
