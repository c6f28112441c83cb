//! The watch when something is wrong that no seller is to blame for.

use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};
use simulators::temu::{Fault, Mall, MallType, Purpose, Route, Seller, Trouble, When};

use super::setting::{BELIEVED, LOCAL, LOCAL_MALL, ROUND, SECOND_LOOK, Visit, connected, issue};
use crate::setting::{item, until};

const US_SECRET: &str = "shop-keyring/apps/temu/us";

/// So many local malls connected, 8000 and on.
async fn fleet(count: u64) -> Stack {
    let malls = (0..count).map(|n| Mall::new(8_000 + n, MallType::Local));
    let seller = malls.fold(Seller::new("fleet"), Seller::with_mall);
    let options = Options { temu_sellers: vec![seller], ..Options::default() };
    // Slow enough for one check to end before the next begins, on a busy machine too.
    let stack =
        Stack::start(options.with_variable(Function::RefreshSweep, "TEMU_CALLS_PER_SECOND", "1")).await.unwrap();
    for n in 0..count {
        let visit = Visit::begin(&stack).await;
        let page = visit.paste_local(&issue(&stack, "us", 8_000 + n, Purpose::All)).await.expect(200);
        visit.confirm(&page).await;
    }
    // And by a process that is warm.
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    stack.age(ROUND).await;
    stack
}

async fn all(stack: &Stack, count: u64, attribute: &str) -> Vec<Value> {
    let mut values = Vec::new();
    for n in 0..count {
        values.push(item(stack, &format!("temu/us/{}", 8_000 + n)).await[attribute].clone());
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_answers_end_no_connection() {
    let stack = connected(Options::default()).await;
    stack.age(ROUND).await;
    let troubles = [
        Trouble::Malformed,
        Trouble::Truncated,
        Trouble::Drop(When::AfterEffect),
        Trouble::ServerError(When::AfterEffect),
        Trouble::timed_out(When::BeforeEffect),
        Trouble::RateLimited { retry_after: Some(120) },
        Trouble::answer(When::BeforeEffect, 99_999_999, "we do not know this either"),
    ];
    for (n, trouble) in troubles.into_iter().enumerate() {
        stack.temu().inject(Route::TokenInfo, Fault::new(trouble));
        let swept = stack.invoke_sweep().await;
        assert_eq!(swept["transient"], 1, "{n}: {swept}");
        stack.temu().clear_faults(Route::TokenInfo);
        let unsure = item(&stack, LOCAL).await;
        assert_eq!((&unsure["status"], &unsure["refusals"]), (&json!("active"), &json!(0)), "{n}");
        drop(stack.vendor().token(LOCAL).await.expect(200));
        stack.age(1_900).await;
    }
    assert_eq!(stack.invoke_sweep().await["verified"], 1);
    assert_eq!(item(&stack, LOCAL).await["failures"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misconfigured_app_blames_nobody_and_is_loud() {
    let stack = fleet(3).await;
    let good = stack.secret(US_SECRET, None).await.unwrap();
    let mut bad = good.clone();
    bad["app_secret"] = json!("not-the-app-secret-at-all");
    stack.put_secret(US_SECRET, &bad).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["misconfigured"], &swept["refused"]), (&json!(3), &json!(0)), "{swept}");
    assert!(stack.writes("configuration_fault", 1).await);
    assert_eq!(all(&stack, 3, "refusals").await, vec![json!(0); 3]);

    stack.put_secret(US_SECRET, &good).await;
    stack.temu().update_app(stack.temu_app_key("us"), |app| app.ip_allowed = false).unwrap();
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["misconfigured"], 1);
    assert_eq!(all(&stack, 3, "status").await, vec![json!("active"); 3]);

    stack.temu().update_app(stack.temu_app_key("us"), |app| app.ip_allowed = true).unwrap();
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 3, "and as soon as it is right again, all goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_key_that_was_changed_is_not_the_sellers_doing() {
    let stack = connected(Options::default()).await;
    let mut other = stack.secret(US_SECRET, None).await.unwrap();
    other["app_key"] = json!("another-key");
    stack.put_secret(US_SECRET, &other).await;
    stack.age(ROUND).await;
    let calls = stack.temu().calls().len();
    assert_eq!(stack.invoke_sweep().await["misconfigured"], 1);
    assert_eq!(stack.temu().calls().len(), calls, "Temu is not even asked");
    assert_eq!(item(&stack, LOCAL).await["refusals"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_refusal_ends_nobody() {
    let stack = fleet(8).await;
    stack.temu().inject(Route::TokenInfo, Fault::new(Trouble::answer(When::BeforeEffect, 3_000_034, "gone")));
    let swept = stack.invoke_sweep().await;
    assert_eq!(swept["refused"], 8, "{swept}");
    assert!(stack.writes("mass_refusal", 1).await);
    stack.age(SECOND_LOOK).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 8);
    assert_eq!(all(&stack, 8, "status").await, vec![json!("active"); 8]);
    stack.temu().clear_faults(Route::TokenInfo);
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 8);
    assert_eq!(all(&stack, 8, "refusals").await, vec![json!(0); 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_at_temu_keeps_nobody_from_tiktok_shop() {
    let stack = fleet(6).await;
    crate::setting::connect(&stack, "us", "seller-1", "acme").await;
    // The rest of a day, and what a token of seven days needs to fall due. Both are due now.
    stack.age(crate::setting::DUE).await;
    stack.temu().inject(Route::TokenInfo, Fault::new(Trouble::Drop(When::BeforeEffect)));
    let swept = stack.invoke_sweep().await;
    assert_eq!(swept["refreshed"], 1, "{swept}");
    assert!((5..=6).contains(&swept["transient"].as_u64().unwrap()), "{swept}");
    let failures = all(&stack, 6, "failures").await;
    assert!(failures.iter().all(|failures| failures.as_u64() <= Some(1)), "{failures:?}");
    assert_eq!(all(&stack, 6, "status").await, vec![json!("active"); 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_wins_over_a_check_that_is_under_way() {
    let stack = connected(Options::default()).await;
    let new = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    stack.age(ROUND).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    stack.age(BELIEVED).await;
    // The second refusal is on its way while the seller pastes.
    let slow = Trouble::Latency(When::AfterEffect, std::time::Duration::from_secs(8));
    stack.temu().inject(Route::TokenInfo, Fault::new(slow).times(1));
    let visit = Visit::begin(&stack).await;
    let asked = || stack.temu().calls_to(Route::TokenInfo).iter().filter(|call| call.effect.is_some()).count();
    let before = asked();
    let (_, page) = tokio::join!(stack.invoke_sweep(), async {
        until(|| asked() > before).await;
        visit.paste_local(&new).await
    });
    drop(page.expect(200));
    let served = stack.vendor().token(LOCAL).await.expect(200).json();
    assert_eq!((&served["status"], &served["access_token"]), (&json!("active"), &json!(new)));
    assert_eq!(item(&stack, LOCAL).await["refusals"], 0);
}
