//! What can be wrong with the way back from Temu.

use end_to_end::{Options, Stack};
use serde_json::json;
use simulators::temu::{Fault, Route, Trouble, When};

use super::{
    code::{approved, page_of, with},
    setting::{LOCAL, Visit},
};

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_is_told_what_to_do() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let link = visit.browser.leave_for_temu(&visit.session.connect_url, "us").await;
    let denied = visit.browser.deny(&link).await;
    let page = page_of(visit.browser.come_back(&denied).await).expect(200);
    assert!(page.asked.contains("/result/"), "a clean address: {}", page.asked);
    assert!(page.body.contains("https://vendor.example/shops/connected?session_id="), "{}", page.body);
    assert_eq!(stack.vendor().session(&visit.session.session_id).await.json()["status"], "failed");
    assert_eq!(stack.temu().calls().len(), 0);

    // And may say yes after all, by the same link.
    let callback = approved(&visit, "us", "mia").await;
    let back = visit.browser.come_back(&callback).await;
    drop(stack.vendor().confirm(&visit.session.session_id, back.result()).await.expect(200));
    drop(stack.vendor().token(LOCAL).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_works_once_in_its_browser_for_its_app() {
    let stack = Stack::start(Options { unsolicited: Some("refuse"), ..Options::default() }).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "mia").await;
    let eu_path = callback.as_str().replace("/callback/temu/us", "/callback/temu/eu");
    let tiktok_path = callback.as_str().replace("/callback/temu/us", "/callback/tiktok-shop/us");
    let eu_router = stack.temu().addresses().eu.to_string();
    let eu_path_and_host = with(&eu_path.parse().unwrap(), "callback_host", Some(&eu_router));
    for (url, status) in [
        (with(&callback, "state", Some("forged-state-of-somebody-else-1234567890123")).into(), 400),
        (with(&callback, "state", None).to_string(), 403),
        (with(&callback, "app_key", Some("another-app")).to_string(), 400),
        (format!("{callback}&state=x"), 400),
        (format!("{callback}&code=x"), 400),
        (format!("{callback}&callback_host=x"), 400),
        (eu_path, 400),
        (with(&eu_path_and_host, "app_key", None).to_string(), 400),
        (tiktok_path, 400),
        (callback.as_str().replace("/callback/temu/us", "/callback/temu/mars"), 404),
    ] {
        let page = visit.browser.open(&url).await;
        assert_eq!(page.status, status, "{}: {}", page.asked, page.body);
    }
    drop(stack.browser().open(callback.as_str()).await.expect(403));
    assert_eq!(stack.temu().calls().len(), 0, "none of these spends the code");

    stack.age(31 * 60).await;
    drop(visit.browser.open(callback.as_str()).await.expect(410));
    assert_eq!(stack.temu().calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_answers_end_in_a_page() {
    let stack = Stack::start(Options::default()).await.unwrap();
    for spoiled in [Some("null"), Some("%00\u{1}"), Some("<script>alert(1)</script>"), None] {
        let visit = Visit::begin(&stack).await;
        let callback = with(&approved(&visit, "us", "mia").await, "code", spoiled);
        let page = page_of(visit.browser.come_back(&callback).await);
        assert!(page.status < 500 && !page.body.contains("<script>"), "{spoiled:?}: {} {}", page.status, page.body);
        assert_eq!(stack.vendor().session(&visit.session.session_id).await.json()["status"], "failed", "{spoiled:?}");
    }
    assert!(stack.item(LOCAL).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_without_the_code_flow_has_no_way_out() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    for app in ["global", "product", "mars", "US"] {
        drop(visit.browser.open(&format!("{}/temu/{app}", visit.session.connect_url)).await.expect(404));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn temu_that_fails_at_that_moment_ends_in_a_page() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let us = stack.temu_app_key("us");
    for (route, trouble) in [
        (Route::TokenCreate, Trouble::Drop(When::BeforeEffect)),
        (Route::TokenCreate, Trouble::ServerError(When::AfterEffect)),
        (Route::TokenCreate, Trouble::Truncated),
        (Route::TokenInfo, Trouble::Drop(When::AfterEffect)),
    ] {
        stack.temu().inject(route, Fault::new(trouble.clone()));
        let visit = Visit::begin(&stack).await;
        let callback = approved(&visit, "us", "mia").await;
        let page = page_of(visit.browser.come_back(&callback).await).expect(200);
        assert!(page.body.contains("did not answer"), "{trouble:?}: {}", page.body);
        stack.temu().clear_faults(route);
        assert!(stack.item(LOCAL).await.is_none(), "{trouble:?}");
    }
    stack.temu().update_app(us, |app| app.ip_allowed = false).unwrap();
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "mia").await;
    let page = page_of(visit.browser.come_back(&callback).await).expect(200);
    assert!(page.body.contains("our mistake, not yours"), "{}", page.body);
    assert!(stack.writes("configuration_fault", 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_confirmation_the_seller_agrees_before_leaving() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let body = json!({"account_id": "acme", "account_label": "Mia's shops", "confirm": false});
    let visit = Visit::begin_with(&stack, body).await;
    let way_out = format!("{}/temu/us", visit.session.connect_url);
    let page = visit.browser.open(&way_out).await.expect(200);
    assert!(page.body.contains("Mia&#39;s shops") && page.header("set-cookie").is_some(), "{}", page.body);
    drop(stack.browser().submit(&way_out, &[]).await.expect(403));
    let link = visit.browser.submit(&way_out, &[]).await.redirect();
    let callback = visit.browser.approve(&link, "mia").await;
    drop(visit.browser.come_back(&callback).await);
    drop(stack.vendor().token(LOCAL).await.expect(200));
}
