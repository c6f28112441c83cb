//! Connect sessions: what the vendor opens, and what the seller sees of it.

use end_to_end::{Options, Stack, Table};
use reqwest::Method;
use serde_json::json;
use simulators::tiktok_shop::Route;

use crate::setting::SELLER_1;

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_page_consumes_nothing_and_ends_with_its_session() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.vendor().connect_session(json!({"account_id": "acme", "account_label": "Nina's shops"})).await;
    for _ in 0..3 {
        let page = stack.browser().open(&session.connect_url).await.expect(200);
        assert!(page.body.contains("Nina&#39;s shops") && page.body.contains("United States"), "{}", page.body);
        assert!(page.header("set-cookie").is_some(), "a browser has its cookie from its first page on");
    }
    assert_eq!(stack.items(Table::ConnectSessions).await.len(), 1, "the session, and no visit");
    drop(stack.browser().open("/connect/no-such-session").await.expect(404));
    drop(stack.browser().open(&format!("{}/tiktok-shop/mars", session.connect_url)).await.expect(404));
    stack.age(3_601).await;
    assert!(stack.browser().open(&session.connect_url).await.expect(410).body.contains("expired"));
    drop(stack.browser().open(&format!("{}/tiktok-shop/us", session.connect_url)).await.expect(410));
    assert_eq!(stack.vendor().session(&session.session_id).await.json()["status"], "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_confirmation_the_seller_agrees_by_a_button() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let body = json!({"account_id": "acme", "account_label": "Nina's shops", "confirm": false});
    let opened = vendor.open_session(&body).await.expect(201).json();
    let way_out = format!("{}/tiktok-shop/us", opened["connect_url"].as_str().unwrap());

    // A form that did not come from our own page brings no cookie along.
    drop(stack.browser().submit(&way_out, &[]).await.expect(403));

    let browser = stack.browser();
    let page = browser.open(&way_out).await.expect(200);
    assert!(page.body.contains("Nina&#39;s shops") && page.header("set-cookie").is_some());
    // Its form leads to a marketplace, and perhaps on into that one's app; no other page's does.
    let policy = page.header("content-security-policy").unwrap();
    assert!(!policy.contains("form-action"), "{policy}");
    let connect = browser.open(opened["connect_url"].as_str().unwrap()).await.expect(200);
    let policy = connect.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self';"), "{policy}");
    let link = browser.submit(&way_out, &[]).await.redirect();
    let callback = browser.authorize(&link, "seller-1").await;
    let page = browser.come_back(&callback).await.page.unwrap();
    assert!(page.body.contains("Your shop is connected"), "{}", page.body);
    drop(vendor.token(SELLER_1).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_session_is_said() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let back = "https://vendor.example/shops";
    for (body, what) in [
        (json!({}), "account_id"),
        (json!({"account_id": "", "return_url": back}), "account id"),
        (json!({"account_id": "a"}), "return_url"),
        (
            json!({"account_id": "a", "return_url": "https://vendor.example/elsewhere"}),
            "`https://vendor.example/shops`",
        ),
        (json!({"account_id": "a", "return_url": "https://other.example:8443/shops"}), "`https://other.example:8443`"),
        (json!({"account_id": "a", "return_url": back, "expires_in": 5}), "expires_in"),
        (json!({"account_id": "a", "return_url": back, "typo": 5}), "typo"),
    ] {
        let answer = vendor.open_session(&body).await;
        let status = answer.status;
        assert!((400..=422).contains(&status), "{body}: {status}");
        assert_eq!(answer.code().as_deref(), Some("bad_request"), "{body}");
        assert!(answer.body.contains(what), "{body}: {}", answer.body);
    }
    drop(vendor.session("no-such-session").await.expect(404));
    drop(vendor.confirm("no-such-session", "x").await.expect(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_twice_changes_nothing_more() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    let other = vendor.connect_session(json!({"account_id": "other"})).await;
    assert_eq!(
        vendor.confirm(&other.session_id, back.result()).await.expect(404).code().as_deref(),
        Some("result_not_found")
    );
    drop(vendor.confirm(&session.session_id, back.result()).await.expect(200));
    let once = stack.item(SELLER_1).await;
    drop(vendor.confirm(&session.session_id, back.result()).await.expect(200));
    assert_eq!(stack.item(SELLER_1).await, once);
    assert_eq!(stack.tiktok_shop().effects(Route::TokenGet), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_another_customer_confirms_nothing() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let session = vendor.connect_session(json!({ "account_id": "attacker" })).await;
    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    // The seller is logged in as another customer.
    let refused = vendor.confirm_for(&session.session_id, back.result(), "victim").await.expect(409);
    assert_eq!(refused.code().as_deref(), Some("account_mismatch"));
    drop(vendor.token(SELLER_1).await.expect(409));
    let malformed = vendor.confirm_for(&session.session_id, back.result(), "").await.expect(400);
    assert!(malformed.body.contains("account id"), "{}", malformed.body);
    let path = format!("/v1/connect-sessions/{}/confirm", session.session_id);
    let nobody = json!({ "result": back.result(), "account_id": null });
    drop(vendor.send(Method::POST, &path, Some(&nobody)).await.expect(400));
    drop(vendor.confirm_for(&session.session_id, back.result(), "attacker").await.expect(200));
    drop(vendor.token(SELLER_1).await.expect(200));
}
