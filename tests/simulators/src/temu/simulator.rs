use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::addresses::Addresses;
use super::app::Router;
use super::open_api;
use super::seller_centre;
use super::world::{Shared, World};
use crate::server::Servers;

/// A running simulator. Clones are handles to the same one; it ends with the last of them, or by
/// [`stop`](Self::stop).
#[derive(Clone)]
pub struct Simulator {
    servers: Arc<Servers<World>>,
    addresses: Addresses,
    pub(super) shared: Shared,
}

impl Simulator {
    /// Listens on six ports in a row from `first` on (with port 0, on any free ones): the routers in the order of
    /// [`Router::ALL`], then the seller centre.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn start(first: SocketAddr) -> io::Result<Self> {
        Self::start_at(Addresses::from_first(first)?).await
    }

    /// Listens on these addresses and serves on the current tokio runtime.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn start_at(addresses: Addresses) -> io::Result<Self> {
        let us = TcpListener::bind(addresses.us).await?;
        let eu = TcpListener::bind(addresses.eu).await?;
        let global = TcpListener::bind(addresses.global).await?;
        let pa = TcpListener::bind(addresses.pa).await?;
        let cn = TcpListener::bind(addresses.cn).await?;
        let seller_centre = TcpListener::bind(addresses.seller_centre).await?;

        let shared = Shared::default();
        let servers = Servers::new(shared.clone());
        let serve = |listener, router| servers.serve(listener, open_api::routes(shared.clone(), router));
        let addresses = Addresses {
            us: serve(us, Router::Us)?,
            eu: serve(eu, Router::Eu)?,
            global: serve(global, Router::Global)?,
            pa: serve(pa, Router::Pa)?,
            cn: serve(cn, Router::Cn)?,
            seller_centre: servers.serve(seller_centre, seller_centre::routes(shared.clone()))?,
        };
        Ok(Self { servers: Arc::new(servers), addresses, shared })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What stands for `https://HOST` of a router, without a trailing slash.
    pub fn base_url(&self, router: Router) -> String {
        format!("http://{}", self.addresses.of(router))
    }

    /// Where a router's calls go, path included.
    pub fn router_url(&self, router: Router) -> String {
        format!("{}{}", self.base_url(router), open_api::PATH)
    }

    /// Where the seller centre's pages are, without a trailing slash.
    pub fn seller_centre_url(&self) -> String {
        format!("http://{}", self.addresses.seller_centre)
    }

    /// Ends the servers; once it returns, new connections are refused. Calls under way are answered
    /// first, for a few seconds, except those that hang.
    pub async fn stop(&self) {
        self.servers.stop().await;
    }

    /// The simulator's clock, in Unix seconds.
    pub fn now(&self) -> u64 {
        self.shared.lock().now()
    }

    /// Moves the simulator's clock ahead of the machine's, by so much more.
    pub fn advance(&self, seconds: u64) {
        self.shared.lock().ahead += seconds;
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
