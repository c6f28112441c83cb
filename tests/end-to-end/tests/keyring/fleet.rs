//! The hourly count of the fleet: as the connections stand in the table, in slices, and no run the worse for it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Function, Options, Stack, stack::Table};
use serde_json::{Value, json};
use shop_keyring::{
    connection::{Connection, Reason, Status, due},
    time::Timestamp,
};

use crate::{
    metrics::Metrics,
    rows::{import, row},
    setting::{DUE, connected},
};

const LISTING: &str = "connections/index/listing";

/// More than a page of a shard.
const MANY: usize = 2_600;

/// Sets the table's clock to so many seconds after an hour.
fn set_clock(stack: &Stack, seconds: i64) {
    stack.dynamodb().set_clock_offset(seconds - Timestamp::local_now().0.rem_euclid(3_600));
}

/// Marketplace and status.
type Place = (&'static str, &'static str);

fn places() -> impl Iterator<Item = Place> {
    ["tiktok-shop", "temu"].into_iter().flat_map(|marketplace| Status::NAMES.map(|status| (marketplace, status)))
}

/// What the metric says: each of its values, in the order of the log.
fn written(stack: &Stack) -> BTreeMap<Place, Vec<Value>> {
    let metrics = Metrics::of(stack);
    let values = places().map(|(marketplace, status)| {
        let place = [("Marketplace", marketplace), ("Status", status)];
        ((marketplace, status), metrics.values("Connections", &place))
    });
    values.filter(|(_, values)| !values.is_empty()).collect()
}

/// What the table says.
async fn stored(stack: &Stack) -> BTreeMap<Place, u32> {
    let items = stack.items(Table::Connections).await;
    let count = |(marketplace, status): Place| {
        let is_there = |item: &&Value| {
            let name = item["connection"].as_str().unwrap();
            name.split('/').next() == Some(marketplace) && item["status"] == status
        };
        ((marketplace, status), items.iter().filter(is_there).count().try_into().unwrap())
    };
    places().map(count).collect()
}

/// Of one marketplace some in every status, of the other so many in one shard.
fn fleet() -> Vec<Connection> {
    let confirm_by = Some(Timestamp::local_now().plus(2 * 3_600));
    let in_shard_3 = |name: &String| due::shard(&name.parse().unwrap()) == 3;
    let many = (0..).map(|n| format!("temu/eu/many-{n:06}")).filter(in_shard_3).take(MANY);
    let mut rows: Vec<_> = many.map(|name| row(&name, Some("acme"))).collect();
    for (status, count) in [
        (Status::Pending, 2),
        (Status::Active, 40),
        (Status::ReauthorizationRequired { reason: Reason::Deauthorized }, 3),
        (Status::Disconnected, 5),
    ] {
        rows.extend((0..count).map(|n| {
            let name = format!("tiktok-shop/us/{}-{n}", status.as_str().replace('_', "-"));
            Connection { status, confirm_by, ..row(&name, Some("acme")) }
        }));
    }
    rows
}

fn pages(stack: &Stack) -> u64 {
    stack.dynamodb().front().queries_on(LISTING)
}

/// A page for each shard; one shard of [`fleet`] has two.
const PAGES: u64 = 2 * 16 + 1;

