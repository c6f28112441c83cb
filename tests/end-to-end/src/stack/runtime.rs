//! cargo-lambda: the runtime API that functions poll, and the API that invokes them.
//!
//! `--only-lambda-apis` starts no functions of its own: [`Functions`](super::functions::Functions) does. Every process
//! that polls for a function takes one invocation at a time; invocations that find none wait. A process that dies at
//! work leaves its caller waiting until the caller gives up; the others go on.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{StartError, output::Output, process::Process, programs, warden::Warden};

const PATIENCE: Duration = Duration::from_secs(30);

/// Ports for runtimes, below those that systems give out for port 0: between our probe and cargo-lambda's own bind,
/// no server of a test running beside can come to lie there.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;

/// A running cargo-lambda.
#[derive(Debug)]
pub struct Runtime {
    address: SocketAddr,
    _process: Process,
}

impl Runtime {
    /// Starts it and waits until it listens; on port 0 at any free one.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(port: u16, output: &Output, warden: &Arc<Warden>) -> Result<Self, StartError> {
        if port != 0 {
            return Self::start_at(probe(port)?, output, warden).await;
        }
        match Self::start_at(free_port(), output, warden).await {
            // Tests of another checkout may have been quicker at this port.
            Err(StartError::NoRuntime { .. }) => Self::start_at(free_port(), output, warden).await,
            started => started,
        }
    }

    async fn start_at(port: u16, output: &Output, warden: &Arc<Warden>) -> Result<Self, StartError> {
        let program = programs::cargo_lambda()?;
        let mut command = Command::new(program);
        command
            .args(["lambda", "watch", "--only-lambda-apis", "--quiet", "-A", "127.0.0.1", "-P"])
            .arg(port.to_string())
            .current_dir(programs::FUNCTIONS)
            // It asks cargo for the binaries there, and cargo may be rustup's: nothing is to be installed on the way.
            .env("RUSTUP_DIST_SERVER", "http://127.0.0.1:1")
            .env("RUSTUP_UPDATE_ROOT", "http://127.0.0.1:1");
        let mut process = Process::start("cargo-lambda".into(), command, output, warden)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            if process.exit_status().is_some() || deadline < Instant::now() {
                return Err(StartError::NoRuntime { port, output: output.text_of("cargo-lambda") });
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(Self { address, _process: process })
    }

    /// Where functions are invoked.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn probe(port: u16) -> Result<u16, StartError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    bound.map(|_| port).map_err(|why| StartError::listening("lambda", port, why))
}

/// Each process of tests begins somewhere else, and never tries the same port twice.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() * 131 % u32::from(PORTS)).unwrap_or_default();
    let candidates = std::iter::repeat_with(|| {
        let offset = (u32::from(start) + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % u32::from(PORTS);
        FIRST_PORT + u16::try_from(offset).unwrap_or_default()
    });
    let free = candidates.take(usize::from(PORTS)).find(|&port| probe(port).is_ok());
    free.expect("a free port")
}
