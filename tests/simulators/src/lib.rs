//! Simulators of the marketplaces, for tests and for trying the product by hand.
//!
//! Each one is a server on loopback that keeps the marketplace's own side of the story: which
//! codes were used, which tokens are alive, what was called how often. It shares no code with the
//! product, so that a misreading of the protocol cannot hide by being made on both sides.

pub mod tiktok_shop;
