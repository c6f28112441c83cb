//! Nothing that is secret turns up where it does not belong, whatever goes wrong.

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Answer, Options, Stack};
use serde_json::json;
use simulators::tiktok_shop::{Fault, Route, Trouble, When};

use crate::setting::{DUE, SELLER_1, connect};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_in_any_log_page_or_answer() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let (vendor, platform) = (stack.vendor(), stack.tiktok_shop());
    let mut written = Vec::new();

    // The whole way, twice, with refreshes, and a lookup by every route.
    connect(&stack, "us", "seller-1", "acme").await;
    connect(&stack, "global", "seller-2", "acme").await;
    let tokens = [vendor.token(SELLER_1).await, vendor.token("tiktok-shop/global/seller-2").await];
    stack.age(DUE).await;
    written.push(stack.invoke_sweep().await.to_string());
    written.push(vendor.connection(SELLER_1).await.body);

    // And everything that goes wrong, at each side.
    for trouble in [
        Trouble::Drop(When::AfterEffect),
        Trouble::ServerError(When::BeforeEffect),
        Trouble::Truncated,
        Trouble::answer(When::BeforeEffect, 36_004_005, "no such token: your refresh_token"),
        Trouble::answer(When::BeforeEffect, 36_009_004, "Invalid app_key"),
    ] {
        stack.age(DUE).await;
        platform.inject(Route::TokenRefresh, Fault::new(trouble.clone()).times(1));
        written.push(stack.invoke_sweep().await.to_string());
        written.push(without_its_own_token(&vendor.refresh(SELLER_1, 1).await));
        platform.clear_faults(Route::TokenRefresh);

        platform.inject(Route::TokenGet, Fault::new(trouble).times(1));
        let session = vendor.connect_session(json!({"account_id": "acme"})).await;
        let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
        written.extend(back.page.map(|page| page.body));
        written.push(vendor.session(&session.session_id).await.body);
        platform.clear_faults(Route::TokenGet);
    }
    stack.age(DUE).await;
    for operation in ["GetSecretValue", "PutSecretValue"] {
        let down = AwsFault::new(FaultKind::Garbage).on(operation).times(4);
        let down = stack.secrets_manager().front().inject(down);
        written.push(stack.invoke_sweep().await.to_string());
        down.clear();
        stack.age(3_601).await;
    }
    let down = stack.dynamodb().front().inject(AwsFault::new(FaultKind::Garbage).on("GetItem").times(3));
    written.push(without_its_own_token(&vendor.token(SELLER_1).await));
    down.clear();

    stack.stop_functions();
    written.push(stack.output());
    let written = written.join("\n");
    assert!(written.contains("token read") && written.contains("connected"), "the run has written something");
    let secrets = stack.secrets_in_play();
    assert!(secrets.len() > 20, "{}", secrets.len());
    for secret in &secrets {
        let found = written.find(secret.as_str());
        assert!(found.is_none(), "a secret of {} characters was written: {}", secret.len(), around(&written, found));
    }
    for token in tokens {
        let own = token.expect(200).json()["access_token"].as_str().unwrap().to_owned();
        assert!(secrets.contains(&own), "the search knows the tokens that were served");
    }
}

/// The one place where a token may be.
fn without_its_own_token(answer: &Answer) -> String {
    let mut body = answer.json();
    body["access_token"].take();
    body.to_string()
}

fn around(text: &str, at: Option<usize>) -> &str {
    let at = at.unwrap_or_default();
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[line_start..].lines().next().unwrap_or_default()
}
