//! The whole keyring on one machine, on loopback: the three functions as processes of their own behind cargo-lambda's
//! runtime API, the emulators of AWS, the simulators of TikTok Shop and Temu.
//!
//! | | |
//! |---|---|
//! | [`Stack`] | starts and ends everything; time travel, raw items, sweeps, what the processes wrote |
//! | [`VendorApi`] | the vendor's services: signed requests to the API |
//! | [`Browser`] | the seller: connect page, the marketplace's page, callback, and back; tokens copied and pasted |
//! | [`backend`] | a vendor's web application, for the sandbox |
//! | [`schedule`] | what triggers sweeps there |
//!
//! ```no_run
//! use end_to_end::{Options, Stack};
//! use serde_json::json;
//!
//! # async fn example() {
//! let stack = Stack::start(Options::default()).await.unwrap();
//! let vendor = stack.vendor();
//! let session = vendor.connect_session(json!({ "account_id": "a-17" })).await;
//! let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
//! vendor.confirm(&session.session_id, back.result()).await.expect(200);
//! let token = vendor.token("tiktok-shop/us/seller-1").await.expect(200).json();
//! assert_eq!(token["version"], 1);
//!
//! stack.age(5 * 86_400).await;
//! assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
//! # }
//! ```
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "test support: what is not as expected ends the test, and the sandbox talks to a terminal"
)]

mod answer;
mod aws;
pub mod backend;
mod browser;
mod page;
pub mod schedule;
mod secrets;
pub mod stack;
mod temu;
mod vendor_api;

pub use answer::Answer;
pub use aws::Aws;
pub use browser::{Browser, Returned};
pub use stack::{DueEntry, Function, KeptTokens, Options, Stack, StartError, Table, TemuApp, Webhooks};
pub use temu::{SellerKind, TokenForm};
pub use vendor_api::{ConnectSession, REGION, VendorApi};
