//! What must hold when things go wrong, or all come at once: long, random and repeatable, run by `make torture`.
//!
//! Each part is a module with one `run`; whatever it does follows from the [`Settings`], the seed among them, and ends
//! in a [`PartReport`].
//!
//! | Part | What it shows |
//! |---|---|
//! | `kills` | a process killed at any step loses nothing that is not lost at the marketplace |
//! | `races` | overlapping sweeps, lookups, new authorizations and disconnects: one exchange for each connection |
//! | `faults` | every call, at every step of every job, goes wrong in every way |
//! | `load` | minutes of everything at once: no error, and no memory that grows |
//! | `storm` | everybody asks on demand while the vault throttles or is silent, or the token host hangs: nothing is lost, and nobody waits |
//! | `herd` | a fleet that connected in one hour, and one that was cut off for a day, in virtual time |
//! | `verdicts` | fleets whose marketplace refuses many by mistake: no connection is lost, in virtual time |
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::panic,
    reason = "test support: talks to a terminal, counts far below 2^52, and what must not be ends it"
)]

mod faults;
mod herd;
mod kills;
mod load;
mod progress;
mod races;
mod report;
mod sellers;
mod settings;
mod storm;
mod verdicts;
mod words;
mod world;

pub use progress::Progress;
pub use report::{Part, PartReport, print};
pub use settings::Settings;
