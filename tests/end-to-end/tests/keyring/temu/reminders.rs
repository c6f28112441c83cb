//! Before an authorization ends the vendor is reminded: at both marketplaces, each time once.

use end_to_end::{Function, Options, Stack};
use serde_json::Value;
use simulators::temu::Purpose;

use super::setting::{DAY, LOCAL, LOCAL_MALL, connected, issue, sweep_all, total};
use crate::setting::{SELLER_1, item};

/// The reminders so far, as they stand in the log.
fn reminders(stack: &Stack, connection: &str) -> Vec<u64> {
    let output = stack.output_of(Function::RefreshSweep);
    let lines = output.lines().filter_map(|line| line.find('{').and_then(|at| serde_json::from_str(&line[at..]).ok()));
    let sent = lines.filter(|line: &Value| line["event"] == "connection_expiring" && line["connection"] == connection);
    sent.map(|line| line["days"].as_u64().unwrap_or_else(|| panic!("no days: {line}"))).collect()
}

/// Lets days pass and everything be done that is then due; gives how often the summaries say `reminded`.
async fn days_pass(stack: &Stack, days: i64) -> u64 {
    stack.age(days * DAY).await;
    total(&sweep_all(stack).await, "reminded")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_sent_once_and_a_missed_one_not_after_the_next() {
    let stack = connected(Options::default()).await;
    assert_eq!(days_pass(&stack, 59).await, 0);
    assert_eq!(days_pass(&stack, 2).await, 1);
    assert_eq!(reminders(&stack, LOCAL), [30], "29 days are left");
    let health = stack.vendor().connection(LOCAL).await.expect(200).json();
    assert_eq!(health["reminded_days"], 30);

    // Further sweeps, and other processes, do not send it again.
    stack.kill(Function::RefreshSweep);
    stack.start_process(Function::RefreshSweep).unwrap();
    assert_eq!(days_pass(&stack, 5).await, 0);

    // The schedule stands still for twenty days: the one of 14 days is missed, that of 7 is sent alone.
    assert_eq!(days_pass(&stack, 18).await, 1);
    assert_eq!(reminders(&stack, LOCAL), [30, 7], "6 days are left");
    assert_eq!(days_pass(&stack, 1).await, 0);
    assert_eq!(days_pass(&stack, 2).await, 1);
    assert_eq!(days_pass(&stack, 2).await, 1);
    assert_eq!(reminders(&stack, LOCAL), [30, 7, 3, 1]);
    assert_eq!(days_pass(&stack, 2).await, 0, "and then it has ended");
    assert_eq!(item(&stack, LOCAL).await["reason"], "authorization_expired");
    assert_eq!(reminders(&stack, LOCAL), [30, 7, 3, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_authorization_begins_anew() {
    let stack = connected(Options::default()).await;
    assert_eq!(days_pass(&stack, 84).await, 1);
    assert_eq!(reminders(&stack, LOCAL), [7]);
    let new = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    drop(super::setting::Visit::begin(&stack).await.paste_local(&new).await.expect(200));
    assert_eq!(days_pass(&stack, 59).await, 0, "the new token lives for 90 days");
    assert_eq!(days_pass(&stack, 2).await, 1);
    assert_eq!(reminders(&stack, LOCAL), [7, 30]);

    // The end moves without a new token: to a later day, and what is told begins anew; to an earlier one, and it goes on.
    let (temu, us) = (stack.temu(), stack.temu_app_key("us"));
    for (left, sent) in [(60, 0), (13, 1)] {
        stack.age(DAY).await;
        temu.set_expiry(us, LOCAL_MALL, Purpose::All, temu.now() + left * 86_400).unwrap();
        assert_eq!(total(&sweep_all(&stack).await, "reminded"), sent, "{left} days are left");
    }
    assert_eq!(reminders(&stack, LOCAL), [7, 30, 14]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_just_authorized_is_not_reminded_of_what_is_past() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let permissions = Purpose::All.default_permissions();
    let us = stack.temu_app_key("us");
    // The seller chose ten days.
    let token = stack.temu().issue_with(us, LOCAL_MALL, Purpose::All, permissions, 10 * 86_400).unwrap();
    let visit = super::setting::Visit::begin(&stack).await;
    let page = visit.paste_local(&token).await.expect(200);
    visit.confirm(&page).await;
    assert_eq!(days_pass(&stack, 1).await, 0);
    assert_eq!(days_pass(&stack, 3).await, 1);
    assert_eq!(reminders(&stack, LOCAL), [7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sellers_at_tiktok_shop_are_reminded_of_as_well() {
    let options = Options { authorization_lifetime: Some(20 * 86_400), ..Options::default() };
    // So long that no refresh moves the end.
    let stack = crate::setting::connected(options.with_access_lifetime(60 * 86_400)).await;
    assert_eq!(days_pass(&stack, 1).await, 0);
    assert_eq!(days_pass(&stack, 6).await, 1);
    assert_eq!(days_pass(&stack, 1).await, 0);
    assert_eq!(days_pass(&stack, 10).await, 1);
    assert_eq!(reminders(&stack, SELLER_1), [14, 3], "7 was missed");
}
