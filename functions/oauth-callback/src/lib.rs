//! `oauth-callback`: what sellers hit. Connect pages, the redirect to the marketplace, and the way back; and what
//! marketplaces post.
//!
//! This file wires; [`connect`] is the way out, [`callback`] the way back, [`temu`] the page to paste tokens, [`finish`]
//! what happens between an authorization and a stored connection, [`pages`] all that a seller reads, [`webhook`] what a
//! marketplace sends. [`problem`] is the one place where what went wrong becomes a page.
//!
//! Public are [`run`] for the binary and, for the fuzz targets, what reads outside input.

#![allow(rustdoc::private_intra_doc_links, reason = "its readers are in this repository")]

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
use shop_keyring::{http_event, start::start};
use tower_http::normalize_path::NormalizePath;

pub use crate::{
    browser::{known, known_or_new},
    callback::Answer,
    config::Config,
    connect::back_with_result,
    problem::Problem,
    temu::{Field, Form, Mistake, Offered, SellerKind, clean, offered},
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
    let keyring = Arc::new(Keyring::new(config).await?);
    // A slash at the end of a path makes no difference.
    http_event::serve(NormalizePath::trim_trailing_slash(router::router(keyring))).await
}
