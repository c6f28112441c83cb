//! Temu takes about twenty calls a second of an app, and the vendor's own calls are among them.

use std::time::{Duration, Instant};

use end_to_end::{Function, Options, Stack};
use serde_json::json;
use simulators::temu::{Call, Mall, MallType, Purpose, Seller};

use super::setting::{ROUND, Visit, issue};
use crate::setting::item;

const MALLS: u64 = 64;

/// The most calls in any one second since `since`.
fn busiest_second(calls: &[Call], since: Instant) -> usize {
    let arrived: Vec<Instant> = calls.iter().map(|call| call.arrived).filter(|at| *at >= since).collect();
    let within =
        |first: &Instant| arrived.iter().filter(|at| *at >= first && **at - *first < Duration::from_secs(1)).count();
    arrived.iter().map(within).max().unwrap_or_default()
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
    let busiest = busiest_second(&stack.temu().calls(), began);
    assert!(busiest <= 12, "{busiest} calls in a second");

    // A run that is not over when the next one begins.
    stack.age(ROUND).await;
    let began = Instant::now();
    let (one, other) = tokio::join!(stack.invoke_sweep(), stack.invoke_sweep());
    let verified = |swept: &serde_json::Value| swept["verified"].as_u64().unwrap();
    assert_eq!(verified(&one) + verified(&other), MALLS, "{one} {other}");
    let busiest = busiest_second(&stack.temu().calls(), began);
    assert!(busiest <= 20, "{busiest} calls in a second");
    assert_eq!(item(&stack, "temu/us/7000").await["failures"], 0);
}
