//! Events: each change of state is told once it counts, in its published form, at least once, whatever the bus does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use emulators::{
    event_bus::PublishedEvent,
    front::{Fault, FaultKind, Moment},
};
use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault as PlatformFault, Route, Trouble, When};

use crate::setting::{
    DUE, SELLER_1, US_APP_KEY, connect, connect_all, connected, ends, item, next_second, next_sweep, with_sellers,
};

/// A refusal's second try comes after this, and so does a bus's.
const AFTER_A_WHILE: i64 = 901;

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_connection_is_told_in_order_and_as_the_schemas_say() {
    let stack = connected(Options::default().with_events()).await;
    assert!(published(&stack).is_empty(), "they are written, and the next sweep publishes them");
    assert_eq!(next_sweep(&stack).await["published"], 1);

    stack.age(DUE).await;
    assert_eq!(next_sweep(&stack).await["refreshed"], 1);
    next_sweep(&stack).await;

    next_second().await;
    connect(&stack, "us", "seller-1", "acme").await;
    next_sweep(&stack).await;

    assert!(stack.tiktok_shop().deauthorize(US_APP_KEY, "seller-1"));
    stack.age(DUE).await;
    next_sweep(&stack).await;
    stack.age(86_400).await;
    next_sweep(&stack).await;
    next_sweep(&stack).await;
    next_second().await;
    connect(&stack, "us", "seller-1", "acme").await;

    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    next_sweep(&stack).await;
    next_second().await;
    connect(&stack, "us", "seller-1", "another").await;
    next_sweep(&stack).await;

    let events = published(&stack);
    let told: Vec<_> =
        events.iter().map(|event| (event.detail_type.as_str(), event.detail["version"].as_u64())).collect();
    assert_eq!(
        told,
        [
            ("Connection Created", Some(1)),
            ("Connection Refreshed", Some(2)),
            ("Connection Reauthorized", Some(3)),
            ("Reauthorization Required", Some(3)),
            ("Connection Reauthorized", Some(4)),
            ("Connection Disconnected", Some(4)),
            ("Connection Created", Some(5)),
        ]
    );
    assert_eq!(events[3].detail["reason"], "refused");
    assert_eq!(events[5].detail["account_id"], "acme");
    assert_eq!(events[6].detail["account_id"], "another");
    check_form(&events);
    check_order(&events);
    let left = item(&stack, SELLER_1).await;
    assert!(left.get("events").is_none() && left.get("publish_at").is_none(), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reminder_is_told() {
    let month = 31 * 86_400;
    let options = Options { authorization_lifetime: Some(month), ..Options::default() };
    let stack = connected(options.with_access_lifetime(month * 2).with_events()).await;
    next_sweep(&stack).await;
    for day in 1..=31 {
        stack.age(86_400).await;
        if day == 31 {
            ends(&stack, "seller-1");
            stack.age(300).await;
        }
        next_sweep(&stack).await;
        next_sweep(&stack).await;
    }
    let events = published(&stack);
    let told: Vec<_> = events.iter().filter(|event| event.detail_type == "Connection Expiring").collect();
    let days: Vec<_> = told.iter().map(|event| event.detail["days_left"].as_u64().unwrap()).collect();
    assert_eq!(days, [30, 14, 7, 3, 1]);
    let last = events.last().unwrap();
    assert_eq!(
        (&*last.detail_type, &last.detail["reason"]),
        ("Reauthorization Required", &json!("authorization_expired"))
    );
    check_form(&events);
    check_order(&events);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_of_what_nobody_confirmed() {
    let stack = Stack::start(Options::default().with_events()).await.unwrap();
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    drop(stack.browser().connect(&session.connect_url, "us", "seller-1").await);
    stack.age(3_601).await;
    assert_eq!(next_sweep(&stack).await["removed"], 1);
    assert_eq!(next_sweep(&stack).await["due"], 0);
    assert!(published(&stack).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_to_be_told_outlasts_an_unconfirmed_return() {
    let stack = connected(Options::default().with_events()).await;
    next_sweep(&stack).await;
    let down = stack.event_bus().front().inject(Fault::new(FaultKind::ErrorBefore).on("PutEvents").always());
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    let session = stack.vendor().connect_session(json!({ "account_id": "another" })).await;
    drop(stack.browser().connect(&session.connect_url, "us", "seller-1").await);
    stack.age(3_601).await;
    assert_eq!(next_sweep(&stack).await["removed"], 1);
    drop(stack.vendor().token(SELLER_1).await.expect(410));
    down.clear();
    stack.age(AFTER_A_WHILE).await;
    assert_eq!(next_sweep(&stack).await["published"], 1);
    assert_eq!(published(&stack).last().unwrap().detail_type, "Connection Disconnected");
    assert_eq!(next_sweep(&stack).await["due"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_fails_stops_nothing_and_gets_everything_later() {
    let stack = connected(Options::default().with_events()).await;
    let down = stack.event_bus().front().inject(Fault::new(FaultKind::Throttle).on("PutEvents").always());
    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["published"], &swept["unpublished"]), (&json!(0), &json!(1)), "{swept}");
    for version in 2..5 {
        stack.age(DUE).await;
        let swept = next_sweep(&stack).await;
        assert_eq!((&swept["refreshed"], &swept["errors"]), (&json!(1), &json!(0)), "{swept}");
        let token = stack.vendor().token(SELLER_1).await.expect(200).json();
        assert_eq!(token["version"], version);
        next_sweep(&stack).await;
    }
    assert_eq!(next_sweep(&stack).await["due"], 0, "it is not asked again and again");
    down.clear();
    stack.age(AFTER_A_WHILE).await;
    assert_eq!(next_sweep(&stack).await["published"], 4);
    let events = published(&stack);
    let versions: Vec<_> = events.iter().map(|event| event.detail["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    stack.stop_functions();
    assert!(stack.output().contains("events_not_published"), "the operator was told");
    check_form(&events);
    check_order(&events);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_call_only_what_was_taken_counts_as_told() {
    let stack = Stack::start(Options::default().with_events()).await.unwrap();
    connect(&stack, "us", "seller-1", "acme").await;
    connect(&stack, "us", "seller-2", "acme").await;
    stack.event_bus().refuse_entries(1);
    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["published"], &swept["unpublished"]), (&json!(1), &json!(1)), "{swept}");
    stack.age(AFTER_A_WHILE).await;
    assert_eq!(next_sweep(&stack).await["published"], 1);
    let events = published(&stack);
    let sellers: BTreeSet<_> = events.iter().map(|event| event.detail["seller_id"].to_string()).collect();
    assert_eq!((events.len(), sellers.len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_hangs_delays_no_refresh() {
    let stack = Stack::start(Options::default().with_events()).await.unwrap();
    connect(&stack, "us", "seller-1", "acme").await;
    next_sweep(&stack).await;
    stack.age(DUE).await;
    connect(&stack, "us", "seller-2", "acme").await;
    let hanging = stack.event_bus().front().pause("PutEvents", Moment::Arrived);
    let (swept, ()) = tokio::join!(next_sweep(&stack), async {
        hanging.reached().await;
        while stack.item(SELLER_1).await.is_none_or(|item| item["token_version"] != 2) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(stack.vendor().token(SELLER_1).await.expect(200));
        hanging.release();
    });
    assert_eq!(swept["refreshed"], 1, "{swept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_unpublished_is_published_by_the_next_sweep() {
    for moment in [Moment::Arrived, Moment::TakenEffect] {
        let stack = connected(Options::default().with_events().with_processes(Function::RefreshSweep, 1)).await;
        stack.age(2).await;
        let publishing = stack.event_bus().front().pause("PutEvents", moment);
        let input = json!({});
        let (_, ()) = tokio::join!(
            tokio::time::timeout(Duration::from_secs(1), stack.invoke(Function::RefreshSweep, &input)),
            async {
                publishing.reached().await;
                stack.kill(Function::RefreshSweep);
                publishing.release();
            }
        );
        stack.start_process(Function::RefreshSweep).unwrap();
        assert_eq!(stack.invoke_sweep().await["published"], 1);
        let events = published(&stack);
        assert_eq!(events.len(), 2, "the call that was on its way took effect");
        assert_eq!(events[0].detail, events[1].detail, "the same event, by the same id");
        assert_eq!(next_sweep(&stack).await["due"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_published_without_being_written_down_comes_again_with_its_id() {
    let stack = connected(Options::default().with_events()).await;
    let down = stack.dynamodb().front().inject(Fault::new(FaultKind::ErrorBefore).on("UpdateItem").always());
    assert_eq!(next_sweep(&stack).await["published"], 1);
    down.clear();
    assert_eq!(stack.invoke_sweep().await["published"], 1);
    let events = published(&stack);
    assert_eq!((events.len(), &events[0].detail), (2, &events[1].detail));
}

#[tokio::test(flavor = "multi_thread")]
async fn marketplaces_in_trouble_keep_no_event_back() {
    let stack = connected(Options::default().with_events()).await;
    next_sweep(&stack).await;
    let wrong_app = Trouble::answer(When::BeforeEffect, 36_009_004, "Invalid app_key");
    stack.tiktok_shop().inject(Route::TokenRefresh, PlatformFault::new(wrong_app));
    stack.age(DUE).await;
    connect(&stack, "us", "seller-2", "acme").await;
    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["misconfigured"], &swept["published"]), (&json!(1), &json!(1)), "{swept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_for_no_breaker() {
    const SELLERS: usize = 8;
    // One marketplace alone: when that is out of reach, nobody is left to be asked about.
    let options = Options { temu_apps: BTreeMap::new(), ..with_sellers(SELLERS).with_events() };
    let stack = Stack::start(options).await.unwrap();
    connect_all(&stack, SELLERS - 1).await;
    next_sweep(&stack).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, PlatformFault::new(Trouble::Drop(When::BeforeEffect)));
    stack.age(DUE).await;
    connect(&stack, "us", &format!("s-{}", SELLERS - 1), "acme").await;
    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["lanes_stopped"], &swept["transient"]), (&json!(2), &json!(5)), "{swept}");
    assert_eq!(swept["published"], 1, "of the one behind those that were not worked on: {swept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_temu_does_not_wait_for_its_pace() {
    let options = Options::default().with_events().with_variable(Function::RefreshSweep, "TEMU_CALLS_PER_SECOND", "1");
    let stack = Stack::start(options).await.unwrap();
    crate::temu::setting::connect_local(&stack).await;
    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["published"], &swept["verified"]), (&json!(1), &json!(0)), "{swept}");
    let events = published(&stack);
    assert_eq!(events[0].detail["marketplace"], "temu");
    check_form(&events);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bus_nothing_is_written_and_what_was_left_goes() {
    let stack = connected(Options::default()).await;
    assert!(item(&stack, SELLER_1).await.get("events").is_none());
    let mut left = item(&stack, SELLER_1).await;
    left["events"] = json!([{
        "id": "00000000-0000-8000-8000-000000000000", "kind": "refreshed", "sequence": 1, "at": 1_700_000_000,
        "status": "active", "version": 1,
    }]);
    (left["chores_at"], left["chores_shard"]) = (json!(1_700_000_000), json!("chores#0"));
    stack.put_item(&left).await;
    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["due"], &swept["published"]), (&json!(1), &json!(0)), "{swept}");
    assert!(item(&stack, SELLER_1).await.get("events").is_none());
    stack.stop_functions();
    assert!(stack.output().contains("events_dropped"), "the operator is told");
    assert_eq!(stack.event_bus().front().count("PutEvents"), 0);
}

fn published(stack: &Stack) -> Vec<PublishedEvent> {
    stack.event_bus().events_after(0)
}

/// Each exactly as its schema in `docs/events/`.
fn check_form(events: &[PublishedEvent]) {
    for event in events {
        assert_eq!((event.source.as_str(), event.bus.as_str()), ("shop-keyring", "shop-keyring"));
        let file = format!("{}.v1.json", event.detail_type.to_lowercase().replace(' ', "-"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events").join(file);
        let mut schema: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        // Readers are to pass over what they do not know; here nothing may be there that is not described.
        schema["additionalProperties"] = json!(false);
        assert_eq!(schema["title"], event.detail_type.as_str());
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let problems: Vec<_> = validator.iter_errors(&event.detail).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}: {}", event.detail_type, event.detail);
    }
}

/// The events of each connection have their own ids and rising sequences.
fn check_order(events: &[PublishedEvent]) {
    let ids: BTreeSet<_> = events.iter().map(|event| event.detail["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len());
    for (n, event) in events.iter().enumerate() {
        let earlier = events[..n].iter().filter(|other| other.detail["connection"] == event.detail["connection"]);
        for other in earlier {
            assert!(other.detail["sequence"].as_u64() < event.detail["sequence"].as_u64());
        }
    }
}
