//! `bench-sweep`: how refresh-sweep does with a million connections. See `--help`, and the README's section.
//!
//! [`bed`] starts what a sweep needs, [`rows`] fills it, [`measure`] sweeps it empty, [`lanes`] compares an app's refresh rate
//! with and without a stopped app beside it, [`report`] says what that means.
#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

mod args;
mod bed;
mod emulators_alone;
mod lanes;
mod marketplace;
mod measure;
mod process;
mod report;
mod rows;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Args, Only},
    measure::measure,
    report::Report,
};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args).await {
        Ok(report) => {
            println!("\n{}", report.text());
            if args.check && !report.all_met() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("bench-sweep: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<Report, String> {
    let mut runs = Vec::new();
    if args.measures(Only::Small) {
        runs.push(measure(args, args.small()).await?);
    }
    if args.measures(Only::Large) {
        runs.push(measure(args, args.large()).await?);
    }
    let mut report = Report::new(args, &runs);
    if args.measures(Only::Lanes) {
        report.add_lanes(&lanes::measure(args).await?);
    }
    Ok(report)
}
