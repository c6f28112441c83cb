//! The simulated TikTok Shop as a client sees it through HTTP.

mod authorize_page;
mod client;
mod deliveries;
mod faults;
mod log;
mod notices;
mod open_api;
mod receiver;
mod server;
mod token_host;
mod webhooks;
