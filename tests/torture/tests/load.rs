//! The short load, always from the same seed.

use clap::Parser;
use torture::{Settings, load};

#[tokio::test(flavor = "multi_thread")]
async fn ten_seconds_of_everything_bring_no_error() {
    let settings = Settings::parse_from(["torture", "--short", "--seed", "1"]);
    let report = load::run(&settings).await;
    assert!(report.passed(), "{report:#?}");
}
