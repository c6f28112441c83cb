use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use super::courier::Courier;
use super::world::{Shared, World};
use super::{authorize_page, open_api, token_host};
use crate::reply::Reply;
use crate::server::Servers;

/// A running simulator. Clones are handles to the same one; it ends with the last of them, or by
/// [`stop`](Self::stop).
#[derive(Clone)]
pub struct Simulator {
    servers: Arc<Servers<World>>,
    pub(super) courier: Arc<Courier>,
    address: SocketAddr,
    pub(super) shared: Shared,
}

impl Simulator {
    /// Listens on `address` (port 0 picks a free one) and serves on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound, or notices could not be sent.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let shared = Shared::default();
        let routes = Router::new()
            .merge(authorize_page::routes())
            .merge(token_host::routes())
            .merge(open_api::routes())
            .fallback(async || Reply::not_found().into_response())
            .with_state(shared.clone());
        let courier = Courier::new(shared.clone())?;
        let servers = Servers::new(shared.clone());
        let address = servers.serve(listener, routes)?;
        Ok(Self { servers: Arc::new(servers), courier: Arc::new(courier), address, shared })
    }

    /// Where it listens, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the server; once it returns, new connections are refused. Calls under way are answered
    /// first, for a few seconds, except those that hang. Notices on their way are given up, and
    /// none are sent any more.
    pub async fn stop(&self) {
        self.courier.stop().await;
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
        f.debug_struct("Simulator").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
