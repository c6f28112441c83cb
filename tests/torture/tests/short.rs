//! Each part in its short size, always from the same seed. `make torture` runs them at length.

use clap::Parser;
use torture::{Part, PartReport, Settings};

async fn short(part: Part, more: &[&str]) -> PartReport {
    let settings = Settings::parse_from(["torture", "--only", part.as_str(), "--short"].iter().chain(more));
    part.run(&settings).await
}

async fn passes(part: Part) {
    let report = short(part, &["--seed", "1"]).await;
    assert!(report.passed(), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_leaves_behind_is_recovered() {
    passes(Part::Kills).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_callers_cost_one_exchange_per_connection() {
    passes(Part::Races).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_of_faults_ends_as_the_document_says() {
    passes(Part::Faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_seconds_of_load_bring_no_error() {
    passes(Part::Load).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_refreshes_on_demand_loses_nothing_and_slows_nobody_down() {
    passes(Part::Storm).await;
}

#[tokio::test]
async fn connections_do_not_come_due_all_at_once_and_recover_from_an_outage() {
    passes(Part::Herd).await;
}

#[tokio::test]
async fn a_marketplace_that_refuses_by_mistake_costs_no_connection() {
    passes(Part::Verdicts).await;
}

#[tokio::test]
async fn the_same_seed_gives_the_same_figures_on_any_number_of_threads() {
    let run = async |seed, threads| {
        short(Part::Herd, &["--connections", "2000", "--seed", seed, "--concurrency", threads]).await.figures
    };
    let figures = run("7", "1").await;
    assert_eq!(figures, run("7", "3").await);
    assert_ne!(figures, run("8", "1").await);
}
