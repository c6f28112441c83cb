//! Fully managed sellers: a product token, and a compliance token of the GLOBAL app if they like.

use end_to_end::{Options, SellerKind, Stack};
use serde_json::json;
use simulators::temu::Purpose;

use super::setting::{ROUND, Visit, issue};

/// The fully managed seller fay's.
const MALL: u64 = 634_418_212_004;

#[tokio::test(flavor = "multi_thread")]
async fn a_fully_managed_seller_connects_products_and_compliance() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::FullyManaged).await;
    assert!(form.page.body.contains("Temu Compliance Permission Token (optional)"), "{}", form.page.body);
    assert!(!form.page.body.contains("token_us") && !form.page.body.contains("Order Permission"), "{}", form.page.body);
    let product = issue(&stack, "product", MALL, Purpose::Product);
    let compliance = issue(&stack, "global", MALL, Purpose::Compliance);
    let fields = [("token_product", product.as_str()), ("token_global", compliance.as_str())];
    let page = visit.paste(SellerKind::FullyManaged, &fields).await.expect(200);
    assert!(page.body.contains("Compliance token: connected"), "{}", page.body);
    let session = visit.confirm(&page).await;
    assert_eq!(session["connections"].as_array().unwrap().len(), 2, "{session}");

    for (app, purpose, token, routers) in
        [("product", "product", &product, 2), ("global", "compliance", &compliance, 1)]
    {
        let served = stack.vendor().token(&format!("temu/{app}/{MALL}")).await.expect(200).json();
        assert_eq!((&served["purpose"], &served["access_token"]), (&json!(purpose), &json!(token)));
        assert_eq!(served["api"]["routers"].as_array().unwrap().len(), routers, "{served}");
    }
    stack.age(ROUND).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnect_of_a_compliance_token_asks_for_that_one() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let compliance = issue(&stack, "global", MALL, Purpose::Compliance);
    let page = visit.paste(SellerKind::FullyManaged, &[("token_global", &compliance)]).await.expect(200);
    visit.confirm(&page).await;
    let reconnect = json!({ "account_id": "acme", "reconnect": format!("temu/global/{MALL}") });
    let again = Visit::begin_with(&stack, reconnect).await;
    let new = issue(&stack, "global", MALL, Purpose::Compliance);
    let form = again.browser.token_form(&again.session.connect_url, SellerKind::FullyManaged).await;
    assert!(form.page.body.contains("Temu Compliance Permission Token") && !form.page.body.contains("token_product"));
    drop(again.paste(SellerKind::FullyManaged, &[("token_global", &new)]).await.expect(200));
    let served = stack.vendor().token(&format!("temu/global/{MALL}")).await.expect(200).json();
    assert_eq!((&served["access_token"], &served["purpose"]), (&json!(new), &json!("compliance")));
}
