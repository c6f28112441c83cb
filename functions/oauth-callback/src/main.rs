//! The binary `oauth-callback`: all of it is in the library of that name.

use std::process::ExitCode;

fn main() -> ExitCode {
    oauth_callback::run()
}
