//! TikTok Shop: authorization page, token host, the few open API calls that a token broker needs, and
//! the notices that the platform posts by itself.
//!
//! The real platform spreads the first three over three hosts; here one listener serves all three,
//! so the same base URL is given to the product three times.
//!
//! Notices go to the address that the app registered for the shop and the topic, or else to the app's
//! webhook URL. They are signed with the app's secret, and are posted again for as long as no 200
//! comes back: by themselves when a seller takes an authorization back, and otherwise when a test
//! asks for them, as odd as it likes.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use simulators::tiktok_shop::{App, Fault, Notice, Region, Route, Seller, Shop, Simulator, Trouble, When};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Simulator::start(([127, 0, 0, 1], 0).into()).await?;
//! simulator.add_app(App::new("29a39d", "app-secret", "7001", Region::Us));
//! simulator.update_app("29a39d", |app| app.redirect_url = "http://localhost/callback".parse().ok())?;
//! simulator.add_seller(Seller::new("seller-1").with_shop(Shop::new("shop-1", "US")));
//!
//! let callback = simulator.authorize("29a39d", "seller-1", Some("state"))?;
//! simulator.inject(Route::TokenGet, Fault::new(Trouble::Drop(When::AfterEffect)).times(1));
//!
//! simulator.update_app("29a39d", |app| app.webhook_url = "http://localhost/webhooks".parse().ok())?;
//! let id = simulator.send_notice("29a39d", Notice::deauthorized("shop-1").signed_with("another-secret"))?;
//! assert!(!simulator.delivered(&id, Duration::from_secs(1)).await);
//! # let _ = callback; Ok(()) }
//! ```

mod answer;
mod app;
mod authorize_page;
mod calls;
mod controls;
mod courier;
mod delivery;
mod entrance;
mod grant;
mod issuing;
mod listing;
mod mint;
mod notice;
mod notices;
mod open_api;
mod registrations;
mod request;
mod seller;
mod settings;
mod sign;
mod simulator;
mod token_host;
mod topics;
mod webhooks;
mod withdrawal;
mod world;

pub use answer::code;
pub use app::{App, Region};
pub use calls::{Call, Route};
pub use delivery::{Delivery, Reception};
pub use notice::Notice;
pub use seller::{Inactive, SHOPS_SCOPE, Seller, SellerType, Shop, UserType};
pub use settings::{Expiries, ResponseForm, Rotation, Settings};
pub use simulator::Simulator;
pub use world::Refusal;

pub use crate::calls::Outcome;
pub use crate::faults::{Complaint, Fault, Trouble, When};
