//! What Shop Keyring's functions share.
//!
//! Decisions are pure and live in [`connection`] (what becomes of a connection) and in each marketplace's `answer`
//! module (what an answer means). I/O sits at the edges: [`vault`], [`store`], [`marketplace`]. [`refresh`] and
//! [`new_grant`] join them into the protocol. No HTTP routes and no Lambda events: those belong to the functions.

pub mod connection;
pub mod names;
pub mod secret;
pub mod time;
pub mod token_set;
