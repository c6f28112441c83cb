//! Temu: the routers with the calls that a token broker needs, and the seller centre's pages on which sellers authorize.
//!
//! Each router listens on a port of its own, for the product tells them apart by host. The seller centre's pages share one
//! more.
//!
//! ```no_run
//! use simulators::temu::{App, Fault, Mall, MallType, Purpose, Region, Route, Router, Seller, Simulator, Trouble, When};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Simulator::start(([127, 0, 0, 1], 0).into()).await?;
//! simulator.add_app(App::new("us-app", "app-secret", Region::Us));
//! simulator.add_seller(Seller::new("ann").with_mall(Mall::new(634418212, MallType::Local)));
//!
//! let token = simulator.issue("us-app", 634418212, Purpose::All)?;
//! simulator.inject(Route::TokenInfo, Fault::new(Trouble::Drop(When::AfterEffect)).times(1));
//! simulator.revoke("us-app", 634418212);
//! # let _ = (token, simulator.router_url(Router::Us), simulator.seller_centre_url()); Ok(()) }
//! ```

mod addresses;
mod answer;
mod app;
mod authorize_page;
mod calls;
mod controls;
mod entrance;
mod grant;
mod information;
mod issuing;
mod mint;
mod open_api;
mod ordered_json;
mod permissions;
mod rate;
mod request;
mod seller;
mod seller_centre;
mod settings;
mod sign;
mod simulator;
mod world;

pub use addresses::Addresses;
pub use answer::code;
pub use app::{App, Region, Router};
pub use calls::{Call, Route};
pub use permissions::{OptionalPermission, Purpose};
pub use seller::{Mall, MallType, Seller};
pub use settings::Settings;
pub use simulator::Simulator;
pub use world::Refusal;

pub use crate::calls::Outcome;
pub use crate::faults::{Complaint, Fault, Trouble, When};
