//! The audit: each token that was served has its line, and so has each change of a token or a status.

use emulators::front::{Fault, FaultKind};
use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};

use crate::setting::{DUE, SELLER_1, US_APP_KEY, connect, connected};

/// The caller of the stack.
const CALLER: &str = "arn:aws:iam::123456789012:user/order-hub";

#[tokio::test(flavor = "multi_thread")]
async fn each_token_that_was_served_has_its_line_and_no_other() {
    let stack = connected(Options::default().with_processes(Function::TokenLookup, 1)).await;
    connect(&stack, "us", "seller-2", "acme").await;
    let vendor = stack.vendor();
    let mut served = Vec::new();
    let mut note = |answer: end_to_end::Answer| {
        if answer.status == 200 {
            let token = answer.json();
            served.push((token["connection"].clone(), token["version"].clone()));
        }
    };
    for _ in 0..3 {
        note(vendor.token(SELLER_1).await);
        note(vendor.token_by_shop("tiktok-shop/us/shop-2").await);
    }
    stack.age(DUE).await;
    note(vendor.refresh(SELLER_1, 1).await);
    note(vendor.token_for(SELLER_1, 86_400 / 2).await);
    // What is not served has no line.
    note(vendor.token("tiktok-shop/us/nobody").await);
    drop(vendor.connection(SELLER_1).await);
    let down = stack.secrets_manager().front().inject(Fault::new(FaultKind::ErrorBefore).on("GetSecretValue").always());
    stack.kill(Function::TokenLookup);
    stack.start_process(Function::TokenLookup).unwrap();
    note(vendor.token(SELLER_1).await);
    down.clear();
    note(vendor.token(SELLER_1).await);

    stack.stop_functions();
    let lines = audited(&stack, "token_read");
    let logged: Vec<_> = lines.iter().map(|line| (line["connection"].clone(), line["version"].clone())).collect();
    assert_eq!(logged, served);
    assert_eq!(served.len(), 9, "the run has served some");
    for line in &lines {
        assert_eq!((&line["caller"], &line["source_ip"]), (&json!(CALLER), &json!("127.0.0.1")), "{line}");
        assert!(line["span"]["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
    }
    let from_cache: Vec<_> = lines.iter().map(|line| line["from_cache"].as_bool().unwrap()).collect();
    assert_eq!(from_cache[..6], [false, false, true, true, true, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_has_a_line_with_its_cause() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    stack.invoke_sweep().await;
    assert!(stack.tiktok_shop().deauthorize(US_APP_KEY, "seller-1"));
    for pause in [DUE, 86_400] {
        stack.age(pause).await;
        stack.invoke_sweep().await;
    }
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    drop(stack.browser().connect(&session.connect_url, "us", "seller-2").await);
    stack.age(3_601).await;
    stack.invoke_sweep().await;

    stack.stop_functions();
    let of = |connection: &str| {
        let lines = stack.output();
        let lines =
            lines.lines().filter_map(line).filter(|line| line["audit"] == "changed" || line["audit"] == "removed");
        let lines = lines.filter(|line| line["connection"] == connection);
        let told = lines.map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            let attempt = if line.get("attempt").is_some() { "attempt" } else { "-" };
            [text("cause"), text("status_before"), text("status"), text("reason"), attempt.to_owned()].join(" ")
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(
        of(SELLER_1),
        [
            "grant - pending - attempt",
            "grant pending pending - attempt",
            "confirmation pending active - -",
            "refresh active active - attempt",
            "refusal active reauthorization_required refused attempt",
            "disconnect reauthorization_required disconnected - -",
        ]
    );
    let unconfirmed = of("tiktok-shop/us/seller-2");
    assert_eq!(unconfirmed.last().unwrap(), "unconfirmed pending - - attempt");
    let by_vendor = audited(&stack, "changed");
    let by_vendor = by_vendor.iter().find(|line| line["cause"] == "disconnect").unwrap();
    assert_eq!(by_vendor["span"]["caller"], CALLER);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_there_at_every_log_level() {
    let mut options = Options::default();
    for function in Function::ALL {
        options = options.with_variable(function, "LOG_LEVEL", "error");
    }
    let stack = connected(options).await;
    drop(stack.vendor().token(SELLER_1).await.expect(200));
    stack.age(DUE).await;
    stack.invoke_sweep().await;
    stack.stop_functions();
    let read = audited(&stack, "token_read");
    assert_eq!(read.len(), 1);
    assert_eq!((&read[0]["caller"], &read[0]["span"]["caller"]), (&json!(CALLER), &json!(CALLER)));
    assert!(audited(&stack, "changed").iter().any(|line| line["cause"] == "refresh"));
    assert_eq!(audited(&stack, "session_opened")[0]["account_id"], "acme");
    assert!(!stack.output().contains("\"worked on\""), "what is no audit follows LOG_LEVEL");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_moves_a_connection_to_an_account_is_told_with_the_one_before() {
    let stack = connected(Options::default()).await;
    let account = |account: &str| json!({ "account_id": account });
    for given in ["another", "another"] {
        drop(stack.vendor().patch(SELLER_1, Some("*"), &account(given)).await.expect(200));
    }
    stack.stop_functions();
    let lines = audited(&stack, "assigned");
    assert_eq!(lines.len(), 1, "a change that changes nothing is none");
    assert_eq!((&lines[0]["account_id_before"], &lines[0]["account_id"]), (&json!("acme"), &json!("another")));
    assert_eq!(lines[0]["span"]["caller"], CALLER);
}

fn audited(stack: &Stack, audit: &str) -> Vec<Value> {
    stack.output().lines().filter_map(line).filter(|line| line["audit"] == audit).collect()
}

/// A line of a function's log, without the name of the process before it.
fn line(text: &str) -> Option<Value> {
    serde_json::from_str(&text[text.find('{')?..]).ok()
}
