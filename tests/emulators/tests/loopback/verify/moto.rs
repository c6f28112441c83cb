//! moto's server as a child process.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

const START_UP: Duration = Duration::from_secs(30);

/// Runs until it is stopped or dropped.
pub(crate) struct Moto {
    address: SocketAddr,
    process: Child,
}

impl Moto {
    /// Panics if moto is not installed.
    pub(crate) async fn start() -> Self {
        let program = std::env::var_os("MOTO_SERVER").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/verify/bin/moto_server")),
            PathBuf::from,
        );
        assert!(program.is_file(), "{} is missing: run `scripts/tools.sh verify`", program.display());
        let address = free_address();
        let mut process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("moto_server starts");
        let deadline = Instant::now() + START_UP;
        while TcpStream::connect(address).await.is_err() {
            assert!(process.try_wait().unwrap().is_none(), "moto_server has ended");
            assert!(Instant::now() < deadline, "moto_server does not listen after {START_UP:?}");
            sleep(Duration::from_millis(50)).await;
        }
        Self { address, process }
    }

    /// Unlike dropping it, leaves no zombie.
    pub(crate) async fn stop(mut self) {
        self.process.kill().await.expect("moto_server can be killed");
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Below the ports that systems give out for port 0: no server of a test running beside can come to lie there.
fn free_address() -> SocketAddr {
    let start = std::process::id() * 131;
    let ports = (0..12_000).map(|n| 20_000 + u16::try_from((start + n) % 12_000).unwrap());
    let mut addresses = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    addresses.find(|address| TcpListener::bind(address).is_ok()).expect("a free port")
}
