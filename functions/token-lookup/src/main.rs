//! The binary `token-lookup`: all of it is in the library of that name.

use std::process::ExitCode;

fn main() -> ExitCode {
    token_lookup::run()
}
