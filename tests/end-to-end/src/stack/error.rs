//! Why a stack does not start, in one line that says what to do.

use std::{fmt, io, path::PathBuf};

/// Why a stack does not start.
#[derive(thiserror::Error)]
pub enum StartError {
    /// A port that was asked for is taken.
    #[error("port {port} ({what}) is taken by another program")]
    PortTaken {
        /// Which part wants it.
        what: &'static str,
        /// The port.
        port: u16,
    },
    /// A server cannot listen.
    #[error("{what} cannot be started: {why}")]
    Server {
        /// Which part.
        what: &'static str,
        /// Why.
        why: io::Error,
    },
    /// A function was not built.
    #[error("{} is not there: run `make test`, or `cargo build --workspace` first", .0.display())]
    NotBuilt(PathBuf),
    /// A function was built before its source was changed.
    #[error("{} is older than {}: run `make test`, or `cargo build --workspace` first", binary.display(), source_file.display())]
    Stale {
        /// The binary.
        binary: PathBuf,
        /// A file that it was built from.
        source_file: PathBuf,
    },
    /// cargo-lambda is not installed.
    #[error("cargo-lambda is not at {}: run `make tools`, or set CARGO_LAMBDA to its path", .0.display())]
    NoCargoLambda(PathBuf),
    /// A process cannot be run.
    #[error("{program} cannot be run: {why}")]
    Process {
        /// Which one.
        program: String,
        /// Why.
        why: io::Error,
    },
    /// cargo-lambda does not listen.
    #[error("cargo-lambda does not listen on port {port}; it says:\n{output}")]
    NoRuntime {
        /// Where it was to listen.
        port: u16,
        /// What it wrote.
        output: String,
    },
}

impl StartError {
    /// The failure of a part to listen on a port.
    pub(crate) fn listening(what: &'static str, port: u16, why: io::Error) -> Self {
        if why.kind() == io::ErrorKind::AddrInUse { Self::PortTaken { what, port } } else { Self::Server { what, why } }
    }
}

/// `unwrap` in a test shall show the line.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
