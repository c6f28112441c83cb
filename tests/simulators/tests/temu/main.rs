//! The simulated Temu as a client sees it through HTTP.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests, outside of test functions")]

mod authorize_page;
mod client;
mod faults;
mod log;
mod open_api;
mod pages;
mod seller_centre;
mod server;
mod token_create;
