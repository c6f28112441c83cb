//! The code flow of local sellers.

use end_to_end::{Answer, Browser, Options, Returned, Stack};
use reqwest::Url;
use serde_json::json;
use simulators::temu::{Mall, MallType, Region, Route, Router, Seller};

use super::setting::{LOCAL, Visit};

/// Three malls in the United States, one in Europe.
pub(super) fn chain() -> Seller {
    let mall = |id| Mall::new(id, MallType::Local);
    let seller = Seller::new("chain").with_mall(mall(9_001)).with_mall(mall(9_002)).with_mall(mall(9_003));
    seller.with_mall(mall(9_004).at(Region::Eu, 76))
}

/// A seller who has said yes, with the callback not yet visited.
pub(super) async fn approved(visit: &Visit<'_>, app: &str, seller: &str) -> Url {
    let link = visit.browser.leave_for_temu(&visit.session.connect_url, app).await;
    visit.browser.approve(&link, seller).await
}

/// The page that the seller ends on; panics at the vendor's address.
#[track_caller]
pub(super) fn page_of(back: Returned) -> Answer {
    let url = back.url;
    back.page.unwrap_or_else(|| panic!("no page of ours but {url}"))
}

pub(super) fn with(callback: &Url, name: &str, value: Option<&str>) -> Url {
    let kept = callback.query_pairs().filter(|(known, _)| known != name);
    let kept: Vec<_> = kept.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let mut url = callback.clone();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    url
}

