//! TikTok Shop: authorization page, token host and the one open API call that a token broker needs.
//!
//! The real platform spreads these over three hosts; here one listener serves all three, so the
//! same base URL is given to the product three times.
//!
//! ```no_run
//! use simulators::tiktok_shop::{App, Fault, Region, Route, Seller, Shop, Simulator, Trouble, When};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Simulator::start(([127, 0, 0, 1], 0).into()).await?;
//! simulator.add_app(App::new("29a39d", "app-secret", "7001", Region::Us));
//! simulator.update_app("29a39d", |app| app.redirect_url = "http://localhost/callback".parse().ok())?;
//! simulator.add_seller(Seller::new("seller-1").with_shop(Shop::new("shop-1", "US")));
//!
//! let callback = simulator.authorize("29a39d", "seller-1", Some("state"))?;
//! simulator.inject(Route::TokenGet, Fault::new(Trouble::Drop(When::AfterEffect)).times(1));
//! # let _ = callback; Ok(()) }
//! ```

mod answer;
mod app;
mod authorize_page;
mod calls;
mod controls;
mod grant;
mod issuing;
mod listing;
mod mint;
mod open_api;
mod seller;
mod settings;
mod sign;
mod simulator;
mod token_host;
mod world;

pub use answer::code;
pub use app::{App, Region};
pub use calls::{Call, Route};
pub use seller::{SHOPS_SCOPE, Seller, SellerType, Shop, UserType};
pub use settings::{Rotation, Settings};
pub use simulator::Simulator;
pub use world::Refusal;

pub use crate::calls::Outcome;
pub use crate::faults::{Complaint, Fault, Trouble, When};
