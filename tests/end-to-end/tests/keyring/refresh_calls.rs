//! What a refresh costs in calls, and in which order they come.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Options, Stack};
use serde_json::json;
use simulators::tiktok_shop::{Call, Fault, Route, Shop, Trouble, When};

use crate::setting::{DUE, SELLER_1, connect_all, connected, item, with_sellers};

/// Less than a list of shops is waited for.
const SLOW: Duration = Duration::from_secs(3);

/// Calls to the marketplace since `before` of them had been made.
fn calls_since(stack: &Stack, before: usize, route: Route) -> Vec<Call> {
    stack.tiktok_shop().calls().into_iter().skip(before).filter(|call| call.route == route).collect()
}

/// A seller who is due and has opened a second shop meanwhile; and how many calls the marketplace has seen so far.
async fn due_with_a_new_shop(age: i64) -> (Stack, usize) {
    let stack = connected(Options::default()).await;
    stack.age(age).await;
    stack.tiktok_shop().add_shop("seller-1", Shop::new("shop-new", "US")).unwrap();
    let before = stack.tiktok_shop().calls().len();
    (stack, before)
}

async fn shops(stack: &Stack) -> usize {
    item(stack, SELLER_1).await["shops"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_costs_four_calls_to_aws_and_two_to_the_marketplace() {
    let stack = Stack::start(with_sellers(5)).await.unwrap();
    connect_all(&stack, 5).await;
    stack.age(DUE).await;
    let apps = stack.registry().await.as_object().unwrap().len();
    stack.dynamodb().front().forget_calls();
    stack.secrets_manager().front().forget_calls();
    let before = stack.tiktok_shop().calls().len();
    assert_eq!(stack.invoke_sweep().await["refreshed"], 5);
    let calls = |counters: &[(&str, u64)]| -> BTreeMap<String, u64> {
        counters.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    let table = stack.dynamodb().front();
    let mut counters = table.counters();
    *counters.get_mut("Query").unwrap() -= table.queries_on("connections/index/listing");
    // One more write, for each app and five seconds, is what the run adds to the evidence; the item of the fleet count is
    // read in each run, and written when the run has counted.
    // Each part of each lane, and of the chores, is asked for its oldest. The circuit breakers are read once, with one call for
    // all of them.
    let probes = 4 * (apps as u64 + 1);
    assert_eq!(
        counters,
        calls(&[
            ("Query", probes),
            ("BatchGetItem", 2),
            ("GetItem", 1),
            ("UpdateItem", 5 + 1 + 1),
            ("TransactWriteItems", 5)
        ])
    );
    // Two more, once per process, are for the registry of apps and the app's credentials.
    assert_eq!(stack.secrets_manager().front().counters(), calls(&[("GetSecretValue", 7), ("PutSecretValue", 5)]));
    assert_eq!(calls_since(&stack, before, Route::TokenRefresh).len(), 5);
    assert_eq!(calls_since(&stack, before, Route::Shops).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_of_which_nothing_is_heard_is_repeated_once_and_seen() {
    for (fault, longest) in [
        // The connection is dead since the execution environment was frozen.
        (FaultKind::Latency(Duration::from_secs(12)), Duration::from_secs(10)),
        (FaultKind::DropBefore, Duration::from_secs(5)),
    ] {
        let stack = connected(Options::default()).await;
        stack.age(7 * 86_400 - 300).await;
        stack.lambda().front().inject(AwsFault::new(fault.clone()));
        let began = Instant::now();
        let token = stack.vendor().token_for(SELLER_1, 1_200).await.expect(200).json();
        assert_eq!(token["version"], 2, "{fault:?}");
        assert!(began.elapsed() < longest, "{fault:?}: {:?}", began.elapsed());
        assert_eq!(stack.lambda().front().calls().len(), 2, "{fault:?}");
        assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_cannot_be_read_together_are_read_one_by_one() {
    let stack = Stack::start(with_sellers(3)).await.unwrap();
    connect_all(&stack, 3).await;
    stack.age(DUE).await;
    // The first one is for the circuit breakers.
    let denied = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("BatchGetItem").after(1);
    stack.dynamodb().front().inject(denied.always());
    stack.dynamodb().front().forget_calls();
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["errors"]), (&json!(3), &json!(0)), "{swept}");
    assert_eq!(stack.dynamodb().front().count("GetItem"), 3 + 1, "and the item of the fleet count");
    assert!(stack.writes("the items are read one by one", 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_are_listed_while_the_exchange_is_under_way() {
    let (stack, before) = due_with_a_new_shop(DUE).await;
    for route in [Route::TokenRefresh, Route::Shops] {
        stack.tiktok_shop().inject(route, Fault::new(Trouble::Latency(When::BeforeEffect, SLOW)).times(1));
    }
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let (exchanges, lists) =
        (calls_since(&stack, before, Route::TokenRefresh), calls_since(&stack, before, Route::Shops));
    assert_eq!((exchanges.len(), lists.len()), (1, 1), "one list is enough");
    let (first, second) = (exchanges[0].arrived.min(lists[0].arrived), exchanges[0].arrived.max(lists[0].arrived));
    assert!(second - first < SLOW / 2, "neither waits for the other: {:?}", second - first);
    assert_eq!(shops(&stack).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_list_does_not_keep_the_token_set_from_the_vault() {
    let (stack, _) = due_with_a_new_shop(DUE).await;
    stack.tiktok_shop().inject(Route::Shops, Fault::new(Trouble::Latency(When::BeforeEffect, SLOW)).times(1));
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let kept = stack.secrets_manager().front().calls_of("PutSecretValue").pop().unwrap();
    let committed = stack.dynamodb().front().calls_of("TransactWriteItems").pop().unwrap();
    let between = committed.at.duration_since(kept.at).unwrap();
    assert!(between > SLOW / 2, "kept at once, committed with the list: {between:?}");
    assert_eq!(shops(&stack).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_token_lists_what_the_old_one_could_not() {
    let (stack, before) = due_with_a_new_shop(DUE).await;
    let expired = Trouble::answer(When::BeforeEffect, 105_002, "expired");
    stack.tiktok_shop().inject(Route::Shops, Fault::new(expired).times(1));
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    assert_eq!(calls_since(&stack, before, Route::Shops).len(), 2);
    assert_eq!(shops(&stack).await, 2);
    stack.stop_functions();
    assert!(!stack.output().contains("shops_not_listed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_ended_lists_nothing() {
    let (stack, before) = due_with_a_new_shop(7 * 86_400 + 60).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Latency(When::BeforeEffect, SLOW)).times(1));
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let lists = calls_since(&stack, before, Route::Shops);
    assert_eq!(lists.len(), 1);
    let exchange = &calls_since(&stack, before, Route::TokenRefresh)[0];
    assert!(lists[0].arrived.duration_since(exchange.arrived) >= SLOW, "listed by the new token");
    assert_eq!(shops(&stack).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn shops_that_neither_token_lists_stay_as_they_were_known() {
    let (stack, _) = due_with_a_new_shop(DUE).await;
    let missing = Trouble::answer(When::BeforeEffect, 105_005, "scope");
    stack.tiktok_shop().inject(Route::Shops, Fault::new(missing));
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    assert_eq!(shops(&stack).await, 1);
    assert!(stack.writes("shops_not_listed", 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_exchange_does_not_wait_for_the_list() {
    let (stack, _) = due_with_a_new_shop(DUE).await;
    stack
        .tiktok_shop()
        .inject(Route::TokenRefresh, Fault::new(Trouble::answer(When::BeforeEffect, 36_009_002, "busy")).times(1));
    stack.tiktok_shop().inject(Route::Shops, Fault::new(Trouble::Hang(When::BeforeEffect)));
    let began = std::time::Instant::now();
    assert_eq!(stack.invoke_sweep().await["transient"], 1);
    assert!(began.elapsed() < Duration::from_secs(5), "for so long a list is waited for: {:?}", began.elapsed());
    stack.stop_functions();
    assert!(!stack.output().contains("shops_not_listed"));
}
