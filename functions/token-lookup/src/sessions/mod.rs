//! Connect sessions: [`open`]ing one, how it went ([`view`]), and the confirmation by the vendor's logged-in backend
//! ([`confirm`]).

pub(crate) mod confirm;
pub(crate) mod failure;
pub(crate) mod open;
mod reconnect;
pub(crate) mod return_url;
pub(crate) mod view;
