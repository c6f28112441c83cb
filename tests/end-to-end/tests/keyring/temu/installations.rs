//! Installations that have not set up everything: what is not there is not offered.

use std::collections::BTreeMap;

use end_to_end::{Answer, Options, SellerKind, Stack};
use serde_json::json;
use simulators::temu::Purpose;

use super::setting::{CROSS_BORDER_MALL, LOCAL, LOCAL_MALL, ROUND, US_ORDERS, Visit, connect_local, issue};

/// The names of the fields that a form has.
fn fields(page: &Answer) -> Vec<&'static str> {
    let all = ["site", "token", "token_product", "token_us", "token_eu", "token_global"];
    all.into_iter().filter(|name| page.body.contains(&format!(r#" name="{name}""#))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn temu_alone() {
    let stack = Stack::start(Options { tiktok_shop_apps: Vec::new(), ..Options::default() }).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let page = visit.browser.open(&visit.session.connect_url).await.expect(303);
    assert!(page.redirect().path().ends_with("/temu"), "there is nothing else to choose");
    drop(visit.browser.open(&format!("{}/tiktok-shop/us", visit.session.connect_url)).await.expect(404));
    connect_local(&stack).await;
    stack.age(ROUND).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 1);
    drop(stack.vendor().token(LOCAL).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn tiktok_shop_alone() {
    let stack = Stack::start(Options { temu_apps: BTreeMap::new(), ..Options::default() }).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let page = visit.browser.open(&visit.session.connect_url).await.expect(200);
    assert!(!page.body.contains("Temu"), "{}", page.body);
    let temu = format!("{}/temu", visit.session.connect_url);
    drop(visit.browser.open(&temu).await.expect(404));
    drop(visit.browser.submit(&temu, &[("token", "x")]).await.expect(404));
    drop(visit.browser.open(&format!("{temu}/us")).await.expect(404));
    drop(visit.browser.open("/callback/temu/us?code=x&state=y").await.expect(404));
    crate::setting::connect(&stack, "us", "seller-1", "acme").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_region_alone() {
    let mut options = Options::default().with_temu_app("us", |us| us.code_flow = false);
    options.temu_apps.retain(|name, _| name == "us");
    let stack = Stack::start(options).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let local = visit.browser.token_form(&visit.session.connect_url, SellerKind::Local).await;
    assert_eq!(fields(&local.page), ["site", "token"]);
    assert!(local.hidden_fields().contains(&("site".to_owned(), "us".to_owned())), "there is nothing to choose");
    drop(visit.browser.open(&format!("{}/us", local.url)).await.expect(404));
    let cross_border = visit.browser.token_form(&visit.session.connect_url, SellerKind::SemiManaged).await;
    assert_eq!(fields(&cross_border.page), ["token_us"]);
    drop(cross_border.send(&[("token_product", "x")]).await.expect(400));

    let orders = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
    let page = visit.paste_cross_border(&[("token_us", &orders)]).await.expect(200);
    visit.confirm(&page).await;
    assert_eq!(stack.vendor().token(US_ORDERS).await.expect(200).json()["purpose"], json!("order"));
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    drop(Visit::begin(&stack).await.paste(SellerKind::Local, &[("token", &token)]).await.expect(200));
}
