//! The short round of the herd, and that a seed says everything.

use clap::Parser;
use torture::{PartReport, Settings};

async fn herd(more: &[&str]) -> PartReport {
    let settings = ["torture", "--only", "herd", "--short"].iter().chain(more);
    torture::herd::run(&Settings::parse_from(settings)).await
}

#[tokio::test]
async fn nothing_comes_due_all_at_once_and_an_outage_is_made_up_for() {
    let report = herd(&["--seed", "1"]).await;
    assert!(report.passed(), "{:#?}\n{:#?}", report.failures, report.figures);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_figures_on_any_number_of_threads() {
    let run =
        async |seed, threads| herd(&["--connections", "2000", "--seed", seed, "--concurrency", threads]).await.figures;
    let figures = run("7", "1").await;
    assert_eq!(figures, run("7", "3").await);
    assert_ne!(figures, run("8", "1").await);
}
