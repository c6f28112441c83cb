//! The keyring from outside: through HTTP, over the real Lambda runtime API, against emulators and simulators.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends when something is not as expected"
)]

mod audit;
mod breakers;
mod callback;
mod clients;
mod configuration;
mod connect;
mod disconnect;
mod errors;
mod events;
mod fleet;
mod formats;
mod health;
mod hygiene;
mod lanes;
mod leaks;
mod listing;
mod lookup;
mod metrics;
mod moving;
mod on_demand;
mod patch;
mod platform;
mod raw_events;
mod reconnect;
mod refresh;
mod refresh_calls;
mod registry;
mod removal;
mod renewal;
mod restore;
mod restore_between;
mod roles;
mod rotation;
mod rows;
mod session_view;
mod sessions;
mod setting;
mod shared_shops;
mod stack;
mod temu;
mod verify;
mod webhooks;
mod webhooks_per_shop;
