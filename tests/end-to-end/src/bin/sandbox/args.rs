//! The command line.

use std::env;

use end_to_end::stack::Ports;

/// The first of twelve ports.
const BASE_PORT: u16 = 8700;

pub(crate) const HELP: &str = "\
Runs the whole keyring on this machine, connects simulated shops, and stays up to be clicked through.

    make sandbox [ARGS=\"OPTIONS\"]

    --once            walk through the main job, then end; not 0 if a step fails
    --no-walk         connect nobody first: up within seconds
    --base-port PORT  listen on PORT and the eleven after it, 8700 to 8711 unless set
                      (or the variable SANDBOX_BASE_PORT)
    --help            this text";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Run(Args),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) once: bool,
    pub(crate) walk: bool,
    pub(crate) base_port: u16,
}

impl Command {
    pub(crate) fn read() -> Result<Self, String> {
        Self::parse(env::args().skip(1), env::var("SANDBOX_BASE_PORT").ok())
    }

    fn parse(mut arguments: impl Iterator<Item = String>, base_port: Option<String>) -> Result<Self, String> {
        let mut args = Args { once: false, walk: true, base_port: BASE_PORT };
        if let Some(port) = base_port.filter(|port| !port.is_empty()) {
            args.base_port = parse_port("SANDBOX_BASE_PORT", &port)?;
        }
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--once" => args.once = true,
                "--no-walk" => args.walk = false,
                "--base-port" => {
                    let port = arguments.next().ok_or("--base-port: the port is missing")?;
                    args.base_port = parse_port("--base-port", &port)?;
                }
                "--help" | "-h" => return Ok(Self::Help),
                other => return Err(format!("{other} is not an option; --help lists them")),
            }
        }
        if args.once && !args.walk {
            return Err("--once and --no-walk: nothing is left to do".into());
        }
        Ok(Self::Run(args))
    }
}

fn parse_port(name: &str, text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| (1024..=65_524).contains(port));
    port.ok_or_else(|| format!("{name}: `{text}` is not a port from 1024 to 65524"))
}

impl Args {
    /// The vendor's web application.
    pub(crate) const fn vendor_port(&self) -> u16 {
        self.base_port + 1
    }

    /// All the others.
    pub(crate) const fn ports(&self) -> Ports {
        Ports {
            gateway: self.base_port,
            tiktok_shop: self.base_port + 2,
            lambda: self.base_port + 3,
            dynamodb: self.base_port + 4,
            secrets_manager: self.base_port + 5,
            temu: self.base_port + 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str], variable: Option<&str>) -> Result<Command, String> {
        Command::parse(arguments.iter().map(|&argument| argument.to_owned()), variable.map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let run = |once, walk, base_port| Ok(Command::Run(Args { once, walk, base_port }));
        assert_eq!(parse(&[], None), run(false, true, 8700));
        assert_eq!(parse(&["--once", "--base-port", "9000"], Some("8800")), run(true, true, 9000));
        assert_eq!(parse(&["--no-walk"], Some("8800")), run(false, false, 8800));
        assert_eq!(parse(&["--help"], None), Ok(Command::Help));
        for (arguments, what) in [
            (&["--twice"][..], "--twice is not an option"),
            (&["--once", "--no-walk"], "nothing is left to do"),
            (&["--base-port"], "is missing"),
            (&["--base-port", "65535"], "is not a port"),
        ] {
            assert!(parse(arguments, None).unwrap_err().contains(what), "{arguments:?}");
        }
    }
}
