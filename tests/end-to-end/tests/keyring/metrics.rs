//! Metrics: each line in the embedded metric format, the documented names only, and true counts.

use std::collections::{BTreeMap, BTreeSet};

use emulators::front::{Fault, FaultKind};
use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault as PlatformFault, Route, Trouble, When};

use crate::setting::{DUE, SELLER_1, connect, connect_all, next_sweep, with_sellers};

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_counted_and_nothing_tells_of_a_connection() {
    let stack = Stack::start(Options::default().with_events().with_webhooks()).await.unwrap();
    connect(&stack, "us", "seller-1", "acme").await;
    connect(&stack, "us", "seller-2", "acme").await;
    let denied = stack.vendor().connect_session(json!({ "account_id": "another" })).await;
    drop(stack.browser().connect(&denied.connect_url, "us", "seller-1").await);
    for _ in 0..4 {
        drop(stack.vendor().token(SELLER_1).await.expect(200));
    }
    drop(stack.vendor().token("tiktok-shop/us/nobody").await.expect(404));
    drop(stack.vendor().token("ebay/us/nobody").await.expect(400));
    next_sweep(&stack).await;
    stack.age(DUE).await;
    stack.invoke_sweep().await;
    let wrong_app = Trouble::answer(When::BeforeEffect, 36_009_004, "Invalid app_key");
    stack.tiktok_shop().inject(Route::TokenRefresh, PlatformFault::new(wrong_app).times(1));
    let down = stack.event_bus().front().inject(Fault::new(FaultKind::ErrorBefore).on("PutEvents").always());
    next_sweep(&stack).await;
    stack.age(DUE).await;
    stack.invoke_sweep().await;
    down.clear();
    stack.stop_functions();

    let metrics = Metrics::of(&stack);
    let outcome = |outcome| metrics.count("WorkOutcomes", &[("Marketplace", "tiktok-shop"), ("Outcome", outcome)]);
    assert_eq!((outcome("refreshed"), outcome("misconfigured")), (3, 1));
    let connects = |outcome| metrics.count("Connects", &[("Marketplace", "tiktok-shop"), ("Outcome", outcome)]);
    assert_eq!((connects("connected"), connects("account_conflict")), (2, 1));
    let lookups = |answer| metrics.count("Lookups", &[("Marketplace", "tiktok-shop"), ("Answer", answer)]);
    assert_eq!((lookups("served"), lookups("connection_not_found")), (4, 1));
    assert_eq!(metrics.count("Lookups", &[("Marketplace", "none"), ("Answer", "bad_request")]), 1);
    assert_eq!(metrics.count("CacheHits", &[]) + metrics.count("CacheMisses", &[]), 4);
    // Two refreshed, in vain twice. Two created; and one renewed, under its own account, by the visit for another.
    assert_eq!((metrics.count("EventsPublished", &[]), metrics.count("EventsUnpublished", &[])), (3, 4));
    assert_eq!(metrics.count("Alarms", &[("Alarm", "configuration_fault")]), 1);
    assert_eq!(metrics.count("Alarms", &[("Alarm", "events_not_published")]), 2);
    let calls = |call| metrics.values("MarketplaceLatency", &[("Marketplace", "tiktok-shop"), ("Call", call)]);
    assert_eq!(calls("/api/v2/token/get").len(), 3);
    assert!(
        calls("/api/v2/token/refresh")
            .iter()
            .all(|milliseconds| (0.0..10_000.0).contains(&milliseconds.as_f64().unwrap()))
    );
    assert!(!metrics.values("OldestDueSeconds", &[]).is_empty());
    for name in ["seller-1", "shop-1", "acme", "another"] {
        assert!(!metrics.text.contains(name), "a metric tells of {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_run_loses_no_latency() {
    // The format takes a hundred values at once.
    const SELLERS: usize = 110;
    let stack = Stack::start(with_sellers(SELLERS)).await.unwrap();
    connect_all(&stack, SELLERS).await;
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], SELLERS);
    stack.stop_functions();
    let metrics = Metrics::of(&stack);
    let call = [("Marketplace", "tiktok-shop"), ("Call", "/api/v2/token/refresh")];
    assert_eq!(metrics.values("MarketplaceLatency", &call).len(), SELLERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_the_oldest_was_due_is_told_once_a_run() {
    let stack = Stack::start(Options::default().with_processes(Function::RefreshSweep, 1)).await.unwrap();
    connect(&stack, "us", "seller-1", "acme").await;
    stack.age(DUE).await;
    stack.invoke_sweep().await;
    let on_demand = json!({ "connection": SELLER_1, "rejected_version": 9 });
    for _ in 0..3 {
        drop(stack.invoke(Function::RefreshOnDemand, &on_demand).await.unwrap().expect(200));
    }
    stack.stop_functions();
    assert_eq!(Metrics::of(&stack).values("OldestDueSeconds", &[]).len(), 1);
}

/// All that was written.
pub(crate) struct Metrics {
    text: String,
    /// Name and dimensions, and the values.
    values: BTreeMap<(String, BTreeMap<String, String>), Vec<Value>>,
}

impl Metrics {
    /// Panics at a line that is not in the format, or has a name that is not documented.
    pub(crate) fn of(stack: &Stack) -> Self {
        let documented = include_str!("../../../../docs/metrics.md");
        let documented: BTreeSet<_> =
            documented.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0)).collect();
        let output = stack.output();
        let lines: Vec<_> = output.lines().filter_map(|line| Some(&line[line.find("{\"_aws\"")?..])).collect();
        let mut values: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for line in &lines {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(line["_aws"]["Timestamp"].as_u64().is_some_and(|at| at > 1_700_000_000_000), "{line}");
            for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
                assert_eq!(directive["Namespace"], "ShopKeyring");
                let dimensions = directive["Dimensions"][0].as_array().unwrap().iter().map(|name| {
                    let name = name.as_str().unwrap();
                    (name.to_owned(), line[name].as_str().unwrap().to_owned())
                });
                let dimensions: BTreeMap<_, _> = dimensions.collect();
                for metric in directive["Metrics"].as_array().unwrap() {
                    let name = metric["Name"].as_str().unwrap();
                    assert!(documented.contains(name), "{name} is not documented");
                    assert!(metric["Unit"].is_string(), "{line}");
                    let several = line[name].as_array().cloned().unwrap_or_else(|| vec![line[name].clone()]);
                    let entry = values.entry((name.to_owned(), dimensions.clone())).or_default();
                    entry.extend(several);
                }
            }
        }
        Self { text: lines.join("\n"), values }
    }

    pub(crate) fn values(&self, name: &str, dimensions: &[(&str, &str)]) -> Vec<Value> {
        let dimensions = dimensions.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.values.get(&(name.to_owned(), dimensions)).cloned().unwrap_or_default()
    }

    fn count(&self, name: &str, dimensions: &[(&str, &str)]) -> u64 {
        self.values(name, dimensions).iter().map(|value| value.as_u64().unwrap()).sum()
    }
}
