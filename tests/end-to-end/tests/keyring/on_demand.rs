//! Refreshes on demand: a bounded number at a time, and what is beyond it is left to the schedule.

use std::time::{Duration, Instant};

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Answer, Function, Options, Stack};
use futures_util::future::join_all;
use serde_json::{Value, json};
use simulators::{
    temu,
    tiktok_shop::{Fault, Rotation, Route, Trouble, When},
};

use crate::{
    setting::{DUE, SELLER_1, connect_all, connected, item, next_sweep, with_sellers},
    temu::setting::{LOCAL, connected as connected_at_temu},
};

/// Longer than the pause after a commit.
const RESTED: i64 = 901;

async fn fleet(count: usize, at_a_time: usize) -> Stack {
    let options = with_sellers(count).with_processes(Function::TokenLookup, count);
    let stack = Stack::start(options.with_concurrency(Function::RefreshOnDemand, at_a_time)).await.unwrap();
    connect_all(&stack, count).await;
    stack.age(RESTED).await;
    stack
}

fn connection(n: usize) -> String {
    format!("tiktok-shop/us/s-{n}")
}

async fn all(stack: &Stack, count: usize, attribute: &str) -> Vec<Value> {
    join_all((0..count).map(|n| async move { item(stack, &connection(n)).await[attribute].clone() })).await
}

/// Everybody rejects the current token at the same time.
async fn all_reject(stack: &Stack, count: usize) -> Vec<Answer> {
    let vendor = stack.vendor();
    let asked = join_all((0..count).map(|n| {
        let vendor = vendor.clone();
        async move { vendor.refresh(&connection(n), 1).await }
    }));
    asked.await
}

fn is_left_to_schedule(answer: &Answer) -> bool {
    answer.code().as_deref() == Some("refresh_failed") && answer.header("retry-after") == Some("60")
}

fn slow(seconds: u64) -> Fault {
    Fault::new(Trouble::Latency(When::BeforeEffect, Duration::from_secs(seconds)))
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_the_schedule_refreshes_and_nobody_waits() {
    let stack = fleet(5, 1).await;
    let vendor = stack.vendor();
    stack.tiktok_shop().inject(Route::TokenRefresh, slow(3));
    let began = Instant::now();
    let answers = all_reject(&stack, 5).await;
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let (done, left): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), left.len()), (1, 4));
    assert!(left.iter().all(|answer| is_left_to_schedule(answer)), "{left:?}");
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);
    assert_eq!(stack.lambda().most_at_a_time(Function::RefreshOnDemand.name()), 1);
    assert_eq!(all(&stack, 5, "wanted").await.iter().filter(|wanted| wanted["version"] == 1).count(), 4);
    for n in 0..5 {
        drop(vendor.token(&connection(n)).await.expect(200));
    }

    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    assert_eq!(next_sweep(&stack).await["refreshed"], 4);
    assert_eq!(all(&stack, 5, "wanted").await, vec![Value::Null; 5]);
    assert_eq!(all(&stack, 5, "token_version").await, vec![json!(2); 5]);
    stack.age(RESTED).await;
    assert_eq!(stack.invoke_sweep().await["due"], 0, "once is enough");
    stack.stop_functions();
    assert!(!stack.output().contains("refresh_not_invoked"), "it is as designed, and no alarm");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_still_works_is_served_in_place_of_a_longer_one() {
    let stack = fleet(2, 1).await;
    let vendor = stack.vendor();
    stack.age(7 * 86_400 - RESTED - 300).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, slow(3));
    let (first, second) = (connection(0), connection(1));
    let (one, other) = tokio::join!(vendor.token_for(&first, 600), vendor.token_for(&second, 600));
    let mut versions = [one, other].map(|answer| answer.expect(200).json()["version"].as_u64().unwrap());
    versions.sort_unstable();
    assert_eq!(versions, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_keeps_nothing_costs_no_more_tokens_than_there_are_slots() {
    let stack = fleet(8, 2).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    let full = stack.secrets_manager().front().inject(AwsFault::new(FaultKind::Throttle).on("PutSecretValue").always());
    for answer in all_reject(&stack, 8).await {
        assert_eq!(answer.expect(503).code().as_deref(), Some("refresh_failed"));
    }
    assert_eq!(stack.tiktok_shop().effects(Route::TokenRefresh), 2);
    full.clear();
    let committed = async {
        while all(&stack, 8, "token_version").await.iter().filter(|version| **version == 2).count() < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), committed).await.expect("what was spent is stored after all");
    assert_eq!(next_sweep(&stack).await["refreshed"], 6);
    assert_eq!(all(&stack, 8, "token_version").await, vec![json!(2); 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_invoked_is_left_to_the_schedule_too() {
    for (fault, alarm) in [(FaultKind::Throttle, false), (FaultKind::Refuse("AccessDeniedException"), true)] {
        let stack = connected(Options::default()).await;
        stack.age(RESTED).await;
        stack.lambda().front().inject(AwsFault::new(fault.clone()).always());
        let answer = stack.vendor().refresh(SELLER_1, 1).await.expect(503);
        assert!(is_left_to_schedule(&answer), "{fault:?}: {answer:?}");
        let again = stack.vendor().refresh(SELLER_1, 1).await.expect(503);
        assert!(is_left_to_schedule(&again), "{fault:?}: {again:?}");
        assert_eq!(next_sweep(&stack).await["refreshed"], 1, "{fault:?}");
        stack.stop_functions();
        assert_eq!(stack.output().contains("refresh_not_invoked"), alarm, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_refresh_is_checked_by_the_schedule() {
    let stack = connected_at_temu(Options::default()).await;
    stack.age(1_000).await;
    stack.lambda().front().inject(AwsFault::new(FaultKind::Throttle));
    let answer = stack.vendor().refresh(LOCAL, 1).await.expect(503);
    assert_eq!((answer.code().as_deref(), answer.header("retry-after")), (Some("check_failed"), Some("60")));
    assert_eq!(item(&stack, LOCAL).await["wanted"]["version"], 1);
    let checks = stack.temu().calls_to(temu::Route::TokenInfo).len();
    assert_eq!(next_sweep(&stack).await["verified"], 1);
    assert_eq!(stack.temu().calls_to(temu::Route::TokenInfo).len(), checks + 1);
    let checked = item(&stack, LOCAL).await;
    assert_eq!((checked.get("wanted"), &checked["token_version"]), (None, &json!(1)));
    stack.age(1_000).await;
    assert_eq!(stack.invoke_sweep().await["due"], 0, "the same version is not checked twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_function_takes_the_input_of_its_own_caller_only() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    stack.dynamodb().front().forget_calls();
    for (function, input, said) in [
        (Function::RefreshSweep, json!({ "connection": SELLER_1, "rejected_version": 1 }), "invoke refresh-on-demand"),
        (Function::RefreshOnDemand, json!({}), "the schedule invokes refresh-sweep"),
        (Function::RefreshOnDemand, json!({ "partition": { "index": 0, "count": 1 } }), "not a request for a refresh"),
    ] {
        let answer = stack.invoke(function, &input).await.unwrap();
        assert!(answer.body.contains("errorMessage") && answer.body.contains(said), "{function}: {}", answer.body);
    }
    assert_eq!(stack.dynamodb().front().calls().len(), 0, "nothing is begun");
}
