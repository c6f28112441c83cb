//! The second marketplace: tokens that sellers paste or come for by code, and the watch over what cannot be refreshed.

mod code;
mod code_malls;
mod code_trouble;
mod form;
mod fully_managed;
mod hostile;
mod installations;
mod leaks;
mod lookup;
mod mistakes;
mod not_the_seller;
mod partitions;
mod paste;
mod rate;
mod reconnect;
mod reminders;
pub(crate) mod setting;
mod stores;
mod watch;
mod watch_trouble;
