//! The gate before every exchange, explored exhaustively: circuit breakers that several processes share in a table.
//!
//! The product decides: `shop_keyring::health::State::{admission, with_turn, given_back, closed_by, succeeded, failed,
//! asked_to_wait}` are called, not copied. The model adds the surroundings, in the order of `shop_keyring::protocol`: views and
//! reads, conditional writes, turns, calls and puts.
//!
//! # What is modelled
//! - The breakers of one app (its *lane*), of its host and of the vault, passed in this order.
//! - Up to two scheduled runs with up to two exchanges each, and one process on demand. Each process has one view of the
//!   breakers, which is at most ten seconds old when an exchange comes to the gate. A process decides by its view whether there
//!   is something to change. The write itself is conditional: where the table differs from the view, the decision is made again
//!   on what the table holds.
//! - Each write of a breaker is a step of its own, and so are the response of the marketplace and each later put. A process may
//!   die before each of them: in the gate with some of its turns, during the call, after a failed put. Its view dies with it.
//! - A marketplace that is well, does not respond to some calls, rejects the app's configuration, or asks it to wait; a vault
//!   that stores or does not; both change as often as [`Config::changes`] says. A first put that failed is followed by one that
//!   succeeds or fails.
//! - Time moves to the end of the next window, by six seconds, or by a quarter of an hour. An exchange lasts 45 seconds at most;
//!   with [`Config::late`] its response may come at any later time.
//!
//! A *window* is the time from one write of a breaker's end until that end: an opening, or a turn.
//!
//! # The rules
//! - In each window one exchange begins at most, the one that has the turn. Beside it there are only exchanges that came to the
//!   gate before the opening or within ten seconds after it ([`Broken::BeganWhileOpen`]).
//! - Only a call, or a put, that began after the opening closes a breaker ([`Broken::ClosedByOlder`]), and only if its exchange
//!   has written the current window ([`Broken::ClosedByAnother`]).
//! - From one closing of the vault's breaker to the next, at most as many token sets are lost as there may be exchanges under
//!   way, and one more per turn ([`Broken::LostTooMany`]). Token sets that die with their process are not counted.
//! - An app that is misconfigured, and always comes first when a window of the vault ends, keeps no other app from being served
//!   ([`Broken::OtherAppNotServed`]).
//! - From every state, if all is well and no process dies from now on, every breaker is closed after the longest window and one
//!   exchange, whichever process comes to the gate ([`Broken::StaysOpen`]). This includes a turn whose process has died.
//!
//! # What is not
//! Errors of the table: a report that cannot be written is like a process that dies before it. Clocks that differ: a window
//! seems some seconds shorter or longer. A process that is frozen between its turn and its call for longer than the window: the
//! claim allows less. Refused tokens, which tell a breaker the same as accepted ones. Second hosts of a check, which have gates
//! of their own.

mod breakers;
mod check;
mod config;
mod explore;
mod names;
mod quiet;
mod state;
mod steps;
mod work;

pub use check::{explore, shows};
pub use config::{Beginning, Config, Market, Naive};
pub use explore::{Action, Gate, What};
pub use state::{Broken, State};
