//! Simulators of the marketplaces, for tests and for trying the product by hand.
//!
//! Each one is a server on loopback that keeps the marketplace's own side of the story: which
//! codes were used, which tokens are alive, what was called how often. It shares no code with the
//! product, so that a misreading of the protocol cannot hide by being made on both sides.
//!
//! What a marketplace knows and decides is its `World`, without clock or I/O. The modules beside
//! the marketplaces are the stage that all of them play on: listening, logging, going wrong.

pub mod temu;
pub mod tiktok_shop;

mod calls;
mod conduct;
mod faults;
mod html;
mod platform;
mod reply;
mod server;
mod wire;
