//! A session for one connection alone, by a pasted token and by code.

use end_to_end::{Answer, Options, SellerKind, Stack};
use serde_json::{Value, json};
use simulators::temu::{Mall, MallType, Purpose, Seller};

use super::{
    code::{approved, chain, page_of},
    setting::{
        CROSS_BORDER_MALL, LOCAL, LOCAL_MALL, PRODUCT, ROUND, US_ORDERS, Visit, connect_local, found_by_the_watch,
        issue,
    },
};
use crate::setting::item;

/// Another local store of the same app.
const OTHER_MALL: u64 = 634_418_212_009;
const OTHER: &str = "temu/us/634418212009";

/// [`LOCAL`] is connected for `acme`, and there is another seller.
async fn stack() -> Stack {
    let mut options = Options::default();
    let mall = Mall::new(OTHER_MALL, MallType::Local);
    options.temu_sellers.push(Seller::new("other").with_mall(mall));
    let stack = Stack::start(options).await.unwrap();
    connect_local(&stack).await;
    stack
}

/// A visit by a session of `acme` for this connection alone.
async fn visit_for<'a>(stack: &'a Stack, connection: &str) -> Visit<'a> {
    Visit::begin_with(stack, json!({ "account_id": "acme", "reconnect": connection })).await
}

/// Connects a store for this account, by a pasted token.
async fn connect_store(stack: &Stack, account: &str, mall: u64) {
    let visit = Visit::begin_with(stack, json!({ "account_id": account })).await;
    let page = visit.paste_local(&issue(stack, "us", mall, Purpose::All)).await.expect(200);
    visit.confirm(&page).await;
}

async fn works(stack: &Stack, connection: &str) -> Value {
    let token = stack.vendor().token(connection).await.expect(200).json();
    assert!(stack.temu().accepts(token["access_token"].as_str().unwrap()), "{connection} has a dead token");
    token
}

