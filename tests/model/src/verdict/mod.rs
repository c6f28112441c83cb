//! When a refusal ends a connection, explored exhaustively: the verdict over the evidence of a lane, while its marketplace
//! refuses by mistake.
//!
//! A model of its own beside that of the protocol: one exchange is one response here, and what matters is what the other
//! connections of the app (its *lane*) meet at the same time. The product decides: `claim`, `verdict`, `refuse`, `commit`,
//! `verify`, `Evidence::{note_accepted, note_refused, plus}`, `next_look`, `due_at` and `next` are called, not copied.
//!
//! # What is modelled
//! - One connection under observation and up to six others of its lane, each with an authorization that stands or has ended.
//!   What stands and what the marketplace responds during an incident are independent of each other.
//! - One or two incidents ([`Incident`]) that begin and end at any time. Together they last less than 24 hours by the length
//!   of a claim, because a refusal is written up to that much later than it was given.
//! - Two processes. The observed connection is worked on by the first, the others by either. What a process has counted lies
//!   in its memory; it is written at any later time, counted twice if the table's response is lost, or lost with the process.
//!   The first process reads the table, or reuses what it has read within the last five seconds, or cannot read it.
//! - Time moves to the next time at which the observed connection is due, or by six seconds during the first hour, as often
//!   as [`Config::moments`] says: more than the margin for clocks and than the age of what is read. The second process's
//!   clock may differ ([`Config::clock`]). The others are looked at at any time, but not twice within a quarter of an hour.
//!   The random part of the waits is always the shortest or always the longest.
//! - From each state normal running follows, without incident: until the observed connection works or has ended, and where it
//!   has ended by mistake, until it is asked again.
//!
//! # What is not
//! The vault and the rotation of refresh tokens: a refresh token stays valid although it was accepted. Notifications. Others
//! that end: what follows their first refusal counts in no evidence. Which of the others was accepted: no decision reads it,
//! so they have one name.
//!
//! # Known
//! Each has a test in `tests/verdict.rs` that shows it.
//! - An incident that ends between a refusal and its verdict: the acceptance of another connection is read although it came
//!   after the refusal, so a connection ends whose authorization stands. That is a matter of seconds
//!   ([`Config::ends_between`]).
//! - An incident that pauses is one at the marketplace's whim: another connection that is accepted in the pause speaks
//!   against one that was refused before and after it.
//!
//! Both heal when the connection is asked again a day later.

mod check;
mod config;
mod evidence;
mod explore;
mod look;
mod quiet;
mod state;

pub use check::{explore, shows};
pub use config::{Config, Incident, Lane, Naive};
pub use explore::{Action, Lanes};
pub use look::Read;
pub use state::{Broken, State};