async fn come_back_and_confirm(stack: &Stack, browser: &Browser, callback: &Url) -> serde_json::Value {
    let back = browser.come_back(callback).await;
    assert_eq!(back.parameter("status").as_deref(), Some("connected"), "{back:?}");
    let session = back.parameter("session_id").unwrap();
    stack.vendor().confirm(&session, back.result()).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_seller_comes_by_code() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let visit = Visit::begin(&stack).await;
    let form = format!("{}/temu?seller=local", visit.session.connect_url);
    let links = visit.browser.open(&form).await.expect(200).links();
    for (app, offered) in [("us", true), ("eu", true), ("global", false), ("product", false)] {
        let way_out = format!("/temu/{app}");
        assert_eq!(links.iter().any(|link| link.ends_with(&way_out)), offered, "{app}: {links:?}");
    }
    let callback = approved(&visit, "us", "mia").await;
    assert_eq!(callback.path(), "/callback/temu/us");
    let back = visit.browser.come_back(&callback).await;
    assert_eq!(vendor.token(LOCAL).await.expect(409).code().as_deref(), Some("pending"));
    drop(vendor.confirm(&visit.session.session_id, back.result()).await.expect(200));
    let token = vendor.token(LOCAL).await.expect(200).json();
    assert_eq!((&token["purpose"], &token["version"]), (&json!("all"), &json!(1)));
    assert_eq!(token["api"]["base_url"], stack.temu().router_url(Router::Us));
    assert!(stack.temu().accepts(token["access_token"].as_str().unwrap()));
    assert_eq!(stack.temu().effects(Route::TokenCreate), 1);

    // The same token, copied from the seller centre and pasted, is known.
    let pasted = Visit::begin(&stack).await.paste_local(token["access_token"].as_str().unwrap()).await.expect(200);
    assert!(pasted.body.contains("connected until"), "{}", pasted.body);
    assert_eq!(vendor.token(LOCAL).await.expect(200).json()["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_malls_in_one_answer_become_several_connections() {
    let options = Options { temu_sellers: vec![chain()], ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    for own_mall_twice in [false, true] {
        stack.temu().configure(|settings| settings.associated_includes_own = own_mall_twice);
        let visit = Visit::begin(&stack).await;
        let callback = approved(&visit, "us", "chain").await;
        let confirmed = come_back_and_confirm(&stack, &visit.browser, &callback).await;
        assert_eq!(confirmed["connections"].as_array().map(Vec::len), Some(3), "{confirmed}");
        for mall in [9_001, 9_002, 9_003] {
            let token = stack.vendor().token(&format!("temu/us/{mall}")).await.expect(200).json();
            assert!(stack.temu().accepts(token["access_token"].as_str().unwrap()), "{mall}");
            assert_eq!(token["shops"][0]["id"], mall.to_string());
        }
    }
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "eu", "chain").await;
    come_back_and_confirm(&stack, &visit.browser, &callback).await;
    let token = stack.vendor().token("temu/eu/9004").await.expect(200).json();
    assert_eq!(token["api"]["base_url"], stack.temu().router_url(Router::Eu), "the European app at its own router");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_callback_host_is_refused_and_the_state_lives_on() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "mia").await;
    let eu_router = stack.temu().addresses().eu.to_string();
    for foreign in ["evil.example", "openapi-b-us.temu.com.evil.example", "127.0.0.1:9", &eu_router, "", "http://["] {
        let page = visit.browser.open(with(&callback, "callback_host", Some(foreign)).as_str()).await;
        assert_eq!(page.status, 400, "{foreign}: {}", page.body);
        assert!(foreign.is_empty() || !page.body.contains(foreign), "{foreign}: {}", page.body);
    }
    assert_eq!(stack.temu().calls().len(), 0, "nothing was exchanged");
    come_back_and_confirm(&stack, &visit.browser, &callback).await;
    drop(stack.vendor().token(LOCAL).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_and_a_reload_asks_nobody() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "mia").await;
    let back = visit.browser.come_back(&callback).await;
    assert_eq!(visit.browser.come_back(&callback).await.url, back.url, "a reload leads to the same place");
    assert_eq!(stack.temu().calls_to(Route::TokenCreate).len(), 1);
    let before = stack.item(LOCAL).await;

    let again = Visit::begin(&stack).await;
    let fresh = approved(&again, "us", "mia").await;
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let page = page_of(again.browser.come_back(&with(&fresh, "code", Some(&code))).await).expect(200);
    assert!(page.body.contains("did not accept this authorization"), "{}", page.body);
    let told = stack.vendor().session(&again.session.session_id).await.expect(200).json();
    assert_eq!(told["status"], "failed", "{told}");
    assert_eq!(stack.item(LOCAL).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_nobody_asked_for_renews_but_not_while_the_form_is_open() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let callback = approved(&visit, "us", "mia").await;
    come_back_and_confirm(&stack, &visit.browser, &callback).await;
    let exchanges = || stack.temu().calls_to(Route::TokenCreate).len();
    let unasked = || stack.temu().authorize(stack.temu_app_key("us"), "mia", None).unwrap();

    let pasting = Visit::begin(&stack).await;
    drop(pasting.browser.open(&format!("{}/temu?seller=local", pasting.session.connect_url)).await.expect(200));
    let before = exchanges();
    crate::setting::next_second().await;
    let page = page_of(pasting.browser.come_back(&unasked()).await).expect(409);
    assert!(page.body.contains("Go back to the tab with the form"), "{}", page.body);
    assert_eq!(exchanges(), before, "the code is not spent");

    let page = page_of(stack.browser().come_back(&unasked()).await).expect(200);
    assert!(page.body.contains("is connected"), "{}", page.body);

    // Nothing is kept of malls that are not connected.
    stack.temu().add_seller(chain());
    let callback = stack.temu().authorize(stack.temu_app_key("us"), "chain", None).unwrap();
    let page = page_of(stack.browser().come_back(&callback).await).expect(200);
    assert!(page.body.contains("Please begin at Acme Listing"), "{}", page.body);
    assert!(stack.item("temu/us/9001").await.is_none());
    let token = stack.vendor().token(LOCAL).await.expect(200).json();
    assert_eq!((&token["version"], &token["account_id"]), (&json!(2), &json!("acme")));
    assert!(stack.temu().accepts(token["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_says_no_at_temu_is_told_so_everywhere() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    // Temu sends them back with neither code nor error.
    let callback = with(&approved(&visit, "us", "mia").await, "code", None);
    let page = page_of(visit.browser.come_back(&callback).await).expect(200);
    assert!(page.body.contains("You did not give permission"), "{}", page.body);
    assert!(page.body.contains("status=denied"), "{}", page.body);
    let told = stack.vendor().session(&visit.session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["failure"]), (&json!("failed"), &json!("denied")), "{told}");
}
