//! The protocol, explored exhaustively: every order in which the steps of several processes can come, with crashes, lost
//! answers and a failing vault at every step, over the product's own decisions.
//!
//! `shop_keyring::connection` decides, here as in production: `claim`, `commit`, `fail`, `refuse`, `defer`, `let_go`,
//! `verdict`, `verify`, `remind`, `claim_for_grant`, `confirm`, `take_note`, `disconnect`, `forget`, `due_at` and `next`
//! are called, not copied. What is modelled is what surrounds them: who reads and writes what in which order (as
//! `shop_keyring::protocol` does), the table, the vault, the marketplace, and time. The checker is stateright, breadth
//! first: a counterexample that it finds is a shortest one.
//!
//! # What is modelled
//! - One connection of a marketplace with refresh. Workers, by schedule or on demand; new authorizations; the vendor's
//!   disconnect and confirmation; the seller who leaves; the marketplace's notices, true or not; the operator, who restores
//!   the item from a backup while nobody is at work.
//! - Each access to something shared is a step of its own. A claim is decided on what was read, and written later on the
//!   condition that nobody has written since; otherwise it is decided anew.
//! - The marketplace under three rotations ([`Rotation`]), with new authorizations that end the old ones or do not.
//! - The end of the first authorization ([`Config::end`]): responses state it, and the marketplace refuses from then on
//!   unless the seller has renewed it, before or after, in the marketplace's own seller center. A notification may
//!   announce an end that is none; reminders follow.
//! - Troubles ([`How`]), as many as [`Config::troubles`] says: a process dies, an answer is lost, an exchange is not
//!   reached, the vault fails, keeps and says that it failed, keeps late, or does not show yet what was put a moment ago.
//! - Time moves by steps to the next time at which something becomes possible. With sound claims nothing is in flight
//!   beyond them ([`SOUND`]); otherwise work may be frozen for ten minutes ([`FROZEN`]). A conditional write may come as
//!   late as it likes in both. Workers' clocks may differ ([`Config::clocks`]).
//! - Whenever nobody is at work, normal running follows: scheduled sweeps without troubles, until it is seen how it ends.
//!
//! # What is not
//! Temu's tokens, which know no refresh; that ended connections are asked again, which is the same refresh days later;
//! refusals by mistake and what other connections meet, which [`verdict`] explores (here another one was accepted just
//! now); the notification of an end that is true, which says nothing that responses do not; accounts; shop pointers;
//! misconfigured apps, which only defer. A lost answer of the table is a death just after the write. Left out of the item,
//! for no decision reads it or none here: `revision` (a process that read before a write decides again, which is its purpose),
//! `failures` (the back-off is the shortest), the texts and times of faults, `updated_at` but of pending items,
//! `verified_at`, `authorized_at`, and, while others are at work, the end of access tokens, which is days away.
//!
//! # Known, and accepted
//! The first four have a test in `tests/known.rs` that shows them.
//! - Who dies between deleting a secret and taking that back, while the seller is connecting anew, leaves the new
//!   connection with a deleted secret. It can be restored for seven days; the sweep's `vault_fault` alarm tells.
//!   [`Config::forgives`] is about this one, about the next, and about restores.
//! - A callback that is frozen between its claim and its Keep for longer than the claim may find that a sweep has
//!   committed what a refresh under the grant before had kept. The seller is told to connect again. Its function's
//!   time-out ends a callback earlier than that.
//! - Two authorizations within the same two seconds cannot be ordered: the one that claims later counts.
//! - A refresh that keeps its token set just after that of a new authorization is the newest in the vault. If the item is
//!   then restored to before both, and nothing was refreshed since, the refresh's is taken, and may be dead.
//! - A seller who renews while a refusal at the end is being written is asked again a day later.
//! - Nobody goes back to a token set older than the current one, even if the marketplace should take it still.
//!
//! # How to read a counterexample
//! A line for each thing that happens: when, in seconds; which attempt does which step (`#2 Keep: Dies`), or what happens
//! around it; what the item is afterwards; and what the vault holds: `#2: R3` is refresh token 3 under attempt 2, `dead`
//! if the marketplace does not take it any more. Where a rule breaks only in normal running, the sweeps follow.
//!
//! # Where
//! | | |
//! |---|---|
//! | [`verdict`], `tests/verdict.rs` | a model of its own: when a refusal ends a connection |
//! | [`gate`], `tests/gate.rs` | another one: circuit breakers that several processes share |
//! | `tests/rules.rs` | every rule holds; `make model` also runs the larger ones, which are ignored otherwise |
//! | `tests/naive.rs` | each rule that is left out is missed: the counterexample is found |
//! | `tests/known.rs` | what is known and accepted |
//! | [`Broken`] | the rules |
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    reason = "test support: what is not as expected ends the test, and figures go to the terminal"
)]

mod check;
mod config;
mod explore;
pub mod gate;
mod granting;
mod market;
mod quiet;
mod removal;
mod report;
mod settling;
mod state;
mod vault;
pub mod verdict;
mod worker;
mod write;

pub use check::{Counterexample, explore, find, shows};
pub use config::{Beginning, Config, FROZEN, Naive, SOUND};
pub use explore::{Action, How, Protocol};
pub use market::Rotation;
pub use state::{Broken, State};
