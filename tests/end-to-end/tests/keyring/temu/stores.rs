//! Whose store it is.

use end_to_end::{Options, SellerKind, Stack};
use serde_json::{Value, json};
use simulators::temu::{Mall, MallType, Purpose, Seller};

use super::setting::{CROSS_BORDER_MALL, LOCAL, LOCAL_MALL, PRODUCT, Visit, connected, issue};
use crate::setting::item;

const OTHER_MALL: u64 = 634_418_212_009;

#[tokio::test(flavor = "multi_thread")]
async fn another_store_than_the_one_before_is_asked_about() {
    let mut options = Options::default();
    options.temu_sellers.push(Seller::new("other").with_mall(Mall::new(OTHER_MALL, MallType::SemiManaged)));
    let stack = Stack::start(options).await.unwrap();
    let orders = "temu/us/634418212009";
    let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    let of_other_store = issue(&stack, "us", OTHER_MALL, Purpose::Order);
    let visit = Visit::begin(&stack).await;
    let page =
        visit.paste_cross_border(&[("token_product", &product), ("token_us", &of_other_store)]).await.expect(422);
    assert_eq!(page.reasons(), ["other_store"]);
    assert_eq!(item(&stack, PRODUCT).await["token_version"], 1);
    assert!(stack.item(orders).await.is_none());
    let mall = page.checkbox("other_store_us").expect("a box to say that it is meant so");
    assert_eq!(mall, "634418212009");

    // Not without the box, not with another store's, and with it.
    for (agreed, status) in [(None, 422), (Some("634418212002"), 422), (Some(mall.as_str()), 200)] {
        let mut fields = vec![("token_us", of_other_store.as_str())];
        fields.extend(agreed.map(|mall| ("other_store_us", mall)));
        let page = visit.paste_cross_border(&fields).await.expect(status);
        assert_eq!(page.reasons().len(), usize::from(status == 422), "{}", page.body);
    }
    assert_eq!(item(&stack, orders).await["token_version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_account_is_refused_and_not_harmed() {
    let stack = connected(Options::default()).await;
    stack.age(100).await;
    // Re-issuing has ended the token of the connection that is there.
    let new = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin_with(&stack, json!({"account_id": "other"})).await;
    let page = visit.paste_local(&new).await.expect(422);
    assert_eq!(page.reasons(), ["account_conflict"]);
    assert_eq!(page.way_back(), None, "nothing to confirm");
    let told = stack.vendor().session(&visit.session.session_id).await.expect(200).json();
    assert_eq!(told["connections"], json!([]), "{told}");
    let served = stack.vendor().token(LOCAL).await.expect(200).json();
    assert_eq!(served["account_id"], "acme", "never moved silently");
    assert!(stack.temu().accepts(served["access_token"].as_str().unwrap()), "and not left with a dead token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_authorization_is_not_overwritten() {
    let stack = connected(Options::default()).await;
    let mut later = item(&stack, LOCAL).await;
    later["granted_at"] = json!(later["granted_at"].as_i64().unwrap() + 1_000);
    stack.put_item(&later).await;
    let new = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let page = Visit::begin(&stack).await.paste_local(&new).await.expect(422);
    assert_eq!(page.reasons(), ["overtaken"]);
    assert_eq!(item(&stack, LOCAL).await, later);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_link_stays_pending_and_is_gone_after_an_hour() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let forwarded = Visit::begin_with(&stack, json!({"account_id": "attacker"})).await;
    drop(forwarded.paste_local(&token).await.expect(200));
    assert_eq!(stack.vendor().token(LOCAL).await.expect(409).code().as_deref(), Some("pending"));
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["removed"], 1);
    assert!(stack.item(LOCAL).await.is_none() && stack.token_set(LOCAL, None).await.is_none());

    // The very same token, by the seller's own account.
    let visit = Visit::begin(&stack).await;
    let page = visit.paste_local(&token).await.expect(200);
    visit.confirm(&page).await;
    assert_eq!(stack.vendor().token(LOCAL).await.expect(200).json()["account_id"], "acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pastes_the_same_token_in_another_visit_can_have_it_confirmed_there() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    drop(Visit::begin(&stack).await.paste_local(&token).await.expect(200));
    let again = Visit::begin(&stack).await;
    let page = again.paste_local(&token).await.expect(200);
    assert_eq!(stack.vendor().token(LOCAL).await.expect(409).code().as_deref(), Some("pending"));
    again.confirm(&page).await;
    assert_eq!(stack.vendor().token(LOCAL).await.expect(200).json()["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_sent_twice_at_once_connects_once() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin(&stack).await;
    let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::Local).await;
    let fields = [("site", "us"), ("token", token.as_str())];
    let (one, other) = tokio::join!(form.send(&fields), form.send(&fields));
    assert!(one.status == 303 || other.status == 303, "{} {}: {}", one.status, other.status, one.body);
    assert!(one.status < 500 && other.status < 500, "{} {}", one.status, other.status);
    let page = visit.browser.open(&format!("{}?seller=local", form.url)).await.expect(200);
    visit.confirm(&page).await;
    let served = stack.vendor().token(LOCAL).await.expect(200).json();
    assert_eq!(served["access_token"], token.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_browser_with_the_same_link_sees_nothing_of_what_was_connected() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin(&stack).await;
    let page = visit.paste_local(&token).await.expect(200);
    assert!(page.way_back().is_some());
    let stranger = stack.browser();
    let seen = stranger.open(&format!("{}/temu?seller=local", visit.session.connect_url)).await.expect(200);
    assert!(!seen.body.contains("connected until") && seen.way_back().is_none(), "{}", seen.body);
    let told = stack.vendor().session(&visit.session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["failure"]), (&json!("awaiting_confirmation"), &Value::Null), "{told}");
}
