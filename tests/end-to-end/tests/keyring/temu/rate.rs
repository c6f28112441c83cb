//! Temu takes about twenty calls a second of an app, and the vendor's own calls are among them.

use std::time::{Duration, Instant};

use end_to_end::{Function, Options, Stack};
use serde_json::json;
use simulators::temu::{Call, Mall, MallType, Purpose, Seller};

use super::setting::{ROUND, Visit, issue};
use crate::setting::item;

const MALLS: u64 = 40;

/// The most calls in any span of this length since `since`, and how long the last one was in coming. Calls that were
/// started at a steady pace may catch up with each other on a busy machine, but none comes before its time.
fn pace(calls: &[Call], since: Instant, span: Duration) -> (usize, Duration) {
    let arrived: Vec<Instant> = calls.iter().map(|call| call.arrived).filter(|at| *at >= since).collect();
    let within = |first: &Instant| arrived.iter().filter(|at| *at >= first && **at - *first < span).count();
    let busiest = arrived.iter().map(within).max().unwrap_or_default();
    (busiest, arrived.iter().max().map_or(Duration::ZERO, |last| *last - since))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_is_due_at_once_is_checked_at_a_steady_pace() {
    let malls = (0..MALLS).map(|n| Mall::new(7_000 + n, MallType::Local));
    let seller = malls.fold(Seller::new("fleet"), Seller::with_mall);
    let options = Options { temu_sellers: vec![seller], ..Options::default() };
    let stack = Stack::start(options.with_processes(Function::RefreshSweep, 2)).await.unwrap();
    stack.temu().configure(|settings| settings.calls_per_second = None);
    for n in 0..MALLS {
        let visit = Visit::begin(&stack).await;
        let page = visit.paste_local(&issue(&stack, "us", 7_000 + n, Purpose::All)).await.expect(200);
        visit.confirm(&page).await;
    }
    stack.temu().configure(|settings| settings.calls_per_second = Some(20));
    stack.age(ROUND).await;

    // Two partitions side by side.
    let began = Instant::now();
    let half = |index: u8| json!({"partition": {"index": index, "count": 2}});
    let (inputs, mut verified) = ([half(0), half(1)], 0);
    let (one, other) = tokio::join!(stack.invoke_sweep_with(&inputs[0]), stack.invoke_sweep_with(&inputs[1]));
    for swept in [one, other] {
        assert_eq!((&swept["transient"], &swept["errors"]), (&json!(0), &json!(0)), "{swept}");
        verified += swept["verified"].as_u64().unwrap();
    }
    assert_eq!(verified, MALLS, "all of it in one run");
    let (busiest, lasted) = pace(&stack.temu().calls(), began, Duration::from_secs(1));
    assert!(busiest <= 16, "{busiest} calls in a second");
    // One of them has at least half of the malls, and starts four checks a second.
    assert!(lasted >= Duration::from_millis((MALLS / 2 - 1) * 250), "{lasted:?}");

    // A run that is not over when the next one begins: each starts eight checks a second.
    stack.temu().configure(|settings| settings.calls_per_second = None);
    stack.age(ROUND).await;
    let began = Instant::now();
    let (one, other) = tokio::join!(stack.invoke_sweep(), stack.invoke_sweep());
    let verified = |swept: &serde_json::Value| swept["verified"].as_u64().unwrap();
    assert_eq!(verified(&one) + verified(&other), MALLS, "{one} {other}");
    let (busiest, lasted) = pace(&stack.temu().calls(), began, Duration::from_secs(2));
    assert!(busiest <= 2 * 20, "{busiest} calls in two seconds");
    assert!(lasted >= Duration::from_millis((MALLS / 2 - 1) * 125), "{lasted:?}");
    assert_eq!(item(&stack, "temu/us/7000").await["failures"], 0);
}
