use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::answer::Reply;
use super::calls::Route;
use super::conduct::Shared;
use super::wire::{CuttableListener, Wire};
use super::{authorize_page, open_api, token_host};

/// How long a stop waits for calls under way; a call with a long latency shall not hold up a test.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running simulator. Clones are handles to the same one; it ends with the last of them, or by
/// [`stop`](Self::stop).
#[derive(Clone)]
pub struct Simulator {
    server: Arc<Server>,
    pub(super) shared: Shared,
}

struct Server {
    address: SocketAddr,
    shared: Shared,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Simulator {
    /// Listens on `address` (port 0 picks a free one) and serves on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Shared::default();
        let (stop, mut stopped) = watch::channel(false);

        let service = Router::new()
            .merge(authorize_page::routes())
            .merge(token_host::routes())
            .merge(open_api::routes())
            .fallback(async || Reply::not_found().into_response())
            .with_state(shared.clone())
            .into_make_service_with_connect_info::<Wire>();
        let task = tokio::spawn(async move {
            let serving = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(async move {
                // An error says that the last handle is gone: a reason to end as well.
                let _ = stopped.wait_for(|stop| *stop).await;
            });
            // Documented never to fail.
            let _ = serving.await;
        });

        let server = Server { address, shared: shared.clone(), stop, task: Mutex::new(Some(task)) };
        Ok(Self { server: Arc::new(server), shared })
    }

    /// Where it listens, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Ends the server; once it returns, new connections are refused. Calls under way are answered
    /// first, for a few seconds, except those that hang.
    pub async fn stop(&self) {
        self.server.wind_down();
        let task = self.server.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut task) = task
            && timeout(PATIENCE, &mut task).await.is_err()
        {
            task.abort();
        }
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

impl Server {
    fn wind_down(&self) {
        self.stop.send_replace(true);
        let mut state = self.shared.lock();
        for route in Route::ALL {
            state.faults.clear(route);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.wind_down();
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
