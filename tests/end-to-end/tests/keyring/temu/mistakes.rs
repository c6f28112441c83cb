//! What sellers do wrong: each ends in its own message.

use std::collections::BTreeMap;

use end_to_end::{Answer, Options, SellerKind, Stack};
use serde_json::{Value, json};
use simulators::temu::{App, Purpose, Region};

use super::setting::{CROSS_BORDER_MALL, LOCAL, LOCAL_MALL, Visit, issue};

const LIFE: u64 = 90 * 86_400;

/// Which field the token is pasted into, and for a local seller which site is chosen.
enum At {
    Local(&'static str),
    Field(&'static str),
}

async fn paste(stack: &Stack, at: &At, token: &str) -> Answer {
    let visit = Visit::begin(stack).await;
    match at {
        At::Local(site) => visit.paste(SellerKind::Local, &[("site", site), ("token", token)]).await,
        At::Field(field) => visit.paste_cross_border(&[(field, token)]).await,
    }
}

/// What the page says at the field, tags and all.
fn words(page: &Answer) -> String {
    let (_, message) = page.body.split_once("data-reason=").expect("a reason");
    message.split("</p>").next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_ends_in_its_own_message() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let temu = stack.temu();
    let us = stack.temu_app_key("us").to_owned();
    let token = |app: &str, mall, purpose| issue(&stack, app, mall, purpose);
    temu.add_app(App::new("somebody-elses", "the-secret-of-somebody-else", Region::Us));
    let few = || vec!["bg.open.accesstoken.info.get".to_owned(), "bg.goods.list.get".to_owned()];

    let replaced = token("us", LOCAL_MALL, Purpose::All);
    let expired = token("us", LOCAL_MALL, Purpose::All);
    temu.expire(&us, LOCAL_MALL, Purpose::All).unwrap();
    let revoked = token("us", CROSS_BORDER_MALL, Purpose::Order);
    assert!(temu.revoke(&us, CROSS_BORDER_MALL));
    let orders = token("us", CROSS_BORDER_MALL, Purpose::Order);
    let product = token("product", CROSS_BORDER_MALL, Purpose::Product);
    let lacking = temu.issue_with(&us, LOCAL_MALL, Purpose::All, few(), LIFE).unwrap();

    let mut said = BTreeMap::new();
    for (at, pasted, reason) in [
        (At::Local("us"), "my shop".to_owned(), "not_a_token"),
        (At::Local("us"), "https://seller.temu.com/open-platform/client-manage?x=1".to_owned(), "not_a_token"),
        (At::Local("us"), "x".repeat(56), "unknown"),
        (At::Local("us"), replaced, "expired_or_replaced"),
        (At::Local("us"), expired, "expired_or_replaced"),
        (At::Field("token_us"), revoked, "not_authorized"),
        (At::Local("us"), temu.issue("somebody-elses", LOCAL_MALL, Purpose::All).unwrap(), "other_app"),
        (At::Local("eu"), orders.clone(), "wrong_field"),
        (At::Field("token_eu"), orders, "wrong_field"),
        (At::Field("token_us"), product.clone(), "wrong_field"),
        (At::Field("token_global"), product, "wrong_field"),
        (At::Field("token_product"), token("global", CROSS_BORDER_MALL, Purpose::Order), "wrong_field"),
        (At::Field("token_product"), token("product", LOCAL_MALL, Purpose::All), "local_store"),
        (At::Local("us"), lacking, "permissions_missing"),
    ] {
        let page = paste(&stack, &at, &pasted).await.expect(422);
        assert_eq!(page.reasons(), [reason], "{}", page.body);
        assert!(!page.body.contains(&pasted), "what was pasted is printed back: {}", page.body);
        said.entry(reason).or_insert_with(|| words(&page));
    }
    let different: std::collections::BTreeSet<_> = said.values().collect();
    assert_eq!(different.len(), said.len(), "{said:#?}");
    assert!(said["permissions_missing"].contains("Local Order and Logistics Management"), "{said:#?}");
    assert!(stack.items(end_to_end::Table::Connections).await.is_empty(), "nothing of all that was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_sellers_token_in_the_product_field_is_told_where_it_belongs() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let page = paste(&stack, &At::Field("token_product"), &token).await.expect(422);
    let reasons = page.reasons();
    assert!(reasons == ["wrong_field"] || reasons == ["local_store"], "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendor_is_told_which_tokens_were_refused() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let view = async || stack.vendor().session(&visit.session.session_id).await.expect(200).json();
    let refused = |view: &Value| -> Vec<[String; 3]> {
        let tokens = view["refused_tokens"].as_array().into_iter().flatten();
        let all = tokens.inspect(|token| assert!(token["detail"].as_str().is_some_and(|detail| detail.len() > 20)));
        all.map(|token| ["app", "purpose", "reason"].map(|name| token[name].as_str().unwrap().to_owned())).collect()
    };
    let text = |values: [&str; 3]| values.map(str::to_owned);

    drop(visit.paste_cross_border(&[("token_product", "my shop")]).await.expect(422));
    let nothing = view().await;
    assert_eq!((&nothing["status"], &nothing["failure"]), (&json!("failed"), &json!("token_refused")), "{nothing}");
    assert_eq!(refused(&nothing), [text(["temu/product", "product", "not_a_token"])]);

    let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    let unknown = "x".repeat(56);
    let partly = visit.paste_cross_border(&[("token_product", &product), ("token_us", &unknown)]).await.expect(422);
    let both = view().await;
    assert_eq!(
        (&both["status"], &both["failure"]),
        (&json!("awaiting_confirmation"), &json!("token_refused")),
        "{both}"
    );
    assert_eq!(refused(&both), [text(["temu/us", "order", "unknown"])]);
    assert!(!both.to_string().contains(&unknown), "the token itself is not kept");
    let confirmed = visit.confirm(&partly).await;
    assert_eq!((&confirmed["status"], refused(&confirmed).len()), (&json!("finished"), 1), "{confirmed}");

    let orders = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
    drop(visit.paste_cross_border(&[("token_us", &orders)]).await.expect(200));
    let all = view().await;
    assert_eq!((all.get("failure"), all.get("refused_tokens")), (None, None), "{all}");
    assert_eq!(all["connections"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_that_only_add_something_are_no_mistake() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let permissions = Purpose::All.general_permissions();
    let token = stack.temu().issue_with(stack.temu_app_key("us"), LOCAL_MALL, Purpose::All, permissions, LIFE).unwrap();
    let page = Visit::begin(&stack).await.paste_local(&token).await.expect(200);
    assert!(page.body.contains("connected until"), "{}", page.body);
    assert!(page.body.contains("Not included, and not needed: Local Advertising Management"), "{}", page.body);
    assert!(stack.item(LOCAL).await.is_some());
    let told = stack.writes("Local Advertising Management", 1).await;
    assert!(told, "the operator can see what the seller left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pastes_nothing_is_asked_again() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    drop(visit.paste_local("  ").await.expect(422));
    drop(visit.paste_cross_border(&[("token_product", ""), ("token_us", "")]).await.expect(422));
    assert_eq!(stack.temu().calls().len(), 0);
}