async fn assert_counted_once(stack: &Stack) {
    stack.stop_functions();
    let stored = stored(stack).await;
    let some = [("temu", "active"), ("temu", "pending"), ("tiktok-shop", "active"), ("tiktok-shop", "disconnected")];
    assert_eq!(some.map(|place| stored[&place]), [2_600, 0, 40, 5]);
    let expected: BTreeMap<_, _> =
        stored.into_iter().map(|(place, count)| (place, vec![json!(f64::from(count))])).collect();
    assert_eq!(written(stack), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_partition_counts_once_an_hour() {
    let stack = Stack::start(Options::default()).await.unwrap();
    import(&stack, &fleet());
    set_clock(&stack, 1_800);
    stack.invoke_sweep_with(&json!({ "partition": { "index": 1, "count": 2 } })).await;
    assert_eq!(pages(&stack), 0, "another partition does not count");
    let swept = stack.invoke_sweep_with(&json!({ "partition": { "index": 0, "count": 2 } })).await;
    assert_eq!((&swept["due"], &swept["errors"]), (&json!(0), &json!(0)), "{swept}");
    assert_eq!(pages(&stack), PAGES);
    set_clock(&stack, 3_000);
    stack.invoke_sweep().await;
    assert_eq!(pages(&stack), PAGES, "the next round begins at the full hour");
    assert_counted_once(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_goes_on_where_a_slice_ended() {
    // Two pages of so much are more than a slice.
    const SLOW: Duration = Duration::from_millis(2_500);
    let stack = Stack::start(Options::default()).await.unwrap();
    import(&stack, &fleet());
    set_clock(&stack, 1_800);
    let slow = AwsFault::new(FaultKind::Latency(SLOW)).on("Query");
    let slow = slow.when(|call| call.resource.as_deref() == Some(LISTING)).always();
    let slow = stack.dynamodb().front().inject(slow);
    let began = Instant::now();
    stack.invoke_sweep().await;
    assert!(began.elapsed() < Duration::from_secs(6), "no run waits longer: {:?}", began.elapsed());
    slow.clear();
    let round = stack.item("count/fleet").await.unwrap();
    assert_eq!((&round["position"]["shard"], &round["completed_at"]), (&json!(1), &Value::Null), "{round}");
    // A failed slice leaves the round as it was.
    let denied = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("Query").after(3);
    let denied = denied.when(|call| call.resource.as_deref() == Some(LISTING)).always();
    let denied = stack.dynamodb().front().inject(denied);
    stack.invoke_sweep().await;
    denied.clear();
    assert_eq!(stack.item("count/fleet").await.unwrap(), round);
    let before = pages(&stack);
    stack.invoke_sweep().await;
    assert_eq!(pages(&stack) - before, PAGES - 1, "without the first page");
    assert_counted_once(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_count_each_connection_once() {
    let stack = Stack::start(Options::default().with_processes(Function::RefreshSweep, 2)).await.unwrap();
    import(&stack, &fleet());
    set_clock(&stack, 1_800);
    let slow = AwsFault::new(FaultKind::Latency(Duration::from_secs(1))).on("Query");
    stack.dynamodb().front().inject(slow.when(|call| call.resource.as_deref() == Some(LISTING)).times(2));
    let (one, other) = tokio::join!(stack.invoke_sweep(), stack.invoke_sweep());
    assert_eq!((&one["errors"], &other["errors"]), (&json!(0), &json!(0)));
    assert_eq!(pages(&stack), 2 * PAGES, "both have walked");
    assert_counted_once(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marketplace_that_is_not_set_up_is_counted_where_it_has_connections() {
    let options = Options { temu_apps: BTreeMap::new(), ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    set_clock(&stack, 5);
    stack.invoke_sweep().await;
    import(&stack, &[row("temu/eu/1", None)]);
    set_clock(&stack, 3_605);
    stack.invoke_sweep().await;
    stack.stop_functions();
    let written = written(&stack);
    assert_eq!(written[&("tiktok-shop", "active")], [json!(0.0), json!(0.0)]);
    assert_eq!(written[&("temu", "active")], [json!(1.0)]);
    assert_eq!(written.get(&("temu", "pending")), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_fails_is_a_line_in_the_log_and_no_more() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    // As with a role that was made for an earlier release.
    let denied = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("Query");
    let denied = denied.when(|call| call.resource.as_deref() == Some(LISTING)).always();
    stack.dynamodb().front().inject(denied);
    set_clock(&stack, 5);
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["errors"]), (&json!(1), &json!(0)), "{swept}");
    assert_eq!(swept.get("stopped"), None, "{swept}");
    stack.stop_functions();
    assert!(written(&stack).is_empty());
    let output = stack.output_of(Function::RefreshSweep);
    let lines: Vec<Value> =
        output.lines().filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok()).collect();
    let told: Vec<_> = lines.iter().filter(|line| line["message"] == "the fleet was not counted").collect();
    assert_eq!(told.len(), 1, "{output}");
    assert_eq!(told[0]["level"], "WARN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_count_holds_no_refresh_up() {
    const SLOW: Duration = Duration::from_secs(1);
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    let slow = AwsFault::new(FaultKind::Latency(SLOW)).on("Query");
    stack.dynamodb().front().inject(slow.when(|call| call.resource.as_deref() == Some(LISTING)));
    set_clock(&stack, 5);
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let calls = stack.dynamodb().front().calls();
    let counted = calls.iter().rfind(|call| call.resource.as_deref() == Some(LISTING)).unwrap();
    let committed = calls.iter().rfind(|call| call.operation == "TransactWriteItems").unwrap();
    assert!(committed.sequence < counted.sequence, "while the count was at work");
    // On a busy machine, what is left of the slice may not be enough.
    while stack.item("count/fleet").await.is_none_or(|round| round["completed_at"].is_null()) {
        stack.invoke_sweep().await;
    }
    stack.stop_functions();
    assert_eq!(written(&stack)[&("tiktok-shop", "active")], [json!(1.0)]);
}
