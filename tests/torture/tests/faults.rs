//! A sample of the cells, small enough for every run of the tests, always from the same seed.

use clap::Parser;
use torture::{Settings, faults};

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_of_faults_ends_as_the_document_says() {
    let settings = Settings::parse_from(["torture", "--short", "--seed", "1"]);
    let report = faults::run(&settings).await;
    assert!(report.passed(), "{report:#?}");
}
