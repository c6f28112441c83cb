//! The emulators as their users see them: through AWS's own SDKs, over loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking, its helpers too"
)]

mod clients;
mod contract;
mod dynamodb;
mod faults;
mod gateway;
mod pauses;
mod roles;
mod secrets_manager;
mod verify;
