//! The simulated marketplaces as a client sees them through HTTP.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests, outside of test functions")]

mod temu;
mod tiktok_shop;
