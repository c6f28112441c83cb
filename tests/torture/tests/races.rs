//! The short size of the races, always from the same seed. `make torture ARGS="--only races"` draws another each time.

use clap::Parser;
use torture::{Part, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn everybody_at_once_costs_one_exchange_each() {
    let settings = Settings::parse_from(["torture", "--only", "races", "--short", "--seed", "1"]);
    let report = Part::Races.run(&settings).await;
    assert!(report.passed(), "{:#?}", report.failures);
}
