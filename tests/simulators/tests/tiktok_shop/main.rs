//! The simulated TikTok Shop as a client sees it through HTTP.

#![allow(clippy::unwrap_used, reason = "the helpers of tests, outside of test functions")]

mod authorize_page;
mod client;
mod faults;
mod log;
mod open_api;
mod server;
mod token_host;
