//! A vendor's web application, small and complete: two customers who can log in, connect sellers, and see how each
//! connection is.
//!
//! What a vendor has to build for the keyring is in three files: `connect` opens the connect sessions, `connected` checks
//! and confirms what the seller brings back, and `connections` lists what belongs to a customer. The others are what any
//! web application has: a login, pages, and a part of a page that renews itself.

mod connect;
mod connected;
mod connection;
mod connections;
mod customer;
mod disconnect;
mod live;
mod login;
mod pages;
mod same_origin;
mod session;
mod token;
mod words;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use emulators::event_bus::EventBus;
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::customer::{ANN, BEN, Customer};
use self::session::Sessions;
use crate::{schedule::Runs, stack::StartError, vendor_api::VendorApi};

/// The running web application. It ends when this is dropped.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// What the handlers share.
#[derive(Debug)]
struct Site {
    vendor: VendorApi,
    runs: Runs,
    event_bus: EventBus,
    return_url: String,
    sessions: Sessions,
}

impl Backend {
    /// Listens on this port of 127.0.0.1. `RETURN_URLS` must allow [`return_url`] of it.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(port: u16, vendor: VendorApi, runs: Runs, event_bus: EventBus) -> Result<Self, StartError> {
        let failed = |why| StartError::listening("vendor", port, why);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let return_url = return_url(address.port());
        let site = Arc::new(Site { vendor, runs, event_bus, return_url, sessions: Sessions::default() });
        let router = router(site);
        let task = tokio::spawn(async move {
            // Documented never to fail.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where sellers return to, for an application on this port.
pub fn return_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/connected")
}

fn router(site: Arc<Site>) -> Router {
    let connection = Router::new()
        .route("/reconnect", post(connect::reconnect))
        .route("/token", get(token::show))
        .route("/disconnect", get(disconnect::ask).post(disconnect::disconnect));
    Router::new()
        .route("/", get(connections::home))
        .route("/live", get(live::live))
        .route("/login", get(login::ask).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/connect", post(connect::connect))
        .route("/connected", get(connected::connected))
        .nest("/connections/{marketplace}/{app}/{seller_id}", connection)
        .route("/style.css", get(pages::style))
        .route("/live.js", get(pages::script))
        .fallback(pages::not_found)
        .layer(middleware::from_fn(same_origin::forms_only_from_here))
        .with_state(site)
}
