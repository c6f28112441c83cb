//! `make torture`: runs the parts that are asked for and reports. Ends with 1 if something did not hold.

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use torture::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    let mut reports = Vec::new();
    for part in settings.parts() {
        eprintln!("{}, seed {}", part.as_str(), settings.seed);
        let begun = Instant::now();
        let report = part.run(&settings).await;
        reports.push((part, begun.elapsed(), report));
    }
    if torture::print(&settings, &reports) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
