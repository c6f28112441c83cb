//! The short size of the kills, always from the same seed. `make torture ARGS="--only kills"` plays thousands of rounds.

use clap::Parser;
use torture::{Part, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_leaves_behind_is_healed() {
    let settings = Settings::parse_from(["torture", "--only", "kills", "--short", "--seed", "1"]);
    let report = Part::Kills.run(&settings).await;
    assert!(report.passed(), "{:#?}", report.failures);
}
