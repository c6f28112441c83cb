//! The binary `refresh-sweep`: all of it is in the library of that name.

use std::process::ExitCode;

fn main() -> ExitCode {
    refresh_sweep::run()
}
