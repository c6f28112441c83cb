//! The registry of apps: any number of them, changed while the functions run, and what happens without it.

use std::time::Duration;

use end_to_end::{Answer, Function, Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{self, Region};

use crate::setting::{DUE, SELLER_1, connect, connected};

const BENS: &str = "tiktok-shop/bens-books";

/// Adds Ben's own app to the registry, with its credentials, as `make app` does. It is not listed.
async fn add_bens_app(stack: &Stack) {
    let app =
        tiktok_shop::App::new("6us7ben0s1", "bens-app-secret-e4da3b7fbbce2345", "7300000000000000003", Region::Us);
    let credentials = json!({ "app_key": app.app_key, "app_secret": app.app_secret, "service_id": app.service_id });
    let callback = format!("{}/callback/{BENS}", stack.gateway().url());
    stack.tiktok_shop().add_app(app.with_redirect_url(callback.parse().unwrap()));
    stack.put_credentials(BENS, &credentials).await;
    let mut registry = stack.registry().await;
    let mut entry = registry["tiktok-shop/us"].clone();
    entry["name"] = json!("Ben's Own App");
    entry["listed"] = json!(false);
    registry[BENS] = entry;
    stack.put_registry(&registry.to_string()).await;
}

fn session_for_bens_app() -> Value {
    json!({ "account_id": "ben", "return_url": "https://vendor.example/shops/connected", "apps": [BENS] })
}

fn restart(stack: &Stack, function: Function) {
    stack.kill(function);
    stack.start_process(function).unwrap();
}

/// Asks until the status is this one; panics if it is not within thirty seconds.
async fn until_status(status: u16, ask: impl AsyncFn() -> Answer) -> Answer {
    let asking = async {
        loop {
            let response = ask().await;
            if response.status == status {
                return response;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("the status changes")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_added_while_the_functions_run_works_for_its_customer_alone() {
    // One process of each: two would learn of the app some seconds apart.
    let one = Options::default().with_processes(Function::OauthCallback, 1).with_processes(Function::TokenLookup, 1);
    let stack = connected(one).await;
    let named = session_for_bens_app();
    let refused = stack.vendor().open_session(&named).await.expect(404);
    assert_eq!(refused.code().as_deref(), Some("app_not_found"));
    assert!(refused.body.contains("`tiktok-shop/us`") && refused.body.contains("`temu/product`"), "{}", refused.body);

    add_bens_app(&stack).await;
    // A name that was missing is looked up again after ten seconds at most.
    let opened = until_status(201, async || stack.vendor().open_session(&named).await).await.json();
    let connect_url = opened["connect_url"].as_str().unwrap();
    let browser = stack.browser();
    let page = until_status(200, async || browser.open(connect_url).await).await;
    assert!(page.body.contains("Ben’s Own App") || page.body.contains("Ben&#39;s Own App"), "{}", page.body);
    assert!(!page.body.contains("Acme Listing US") && !page.body.contains("Where is your shop"), "{}", page.body);
    drop(browser.open(&format!("{connect_url}/tiktok-shop/us")).await.expect(404));
    let returned = browser.connect(connect_url, "bens-books", "seller-2").await;
    let session_id = opened["session_id"].as_str().unwrap();
    drop(stack.vendor().confirm(session_id, returned.result()).await.expect(200));
    let token = stack.vendor().token(&format!("{BENS}/seller-2")).await.expect(200).json();
    assert_eq!(token["api"]["app_key"], "6us7ben0s1");

    // Everybody else's page is as it was, and so is what they may reach.
    let others = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let page = stack.browser().open(&others.connect_url).await.expect(200);
    assert!(page.body.contains("Acme Listing US") && !page.body.contains("Own App"), "{}", page.body);
    drop(stack.browser().open(&format!("{}/{BENS}", others.connect_url)).await.expect(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_apps_are_served_as_one_is() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let mut registry = stack.registry().await;
    for n in 0..54 {
        let mut entry = registry["tiktok-shop/global"].clone();
        entry["label"] = json!(format!("Customer {n}"));
        registry[format!("tiktok-shop/customer-{n}")] = entry;
    }
    assert_eq!(registry.as_object().unwrap().len(), 60);
    stack.put_registry(&registry.to_string()).await;
    connect(&stack, "us", "seller-1", "acme").await;
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let page = stack.browser().open(&session.connect_url).await.expect(200);
    assert_eq!(page.links().iter().filter(|link| link.contains("/tiktok-shop/")).count(), 56, "{}", page.body);
    assert!((0..54).all(|n| page.body.contains(&format!("Customer {n}<"))), "{}", page.body);
    drop(stack.vendor().token(SELLER_1).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_registry_tokens_are_served_and_refreshes_and_connect_pages_wait() {
    let stack = connected(Options::default()).await;
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let registry = stack.registry().await;
    let expiring = "tiktok-shop/us/seller-2";
    connect(&stack, "us", "seller-2", "acme").await;
    for (what, text) in [("missing", None), ("malformed", Some("apps: us"))] {
        match text {
            Some(text) => stack.put_registry(text).await,
            None => stack.delete_registry().await,
        }
        for function in Function::ALL {
            restart(&stack, function);
        }
        drop(stack.vendor().token(SELLER_1).await.expect(200));
        drop(stack.browser().open(&session.connect_url).await.expect(503));
        // A token that was refreshed just now is not refreshed again.
        stack.age(901).await;
        let refused = stack.vendor().refresh(SELLER_1, version(&stack).await).await.expect(503);
        assert_eq!(refused.code().as_deref(), Some("refresh_failed"), "{what}");
        drop(stack.vendor().open_session(&session_for_bens_app()).await.expect(503));
        assert!(stack.output().contains("configuration_fault"), "{what}: there is an alarm");
    }
    // One is due for its refresh, and the other one's authorization has ended as far as its item knows.
    stack.age(DUE).await;
    let mut item = stack.item(expiring).await.unwrap();
    item["authorization_expires_at"] = item["created_at"].clone();
    stack.put_item(&item).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["misconfigured"]), (&json!(0), &json!(0)), "{swept}");
    assert_eq!(stack.item(SELLER_1).await.unwrap()["failures"], 0, "waiting is no failure");
    assert_eq!(stack.item(expiring).await.unwrap()["status"], "active", "only the marketplace says that it is over");

    stack.put_registry(&registry.to_string()).await;
    restart(&stack, Function::RefreshSweep);
    assert_eq!(stack.invoke_sweep().await["refreshed"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_copy_stays_in_use_when_the_registry_becomes_malformed() {
    let stack = Stack::start(Options::default().with_processes(Function::OauthCallback, 1)).await.unwrap();
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let browser = stack.browser();
    drop(browser.open(&session.connect_url).await.expect(200));
    stack.put_registry("{").await;
    let faults = || stack.output_of(Function::OauthCallback).matches("the registry of apps was not read").count();
    // An app that is not known has the registry read again.
    let asking = async {
        while faults() == 0 {
            drop(browser.open(&format!("{}/tiktok-shop/unknown", session.connect_url)).await.expect(404));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("it is read again");
    drop(browser.open(&session.connect_url).await.expect(200));
    assert!(stack.output().contains("the last good copy stays in use"));
    assert!(stack.output().contains("configuration_fault"), "there is an alarm");
    assert_eq!(faults(), 1, "an unknown name costs one read in ten seconds");
}

async fn version(stack: &Stack) -> u64 {
    stack.vendor().connection(SELLER_1).await.expect(200).json()["version"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changes_reaches_the_services_with_the_next_refresh() {
    let stack = connected(Options::default()).await;
    let base_url = async || stack.vendor().token(SELLER_1).await.expect(200).json()["api"]["base_url"].clone();
    let before = base_url().await;
    let mut registry = stack.registry().await;
    // The same host by another name.
    let moved: Value = before.as_str().unwrap().replace("127.0.0.1", "localhost").into();
    registry["tiktok-shop/us"]["api_url"] = moved.clone();
    stack.put_registry(&registry.to_string()).await;
    restart(&stack, Function::TokenLookup);
    restart(&stack, Function::RefreshSweep);
    assert_eq!(base_url().await, before, "the item says it");
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    assert_eq!(base_url().await, moved);
}