/// The page and the session say that the token is another store's.
async fn told_of_another_store(visit: &Visit<'_>, page: Answer) {
    assert_eq!(page.reasons(), ["other_seller"], "{}", page.body);
    assert!(
        page.body.contains("belongs to store 634418212009, and this link is for store 634418212001"),
        "{}",
        page.body
    );
    assert!(page.body.contains("take back its permission"), "{}", page.body);
    assert_eq!(
        (page.way_back(), page.checkbox("other_store_us")),
        (None, None),
        "nothing to confirm, nothing to agree"
    );
    let told = visit.stack.vendor().session(&visit.session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["failure"]), (&json!("failed"), &json!("other_seller")), "{told}");
    assert_eq!(told["connections"], json!([]), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_whose_token_was_taken_back_is_connected_anew() {
    let stack = stack().await;
    stack.temu().revoke(stack.temu_app_key("us"), LOCAL_MALL);
    found_by_the_watch(&stack).await;
    assert_eq!(item(&stack, LOCAL).await["status"], "reauthorization_required");
    let visit = visit_for(&stack, LOCAL).await;
    let page = visit.paste_local(&issue(&stack, "us", LOCAL_MALL, Purpose::All)).await.expect(200);
    assert!(page.body.contains("connected until") && !page.body.contains("more tokens"), "{}", page.body);
    let confirmed = visit.confirm(&page).await;
    assert_eq!((&confirmed["status"], &confirmed["reconnect"]), (&json!("finished"), &json!(LOCAL)), "{confirmed}");
    assert_eq!(works(&stack, LOCAL).await["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_goes_by_its_label_until_temu_gives_its_name() {
    let stack = stack().await;
    let vendor = stack.vendor();
    drop(vendor.patch(LOCAL, Some("*"), &json!({ "label": "Shelf 4" })).await.expect(200));
    let visit = visit_for(&stack, LOCAL).await;
    let page = visit.paste_local(&issue(&stack, "us", OTHER_MALL, Purpose::All)).await.expect(422);
    assert!(page.body.contains("this link is for “Shelf 4”"), "{}", page.body);
    let page = visit.paste_local(&issue(&stack, "us", LOCAL_MALL, Purpose::All)).await.expect(200);
    assert!(page.body.contains("(“Shelf 4”)"), "{}", page.body);
    visit.confirm(&page).await;

    // Some gateways give a name, which the daily check takes over.
    stack.temu().configure(|settings| settings.says_unique_id = true);
    stack.age(ROUND).await;
    assert_eq!(stack.invoke_sweep().await["verified"], 1);
    let named = vendor.connection(LOCAL).await.expect(200).json();
    assert_eq!((&named["seller_name"], &named["label"]), (&named["shops"][0]["name"], &json!("Shelf 4")));
    let name = named["seller_name"].as_str().unwrap();
    let visit = visit_for(&stack, LOCAL).await;
    let page = visit.browser.open(&format!("{}/temu", visit.session.connect_url)).await.expect(200);
    assert!(page.body.contains(&format!("“{}”", name.replace('\'', "&#39;"))), "{name}: {}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_stores_token_is_refused_and_not_stored() {
    let stack = stack().await;
    let before = item(&stack, LOCAL).await;
    let visit = visit_for(&stack, LOCAL).await;
    let page = visit.paste_local(&issue(&stack, "us", OTHER_MALL, Purpose::All)).await.expect(422);
    told_of_another_store(&visit, page).await;
    assert!(stack.item(OTHER).await.is_none() && stack.token_set(OTHER, None).await.is_none());
    assert_eq!(item(&stack, LOCAL).await, before);

    // The right one, in the same form: confirmed with the same result.
    let page = visit.paste_local(&issue(&stack, "us", LOCAL_MALL, Purpose::All)).await.expect(200);
    assert_eq!(visit.confirm(&page).await["status"], "finished");
    works(&stack, LOCAL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_fails_later_takes_no_confirmation_from_one_before() {
    let stack = stack().await;
    drop(stack.vendor().disconnect(LOCAL).await.expect(200));
    let visit = visit_for(&stack, LOCAL).await;
    let good = visit.paste_local(&issue(&stack, "us", LOCAL_MALL, Purpose::All)).await.expect(200);
    let page = visit.paste_local(&issue(&stack, "us", OTHER_MALL, Purpose::All)).await.expect(422);
    assert_eq!(page.reasons(), ["other_seller"]);
    let confirmed = visit.confirm(&good).await;
    assert_eq!((&confirmed["status"], &confirmed["failure"]), (&json!("finished"), &json!("other_seller")));
    works(&stack, LOCAL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_store_of_any_account_is_renewed_where_it_is() {
    for account in ["acme", "other"] {
        let stack = stack().await;
        connect_store(&stack, account, OTHER_MALL).await;
        stack.age(100).await;
        let old = works(&stack, OTHER).await;
        let visit = visit_for(&stack, LOCAL).await;
        let page = visit.paste_local(&issue(&stack, "us", OTHER_MALL, Purpose::All)).await.expect(422);
        told_of_another_store(&visit, page).await;
        assert!(!stack.temu().accepts(old["access_token"].as_str().unwrap()), "re-issuing has ended it");
        let new = works(&stack, OTHER).await;
        assert_eq!((&new["version"], &new["account_id"]), (&json!(2), &json!(account)));
        assert_eq!(works(&stack, LOCAL).await["version"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cross_border_stores_product_token_has_the_one_field() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    let orders = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
    let page = visit.paste_cross_border(&[("token_product", &product), ("token_us", &orders)]).await.expect(200);
    visit.confirm(&page).await;

    let again = visit_for(&stack, PRODUCT).await;
    // Whatever kind of seller the address names, there is the one field.
    for query in ["", "?seller=local", "?seller=semi-managed"] {
        let form = again.browser.open(&format!("{}/temu{query}", again.session.connect_url)).await.expect(200);
        assert!(form.body.contains("token_product") && !form.body.contains("token_us"), "{}", form.body);
        assert!(!form.links().iter().any(|link| link.contains("seller=")), "{:?}", form.links());
    }
    let form = again.browser.token_form(&again.session.connect_url, SellerKind::SemiManaged).await;
    drop(form.send(&[("token_us", &orders)]).await.expect(400));
    let page = again.paste_cross_border(&[("token_product", &orders)]).await.expect(422);
    assert_eq!(page.reasons(), ["wrong_field"]);
    assert!(page.body.contains("alone") && !page.body.contains("paste it there"), "{}", page.body);

    let anew = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    drop(again.paste_cross_border(&[("token_product", &anew)]).await.expect(200));
    assert_eq!(works(&stack, PRODUCT).await["version"], 2);
    assert_eq!(works(&stack, US_ORDERS).await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_stores_in_one_authorization_only_the_one_counts_and_none_is_lost() {
    let stack = Stack::start(Options { temu_sellers: vec![chain()], ..Options::default() }).await.unwrap();
    let store = |mall: u64| format!("temu/us/{mall}");
    connect_store(&stack, "acme", 9_001).await;
    connect_store(&stack, "other", 9_002).await;
    stack.age(100).await;
    let visit = visit_for(&stack, &store(9_001)).await;
    let back = visit.browser.come_back(&approved(&visit, "us", "chain").await).await;
    assert_eq!(back.parameter("status").as_deref(), Some("connected"), "straight back: {back:?}");
    let confirmed = stack.vendor().confirm(&visit.session.session_id, back.result()).await.expect(200).json();
    assert_eq!(confirmed["connections"].as_array().map(Vec::len), Some(1), "{confirmed}");
    assert_eq!(
        (&confirmed["connections"][0]["connection"], &confirmed["failure"]),
        (&json!(store(9_001)), &Value::Null)
    );
    for (mall, account) in [(9_001, "acme"), (9_002, "other")] {
        let token = works(&stack, &store(mall)).await;
        assert_eq!((&token["version"], &token["account_id"]), (&json!(2), &json!(account)), "{mall}");
    }
    assert!(stack.item(&store(9_003)).await.is_none(), "nothing new comes of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_seller_by_code_is_refused() {
    let stack = stack().await;
    let visit = visit_for(&stack, LOCAL).await;
    let page = page_of(visit.browser.come_back(&approved(&visit, "us", "other").await).await).expect(200);
    assert!(page.body.contains("That was another shop"), "{}", page.body);
    assert!(stack.item(OTHER).await.is_none());
    let told = stack.vendor().session(&visit.session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["failure"]), (&json!("failed"), &json!("other_seller")), "{told}");
    // The European app is another one's.
    drop(visit.browser.open(&format!("{}/temu/eu", visit.session.connect_url)).await.expect(403));
    works(&stack, LOCAL).await;
}
