//! The refresh: nothing lost, nothing spent twice.

use std::time::Duration;

use emulators::front::{Fault as AwsFault, FaultKind, Moment};
use end_to_end::{Function, Options};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault, Rotation, Route, Trouble, When};

use crate::setting::{DUE, SELLER_1, US_APP_KEY, connected, ends, item, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_moves_both_expiries() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    let before = item(&stack, SELLER_1).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["errors"]), (&json!(1), &json!(0)), "{swept}");
    let after = item(&stack, SELLER_1).await;
    for clock in ["access_expires_at", "authorization_expires_at", "due_at"] {
        assert!(after[clock].as_i64() > before[clock].as_i64(), "{clock}: {before} {after}");
    }
    assert!(swept["oldest_due_seconds"].as_i64().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_exchange_and_commit_is_healed_from_the_vault() {
    for rotation in [Rotation::KeepOld, Rotation::Grace, Rotation::OneTime] {
        let stack = connected(Options::default()).await;
        stack.tiktok_shop().configure(|settings| settings.rotation = rotation);
        stack.age(DUE).await;
        let down =
            stack.dynamodb().front().inject(AwsFault::new(FaultKind::DropBefore).on("TransactWriteItems").always());
        let swept = stack.invoke_sweep().await;
        assert_eq!((&swept["refreshed"], &swept["errors"]), (&json!(0), &json!(1)), "{swept}");
        down.clear();
        assert_eq!(item(&stack, SELLER_1).await["token_version"], 1);
        stack.age(61).await;
        assert_eq!(stack.invoke_sweep().await["healed"], 1);
        assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1, "no second call");
        let token = stack.vendor().token(SELLER_1).await.expect(200).json();
        assert_eq!(token["version"], 2);
        assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_between_keep_and_commit_loses_nothing() {
    let stack = connected(Options::default().with_processes(Function::RefreshSweep, 1)).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    stack.age(DUE).await;
    let commit = stack.dynamodb().front().pause("TransactWriteItems", Moment::Arrived);
    let input = json!({});
    tokio::select! {
        ended = stack.invoke(Function::RefreshSweep, &input) => panic!("it was not killed: {ended:?}"),
        () = async {
            commit.reached().await;
            stack.kill(Function::RefreshSweep);
            commit.discard();
        } => {}
    }
    stack.start_process(Function::RefreshSweep).unwrap();
    assert_eq!(item(&stack, SELLER_1).await["token_version"], 1, "the commit never came");
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["healed"], 1);
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1, "no second call");
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_in_the_exchange_is_followed_by_the_next_sweep() {
    let stack = connected(Options::default().with_processes(Function::RefreshSweep, 1)).await;
    stack.age(DUE).await;
    stack
        .tiktok_shop()
        .inject(Route::TokenRefresh, Fault::new(Trouble::Latency(When::AfterEffect, Duration::from_secs(8))).times(1));
    let input = json!({});
    tokio::select! {
        ended = stack.invoke(Function::RefreshSweep, &input) => panic!("it was not killed: {ended:?}"),
        () = async {
            until(|| stack.tiktok_shop().effects(Route::TokenRefresh) == 1).await;
            stack.kill(Function::RefreshSweep);
        } => {}
    }
    stack.start_process(Function::RefreshSweep).unwrap();
    let claimed = item(&stack, SELLER_1).await;
    assert!(claimed["attempt"].is_object(), "the claim outlives its holder: {claimed}");
    stack.age(61).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!(
        (&swept["due"], &swept["refreshed"]),
        (&json!(1), &json!(0)),
        "it looks back, and finds nothing: {swept}"
    );
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_sweeps_and_twenty_lookups_cost_one_call() {
    let options =
        Options::default().with_processes(Function::RefreshSweep, 8).with_processes(Function::TokenLookup, 20);
    let stack = connected(options).await;
    // What is left is under the lookups' `min_ttl`.
    stack.age(7 * 86_400 - 100).await;
    stack
        .tiktok_shop()
        .inject(Route::TokenRefresh, Fault::new(Trouble::Latency(When::BeforeEffect, Duration::from_secs(1))));
    let vendor = stack.vendor();
    let sweeps = async { join_all((0..8).map(|_| stack.invoke_sweep())).await };
    let lookups = async { join_all((0..20).map(|_| vendor.token_for(SELLER_1, 600))).await };
    let (sweeps, lookups) = tokio::join!(sweeps, lookups);
    for answer in lookups {
        let token = answer.expect(200).json();
        assert_eq!(token["version"], 2);
    }
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);
    let refreshed: i64 = sweeps.iter().filter_map(|swept| swept["refreshed"].as_i64()).sum();
    assert!(refreshed <= 1, "{sweeps:?}");
    assert_eq!(item(&stack, SELLER_1).await["refusals"], 0);
}

async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(futures).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_connection_that_is_refused_for_a_day_needs_the_seller() {
    let stack = connected(Options::default().with_processes(Function::RefreshSweep, 4)).await;
    let vendor = stack.vendor();
    stack.age(DUE).await;
    // The seller takes the authorization away; the access token is served on until somebody says that it is dead.
    assert!(stack.tiktok_shop().deauthorize(US_APP_KEY, "seller-1"));
    join_all((0..4).map(|_| stack.invoke_sweep())).await;
    let doubted = item(&stack, SELLER_1).await;
    assert_eq!(
        (&doubted["refusals"], &doubted["status"]),
        (&json!(1), &json!("active")),
        "duplicate ticks, one refusal"
    );
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);

    // Neither the schedule nor a caller takes the second look before its time; a caller does not take it at all.
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    assert_eq!(vendor.refresh(SELLER_1, 1).await.expect(503).code().as_deref(), Some("refresh_failed"));
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);

    stack.age(15 * 60 + 1).await;
    assert_eq!(vendor.refresh(SELLER_1, 1).await.expect(503).code().as_deref(), Some("refresh_failed"));
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let again = item(&stack, SELLER_1).await;
    assert_eq!((&again["refusals"], &again["status"]), (&json!(2), &json!("active")), "nothing else speaks for it");
    let wait = again["not_before"].as_i64().unwrap() - again["updated_at"].as_i64().unwrap();
    assert!((900..=3_600).contains(&wait), "{again}");

    stack.age(86_400).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let ended = item(&stack, SELLER_1).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("reauthorization_required"), &json!("refused")));
    assert_eq!(stack.invoke_sweep().await["due"], 0, "a dead grant is left alone for a day");

    let last = vendor.token(SELLER_1).await.expect(200).json();
    assert_eq!((&last["status"], &last["reason"]), (&json!("reauthorization_required"), &json!("refused")));
    let health = vendor.connection(SELLER_1).await.expect(200).json();
    assert_eq!(health["last_error"]["code"], "36004005");
    assert!(health["last_error"]["request_id"].is_string());
    assert_eq!(vendor.refresh(SELLER_1, 1).await.expect(409).code().as_deref(), Some("reauthorization_required"));
    stack.age(2 * 86_400).await;
    assert_eq!(vendor.token(SELLER_1).await.expect(409).json()["reason"], "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_came_says_rotation_lost() {
    let stack = connected(Options::default()).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    stack.age(DUE).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::Drop(When::AfterEffect)).times(1));
    assert_eq!(stack.invoke_sweep().await["transient"], 1);
    for seconds in [15 * 60 + 1, 86_400] {
        stack.age(seconds).await;
        assert_eq!(stack.invoke_sweep().await["refused"], 1);
    }
    let ended = item(&stack, SELLER_1).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("reauthorization_required"), &json!("rotation_lost")));
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_answers_are_unknown_outcomes_and_cost_no_connection() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    let troubles = [
        Trouble::Malformed,
        Trouble::Truncated,
        Trouble::ServerError(When::AfterEffect),
        Trouble::timed_out(When::BeforeEffect),
        Trouble::answer(When::BeforeEffect, 99_999_999, "we do not know this either"),
    ];
    for (n, trouble) in troubles.into_iter().enumerate() {
        stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(trouble).times(1));
        let swept = stack.invoke_sweep().await;
        assert_eq!(swept["transient"], 1, "{n}: {swept}");
        let unsure = item(&stack, SELLER_1).await;
        assert_eq!((&unsure["status"], &unsure["refusals"]), (&json!("active"), &json!(0)), "{n}");
        assert_eq!(unsure["failures"].as_u64(), Some(n as u64 + 1));
        let waits = unsure["not_before"].as_i64().unwrap() - unsure["updated_at"].as_i64().unwrap();
        assert!((60..=1_800).contains(&waits), "{n}: {waits}");
        stack.age(1_900).await;
    }
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let healed = item(&stack, SELLER_1).await;
    assert_eq!(
        (&healed["failures"], healed.get("attempts").map_or(0, |left| left.as_array().map_or(0, Vec::len))),
        (&json!(0), 0)
    );
    assert_eq!(healed.get("last_error"), None::<&Value>);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_authorization_is_told() {
    let stack = connected(Options { authorization_lifetime: Some(2 * 86_400), ..Options::default() }).await;
    stack.age(2 * 86_400 + 301).await;
    ends(&stack, "seller-1");
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let ended = item(&stack, SELLER_1).await;
    assert_eq!(
        (&ended["status"], &ended["reason"]),
        (&json!("reauthorization_required"), &json!("authorization_expired"))
    );
    let days = (ended["due_at"].as_i64().unwrap() - ended["updated_at"].as_i64().unwrap()) / 3_600;
    assert!((24..=30).contains(&days), "it is asked again a day later: {ended}");
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1, "nothing else was to be expected");

    // The seller comes back, and all is well.
    crate::setting::connect(&stack, "us", "seller-1", "acme").await;
    assert_eq!(stack.vendor().token(SELLER_1).await.expect(200).json()["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_has_renewed_in_the_seller_center_is_not_lost_at_the_end() {
    let lifetime = Options { authorization_lifetime: Some(10 * 86_400), ..Options::default() };
    let stack = connected(lifetime.with_access_lifetime(30 * 86_400)).await;
    assert!(stack.tiktok_shop().extend_authorization(US_APP_KEY, "seller-1", 365 * 86_400));
    stack.age(10 * 86_400 + 301).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["refused"]), (&json!(1), &json!(0)), "{swept}");
    let item = item(&stack, SELLER_1).await;
    assert_eq!((&item["status"], item.get("end_unclear")), (&json!("active"), None), "{item}");
    let end = item["authorization_expires_at"].as_u64().unwrap();
    assert!(end > stack.tiktok_shop().now() + 300 * 86_400, "{item}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marketplace_that_is_busy_at_the_end_ends_nothing() {
    let stack = connected(Options { authorization_lifetime: Some(2 * 86_400), ..Options::default() }).await;
    stack.age(2 * 86_400 + 301).await;
    ends(&stack, "seller-1");
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::RateLimited { retry_after: None }));
    assert_eq!(stack.invoke_sweep().await["transient"], 1);
    assert_eq!(item(&stack, SELLER_1).await["status"], "active");
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    stack.age(3_600).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    assert_eq!(item(&stack, SELLER_1).await["reason"], "authorization_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_connection_that_is_accepted_again_is_active() {
    let stack = connected(Options::default().with_events()).await;
    let refused = Trouble::answer(When::BeforeEffect, 36_004_005, "no such authorization");
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(refused));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    stack.age(86_400).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    assert_eq!(item(&stack, SELLER_1).await["reason"], "refused");
    stack.age(86_400 + 6 * 3_600).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1, "asked again, in vain");
    assert_eq!(item(&stack, SELLER_1).await["status"], "reauthorization_required");

    stack.tiktok_shop().clear_faults(Route::TokenRefresh);
    stack.age(86_400).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert_eq!((&token["status"], &token["version"]), (&json!("active"), &json!(2)));
    stack.age(2).await;
    stack.invoke_sweep().await;
    let events = stack.event_bus().events_after(0);
    let last = events.last().unwrap();
    assert_eq!((&*last.detail_type, &last.detail["cause"]), ("Connection Reauthorized", &json!("accepted_again")));
    assert!(stack.writes(r#""cause":"accepted_again""#, 1).await, "the audit says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_empty_list_of_shops_takes_no_shop_away() {
    let stack = connected(Options::default()).await;
    stack.tiktok_shop().remove_shop("seller-1", "shop-1").unwrap();
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    drop(stack.vendor().token_by_shop("tiktok-shop/us/shop-1").await.expect(200));
    assert!(stack.writes(r#""alarm":"shops_not_listed""#, 1).await);
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 1);
    drop(stack.vendor().token_by_shop("tiktok-shop/us/shop-1").await.expect(404));
}
