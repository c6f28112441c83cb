//! What Shop Keyring's functions share.
//!
//! Decisions are pure: [`connection`] says what becomes of a connection, [`connect_session`] of a seller's visit, each
//! marketplace's `answer` module what an answer means. I/O sits at the edges: [`vault`], [`store`], [`marketplace`].
//! [`protocol`] joins them. No HTTP routes here: those belong to the functions, which get their requests through
//! [`http_event`].

pub mod api;
pub mod apps;
pub mod audit;
pub mod aws;
pub mod clock;
pub mod config;
pub mod connect_session;
pub mod connection;
pub mod health;
#[cfg(feature = "http")]
pub mod http_event;
pub mod marketplace;
pub mod metrics;
pub mod names;
#[cfg(feature = "openapi")]
mod openapi;
pub mod protocol;
pub mod registry;
pub mod secret;
pub mod start;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod token_set;
pub mod vault;
