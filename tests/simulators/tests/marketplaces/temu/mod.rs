//! The simulated Temu as a client sees it through HTTP.

mod authorize_page;
mod client;
mod faults;
mod log;
mod open_api;
mod pages;
mod seller_centre;
mod server;
mod token_create;
