//! The command line.

use std::num::NonZeroU32;

use clap::{Parser, ValueEnum};

/// Measures refresh-sweep at scale on this machine: the release binary as a process of its own behind cargo-lambda's
/// runtime API, the tables and the vault emulated, a marketplace that takes its time. Most figures are ratios within
/// one run, so that they mean the same on any machine.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench-sweep", version)]
pub(crate) struct Args {
    /// Connections in the table.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(10..=9_999_999))]
    pub(crate) rows: u32,
    /// How many of them are due, spread over all.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(10..))]
    pub(crate) due: u32,
    /// `SWEEP_CONCURRENCY`: connections that are worked on at a time. More than the machine can serve makes the
    /// machine the measure: see the last lines of the report.
    #[arg(long, default_value = "48")]
    pub(crate) concurrency: NonZeroU32,
    /// Milliseconds that the marketplace takes for each call.
    #[arg(long, default_value_t = 300)]
    pub(crate) latency: u32,
    /// Part `lanes`: overdue connections of the stopped app.
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(10..=9_999_999))]
    pub(crate) stopped: u32,
    /// Part `lanes`: rounds, each measured once without the stopped app's connections and once beside them.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Measure one part only. Otherwise the two tables are measured and compared.
    #[arg(long)]
    pub(crate) only: Option<Only>,
    /// End with status 1 if an aim is missed.
    #[arg(long)]
    pub(crate) check: bool,
}

/// One part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// The whole table.
    Large,
    /// A table with a tenth of the rows, a tenth of them due.
    Small,
    /// A healthy app with 1,000 due connections, alone and beside an app that is stopped and has very many.
    Lanes,
}

/// A table to be swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) rows: u32,
    pub(crate) due: u32,
}

impl Args {
    /// Whether this part is measured: `lanes` only if it is named.
    pub(crate) fn measures(&self, part: Only) -> bool {
        self.only.map_or(part != Only::Lanes, |only| only == part)
    }

    pub(crate) fn large(&self) -> Scale {
        Scale { rows: self.rows, due: self.due.min(self.rows) }
    }

    pub(crate) fn small(&self) -> Scale {
        let Scale { rows, due } = self.large();
        Scale { rows: rows / 10, due: (due / 10).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_in_order() {
        Args::command().debug_assert();
        let args = Args::parse_from(["bench-sweep", "--rows", "5000", "--due", "600", "--only", "small"]);
        assert_eq!(args.small(), Scale { rows: 500, due: 60 });
        assert_eq!([Only::Large, Only::Small, Only::Lanes].map(|part| args.measures(part)), [false, true, false]);
        let all = Args::parse_from(["bench-sweep"]);
        assert_eq!([Only::Large, Only::Small, Only::Lanes].map(|part| all.measures(part)), [true, true, false]);
    }
}
