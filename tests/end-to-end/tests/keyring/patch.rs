//! Whose connection it is, and its label: set, cleared, claimed, and never one editor over another.

use emulators::front::Moment;
use end_to_end::{Answer, Function, Options, Stack};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    rows::{put, row},
    setting::{DUE, SELLER_1, US_APP_KEY, connect, connected, item, next_second},
};

fn to(account: &str) -> Value {
    json!({ "account_id": account })
}

fn etag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("{}: no ETag", answer.asked)).to_owned()
}

async fn etag_of(stack: &Stack, connection: &str) -> String {
    etag(&stack.vendor().connection(connection).await.expect(200))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_is_set_and_cleared_as_it_was_seen() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let seen = etag_of(&stack, SELLER_1).await;
    let set = vendor.patch(SELLER_1, Some(&seen), &to("other")).await.expect(200);
    assert_eq!(set.json()["account_id"], "other");
    assert_eq!(etag(&set), etag_of(&stack, SELLER_1).await);
    assert_ne!(etag(&set), seen);
    assert_eq!(vendor.token(SELLER_1).await.expect(200).json()["account_id"], "other");
    assert_eq!(vendor.all_connections("account_id=acme").await.concat().len(), 0);
    assert_eq!(vendor.all_connections("account_id=other").await.concat().len(), 1);

    let stale = vendor.patch(SELLER_1, Some(&seen), &to("third")).await.expect(412);
    assert_eq!(stale.code().as_deref(), Some("precondition_failed"));
    let bare = vendor.patch(SELLER_1, None, &to("third")).await.expect(428);
    assert_eq!(bare.code().as_deref(), Some("precondition_required"));
    assert!(bare.json()["detail"].as_str().unwrap().contains("If-Match"));
    drop(vendor.patch(SELLER_1, Some("7"), &to("third")).await.expect(400));
    drop(vendor.patch(SELLER_1, Some(&format!("W/{}", etag(&set))), &to("third")).await.expect(412));
    assert_eq!(item(&stack, SELLER_1).await["account_id"], "other");

    // The same once more is no change.
    let same = vendor.patch(SELLER_1, Some(&etag(&set)), &to("other")).await.expect(200);
    assert_eq!(etag(&same), etag(&set));
    let cleared = vendor.patch(SELLER_1, Some("*"), &json!({ "account_id": null })).await.expect(200).json();
    assert_eq!((&cleared["account_id"], &cleared["needs_attention"][0]["code"]), (&Value::Null, &json!("unclaimed")));
    assert!(item(&stack, SELLER_1).await.get("account_id").is_none());
    let listed = vendor.all_connections("needs_attention=true").await.concat();
    assert_eq!(listed[0]["connection"], SELLER_1);
    stack.stop_functions();
    assert!(stack.output_of(Function::TokenLookup).contains("\"audit\":\"assigned\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_and_each_body_has_its_answer() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let mut waiting = row("tiktok-shop/us/waiting", Some("acme"));
    waiting.status = shop_keyring::connection::Status::Pending;
    let mut over = row("tiktok-shop/us/over", Some("acme"));
    over.status = shop_keyring::connection::Status::Disconnected;
    let mut lost = row("tiktok-shop/us/lost", Some("acme"));
    lost.status =
        shop_keyring::connection::Status::ReauthorizationRequired { reason: shop_keyring::connection::Reason::Refused };
    for row in [&waiting, &over, &lost] {
        put(&stack, row).await;
    }
    for (connection, status, code) in [
        ("tiktok-shop/us/nobody", 404, "connection_not_found"),
        ("tiktok-shop/us/waiting", 409, "pending"),
        ("tiktok-shop/us/over", 410, "disconnected"),
    ] {
        // Also to somebody who has seen another state of it.
        for seen in ["*", "\"1\""] {
            let refused = vendor.patch(connection, Some(seen), &to("other")).await.expect(status);
            assert_eq!(refused.code().as_deref(), Some(code));
        }
    }
    drop(vendor.patch("tiktok-shop/us/lost", Some("\"3\""), &to("other")).await.expect(200));
    for body in [
        json!({}),
        json!([]),
        json!({ "account_id": 7 }),
        json!({ "account_id": "" }),
        json!({ "account_id": "a", "status": "active" }),
        json!({ "account_id": "a", "label": 7 }),
    ] {
        let refused = vendor.patch("tiktok-shop/us/lost", Some("*"), &body).await.expect(400);
        assert_eq!(refused.code().as_deref(), Some("bad_request"), "{body}");
    }
    let merge = [("content-type", "application/merge-patch+json"), ("if-match", "*")];
    let path = "/v1/connections/tiktok-shop/us/lost";
    drop(vendor.send_with(reqwest::Method::PATCH, path, &merge, &to("merged").to_string()).await.expect(200));
    let steps = [("content-type", "application/json-patch+json"), ("if-match", "*")];
    drop(vendor.send_with(reqwest::Method::PATCH, path, &steps, "[]").await.expect(415));
    assert_eq!(item(&stack, "tiktok-shop/us/lost").await["account_id"], "merged");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_editors_with_one_etag_one_wins() {
    let stack = connected(Options::default().with_processes(Function::TokenLookup, 4)).await;
    let vendor = stack.vendor();
    for round in 0..5 {
        let seen = etag_of(&stack, SELLER_1).await;
        let editors = (0..8).map(|n| {
            let (vendor, seen) = (vendor.clone(), seen.clone());
            async move { (n, vendor.patch(SELLER_1, Some(&seen), &to(&format!("editor-{round}-{n}"))).await.status) }
        });
        let answers = join_all(editors).await;
        let winners: Vec<_> = answers.iter().filter(|(_, status)| *status == 200).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|(_, status)| [200, 412].contains(status)), "{answers:?}");
        assert_eq!(item(&stack, SELLER_1).await["account_id"], format!("editor-{round}-{}", winners[0].0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_during_a_refresh_loses_neither() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    let commit = stack.dynamodb().front().pause("TransactWriteItems", Moment::Arrived);
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), async {
        commit.reached().await;
        let seen = etag_of(&stack, SELLER_1).await;
        drop(stack.vendor().patch(SELLER_1, Some(&seen), &to("other")).await.expect(200));
        commit.release();
    });
    assert_eq!(swept["refreshed"], 1, "{swept}");
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert_eq!((&token["version"], &token["account_id"]), (&json!(2), &json!("other")));
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_during_a_patch_is_a_change_unless_any_is_fine() {
    for (any, status, account) in [(false, 412, "acme"), (true, 200, "other")] {
        let stack = connected(Options::default()).await;
        stack.age(DUE).await;
        let vendor = stack.vendor();
        let seen = if any { "*".to_owned() } else { etag_of(&stack, SELLER_1).await };
        let write = stack.dynamodb().front().pause("UpdateItem", Moment::Arrived);
        let body = to("other");
        let (patched, ()) = tokio::join!(vendor.patch(SELLER_1, Some(&seen), &body), async {
            write.reached().await;
            assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
            write.release();
        });
        drop(patched.expect(status));
        let token = vendor.token(SELLER_1).await.expect(200).json();
        assert_eq!((&token["version"], &token["account_id"]), (&json!(2), &json!(account)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_nobody_asked_for_is_claimed() {
    let stack = Stack::start(Options { unsolicited: Some("accept"), ..Options::default() }).await.unwrap();
    let vendor = stack.vendor();
    let callback = stack.tiktok_shop().authorize(US_APP_KEY, "seller-1", None).unwrap();
    drop(stack.browser().come_back(&callback).await.page.unwrap().expect(200));
    let unclaimed = vendor.all_connections("needs_attention=true").await.concat();
    assert_eq!(unclaimed[0]["needs_attention"][0]["code"], "unclaimed");
    let name = unclaimed[0]["connection"].as_str().unwrap();
    let seen = etag_of(&stack, name).await;
    let claimed = vendor.patch(name, Some(&seen), &to("acme")).await.expect(200).json();
    assert_eq!((&claimed["account_id"], &claimed["needs_attention"]), (&json!("acme"), &json!([])));
    assert_eq!(vendor.all_connections("needs_attention=true").await.concat().len(), 0);
    assert_eq!(vendor.all_connections("account_id=acme").await.concat()[0]["connection"], name);

    // From now on it is this account's, and a session of it connects anew.
    next_second().await;
    connect(&stack, "us", "seller-1", "acme").await;
    let token = vendor.token(SELLER_1).await.expect(200).json();
    assert_eq!((&token["version"], &token["account_id"]), (&json!(2), &json!("acme")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnect_may_say_what_it_is_meant_for() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let path = format!("/v1/connections/{SELLER_1}");
    let delete = async |tag: &str| vendor.send_with(reqwest::Method::DELETE, &path, &[("if-match", tag)], "").await;
    let seen = etag_of(&stack, SELLER_1).await;
    drop(vendor.patch(SELLER_1, Some(&seen), &to("other")).await.expect(200));
    assert_eq!(delete(&seen).await.expect(412).code().as_deref(), Some("precondition_failed"));
    drop(delete("seven").await.expect(400));
    assert_eq!(item(&stack, SELLER_1).await["status"], "active");
    let ended = delete(&etag_of(&stack, SELLER_1).await).await.expect(200);
    assert_eq!(
        (ended.json()["status"].as_str(), etag(&ended)),
        (Some("disconnected"), etag_of(&stack, SELLER_1).await)
    );
    drop(vendor.disconnect(SELLER_1).await.expect(200));
}

fn label(label: &str) -> Value {
    json!({ "label": label })
}

/// A stack whose seller has no name at the marketplace, connected as [`SELLER_1`].
async fn nameless() -> Stack {
    let mut options = Options::default();
    for seller in &mut options.sellers {
        seller.name = None;
    }
    connected(options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_is_set_and_removed_as_it_was_seen() {
    let stack = nameless().await;
    let vendor = stack.vendor();
    let fresh = vendor.connection(SELLER_1).await.expect(200);
    assert_eq!((&fresh.json()["seller_name"], &fresh.json()["label"]), (&Value::Null, &Value::Null));
    let seen = etag(&fresh);
    let set = vendor.patch(SELLER_1, Some(&seen), &label("  Ann’s attic ")).await.expect(200);
    assert_eq!((&set.json()["label"], &set.json()["account_id"]), (&json!("Ann’s attic"), &json!("acme")));
    assert_ne!(etag(&set), seen);
    assert_eq!(vendor.all_connections("account_id=acme").await.concat()[0]["label"], "Ann’s attic");
    drop(vendor.patch(SELLER_1, Some(&seen), &label("stale")).await.expect(412));
    drop(vendor.patch(SELLER_1, None, &label("bare")).await.expect(428));
    for wrong in ["", " ", "a\nb", "\u{7}", &"x".repeat(257)] {
        let refused = vendor.patch(SELLER_1, Some("*"), &label(wrong)).await.expect(400).json();
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("label: not a valid label: 1-256 characters"), "{detail}");
    }
    let same = vendor.patch(SELLER_1, Some(&etag(&set)), &label("Ann’s attic")).await.expect(200);
    assert_eq!(etag(&same), etag(&set), "no change");

    let moved = vendor.patch(SELLER_1, Some("*"), &to("other")).await.expect(200).json();
    assert_eq!((&moved["label"], &moved["account_id"]), (&json!("Ann’s attic"), &json!("other")));
    let both = json!({ "account_id": "acme", "label": null });
    let both = vendor.patch(SELLER_1, Some("*"), &both).await.expect(200).json();
    assert_eq!((&both["label"], &both["account_id"]), (&Value::Null, &json!("acme")));
    assert!(item(&stack, SELLER_1).await.get("label").is_none());

    stack.stop_functions();
    let log = stack.output_of(Function::TokenLookup);
    let lines = |audit: &str| log.matches(&format!("\"audit\":\"{audit}\"")).count();
    assert_eq!((lines("labelled"), lines("assigned")), (2, 2), "each change once, by its name");
    assert!(!log.contains("attic"), "a label may name a person");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_stays_while_the_connection_does_and_stands_for_the_name_on_its_pages() {
    let stack = nameless().await;
    let vendor = stack.vendor();
    drop(vendor.patch(SELLER_1, Some("*"), &label("Ann’s attic")).await.expect(200));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);

    let body = json!({"account_id": "acme", "account_label": "Acme", "confirm": false, "reconnect": SELLER_1});
    let opened = vendor.open_session(&body).await.expect(201).json();
    let connect_url = opened["connect_url"].as_str().unwrap();
    let browser = stack.browser();
    let page = browser.open(connect_url).await.expect(200);
    assert!(page.body.contains("“Ann’s attic”"), "{}", page.body);
    let page = browser.connect(connect_url, "us", "seller-1").await.page.unwrap();
    assert!(page.body.contains("“Ann’s attic” is connected"), "{}", page.body);
    let again = vendor.connection(SELLER_1).await.expect(200).json();
    assert_eq!((&again["version"], &again["label"]), (&json!(3), &json!("Ann’s attic")));

    let ended = vendor.disconnect(SELLER_1).await.expect(200).json();
    assert_eq!(ended["label"], Value::Null);
    next_second().await;
    connect(&stack, "us", "seller-1", "other").await;
    assert_eq!(vendor.connection(SELLER_1).await.expect(200).json()["label"], Value::Null);
}
