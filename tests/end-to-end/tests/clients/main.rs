//! The clients of `examples/`: each is executed against the keyring, and the documents show what is really in them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends when something is not as expected"
)]

mod documents;
mod life;
mod overtaken;
mod patience;
mod program;
mod setting;
