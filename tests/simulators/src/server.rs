use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::conduct::Shared;
use super::platform::Platform;
use super::wire::{CuttableListener, Wire};

/// How long a stop waits for calls under way; a call with a long latency shall not hold up a test.
const PATIENCE: Duration = Duration::from_secs(5);

/// The listeners of one simulator. They end with it, or by [`stop`](Self::stop).
pub(crate) struct Servers<P: Platform> {
    shared: Shared<P>,
    stop: watch::Sender<bool>,
    /// Empty once stopped.
    serving: Mutex<JoinSet<()>>,
}

impl<P: Platform> Servers<P> {
    pub(crate) fn new(shared: Shared<P>) -> Self {
        Self { shared, stop: watch::Sender::new(false), serving: Mutex::default() }
    }

    /// Serves `routes` on the current tokio runtime; gives the address, whose port may have been
    /// left to the machine.
    pub(crate) fn serve(&self, listener: TcpListener, routes: Router) -> io::Result<SocketAddr> {
        let address = listener.local_addr()?;
        let mut stopped = self.stop.subscribe();
        let service = routes.into_make_service_with_connect_info::<Wire>();
        let serving = async move {
            let serving = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(async move {
                // An error says that the last handle is gone: a reason to end as well.
                let _ = stopped.wait_for(|stop| *stop).await;
            });
            // Documented never to fail.
            let _ = serving.await;
        };
        self.serving.lock().unwrap_or_else(PoisonError::into_inner).spawn(serving);
        Ok(address)
    }

    /// Once it returns, new connections are refused. Calls under way are answered first, for a few
    /// seconds, except those that hang.
    pub(crate) async fn stop(&self) {
        self.wind_down();
        let mut serving = std::mem::take(&mut *self.serving.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = async { while serving.join_next().await.is_some() {} };
        if timeout(PATIENCE, ended).await.is_err() {
            serving.shutdown().await;
        }
    }

    fn wind_down(&self) {
        self.stop.send_replace(true);
        self.shared.lock().faults.clear_all();
    }
}

impl<P: Platform> Drop for Servers<P> {
    fn drop(&mut self) {
        self.wind_down();
    }
}
