//! A session for one connection alone: who comes back by it, and who is turned away without losing anything.

use end_to_end::{Browser, ConnectSession, Options, Returned, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Seller, Shop};

use crate::setting::{SELLER_1, connect, ends, item, next_sweep};

const SELLER_2: &str = "tiktok-shop/us/seller-2";

/// After this many seconds an authorization of a day is over.
const ENDED: i64 = 2 * 86_400 + 301;

/// [`SELLER_1`] is connected for `acme`. A new authorization ends the tokens of the seller's earlier ones.
async fn stack_with(options: Options) -> Stack {
    let seller = |n| Seller::new(format!("seller-{n}")).with_shop(Shop::new(format!("shop-{n}"), "US"));
    let stack = Stack::start(Options { sellers: [1, 2].map(seller).into(), ..options }).await.unwrap();
    connect(&stack, "us", "seller-1", "acme").await;
    stack
}

async fn stack() -> Stack {
    stack_with(Options::default()).await
}

/// A session of `acme` for this connection alone.
async fn session_for(stack: &Stack, connection: &str) -> ConnectSession {
    let body = json!({"account_id": "acme", "account_label": "Nina's shops", "reconnect": connection});
    stack.vendor().connect_session(body).await
}

/// Goes the whole way by a session for [`SELLER_1`], and authorizes as this seller.
async fn come_as(stack: &Stack, seller: &str) -> (ConnectSession, Returned) {
    let session = session_for(stack, SELLER_1).await;
    let back = stack.browser().connect(&session.connect_url, "us", seller).await;
    (session, back)
}

/// The token of a connection, which the marketplace has to accept.
async fn works(stack: &Stack, connection: &str) -> Value {
    let token = stack.vendor().token(connection).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()), "{connection} has a dead token");
    token
}

/// The session and the seller are told that it was another seller's authorization.
async fn told_of_another_seller(stack: &Stack, session: &ConnectSession, back: Returned) {
    let page = back.page.expect("a page, not the way back").expect(200);
    for words in ["That was another shop", "owner of “Seller seller-1”", "take back in its seller account"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let way_back = page.way_back().expect("a way back");
    assert!(way_back.query().unwrap().contains("status=failed"), "{way_back}");
    let told = stack.vendor().session(&session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["failure"]), (&json!("failed"), &json!("other_seller")), "{told}");
    assert!(told["failure_detail"].as_str().unwrap().contains("authorized as another one"), "{told}");
    assert_eq!((&told["reconnect"], &told["connections"]), (&json!(SELLER_1), &json!([])), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_whose_authorization_has_ended_comes_back() {
    let stack = stack_with(Options { authorization_lifetime: Some(2 * 86_400), ..Options::default() }).await;
    stack.age(ENDED).await;
    ends(&stack, "seller-1");
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let (session, back) = come_as(&stack, "seller-1").await;
    assert_eq!(back.parameter("status").as_deref(), Some("connected"), "{back:?}");
    let told = stack.vendor().session(&session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["reconnect"]), (&json!("finished"), &json!(SELLER_1)), "{told}");
    assert_eq!(works(&stack, SELLER_1).await["version"], 2, "active at once, for it was the account's before");
    // The vendor's backend confirms what comes back, whatever it was; that changes nothing.
    drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_seller_comes_back_and_is_confirmed() {
    let stack = stack().await;
    for swept in [false, true] {
        drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
        if swept {
            assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
        }
        let (session, back) = come_as(&stack, "seller-1").await;
        assert_eq!(stack.vendor().token(SELLER_1).await.expect(409).code().as_deref(), Some("pending"));
        drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
        works(&stack, SELLER_1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_show_what_is_connected_anew_and_lead_nowhere_else() {
    let stack = stack().await;
    let session = session_for(&stack, SELLER_1).await;
    let browser = stack.browser();
    let page = browser.open(&session.connect_url).await.expect(200);
    for words in ["Nina&#39;s shops", "“Seller seller-1”", "TikTok Shop in the United States"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let ways: Vec<_> = page.links().into_iter().filter(|link| link.contains("/connect/")).collect();
    assert_eq!(ways.len(), 1, "{ways:?}");
    assert!(ways[0].ends_with("/tiktok-shop/us"), "{ways:?}");
    for elsewhere in ["tiktok-shop/global", "temu/us", "temu", "temu?seller=local"] {
        let page = browser.open(&format!("{}/{elsewhere}", session.connect_url)).await.expect(403);
        assert!(page.body.contains("This link is for another shop"), "{elsewhere}: {}", page.body);
    }
    drop(browser.submit(&format!("{}/tiktok-shop/global", session.connect_url), &[]).await.expect(403));
    assert_eq!(stack.vendor().session(&session.session_id).await.json()["status"], "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seller_who_agrees_by_a_button_sees_account_and_shop() {
    let stack = stack().await;
    let body = json!({"account_id": "acme", "account_label": "Nina's shops", "confirm": false, "reconnect": SELLER_1});
    let opened = stack.vendor().open_session(&body).await.expect(201).json();
    let connect_url = opened["connect_url"].as_str().unwrap();
    let browser = stack.browser();
    let page = browser.open(&format!("{connect_url}/tiktok-shop/us")).await.expect(200);
    assert!(page.body.contains("Nina&#39;s shops") && page.body.contains("“Seller seller-1”"), "{}", page.body);
    let back = browser.connect(connect_url, "us", "seller-1").await;
    assert!(back.page.unwrap().body.contains("Your shop is connected"));
    assert_eq!(works(&stack, SELLER_1).await["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_seller_is_refused_and_not_stored() {
    let stack = stack().await;
    let before = item(&stack, SELLER_1).await;
    let (session, back) = come_as(&stack, "seller-2").await;
    told_of_another_seller(&stack, &session, back).await;
    assert!(stack.item(SELLER_2).await.is_none() && stack.token_set(SELLER_2, None).await.is_none());
    assert_eq!(item(&stack, SELLER_1).await, before, "the connection is as it was");
    works(&stack, SELLER_1).await;

    // And may come as the right one after all, by the same link.
    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    assert_eq!(back.parameter("status").as_deref(), Some("connected"));
    let told = stack.vendor().session(&session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["failure"]), (&json!("finished"), &Value::Null), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_seller_of_the_same_account_is_renewed_and_nothing_is_lost() {
    let stack = stack().await;
    connect(&stack, "us", "seller-2", "acme").await;
    let before = item(&stack, SELLER_1).await;
    let old = works(&stack, SELLER_2).await;
    stack.age(100).await;
    let (session, back) = come_as(&stack, "seller-2").await;
    told_of_another_seller(&stack, &session, back).await;
    // What the seller gave had ended the token before it.
    assert!(!stack.tiktok_shop().accepts(old["access_token"].as_str().unwrap()));
    let new = works(&stack, SELLER_2).await;
    assert_eq!((&new["version"], &new["account_id"], &new["status"]), (&json!(2), &json!("acme"), &json!("active")));
    assert_eq!(item(&stack, SELLER_1).await["token_version"], before["token_version"]);
    works(&stack, SELLER_1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_accounts_seller_is_renewed_there_and_nothing_is_lost() {
    let stack = stack().await;
    connect(&stack, "us", "seller-2", "other").await;
    stack.age(100).await;
    let (session, back) = come_as(&stack, "seller-2").await;
    told_of_another_seller(&stack, &session, back).await;
    let new = works(&stack, SELLER_2).await;
    assert_eq!((&new["version"], &new["account_id"]), (&json!(2), &json!("other")), "never moved");
    works(&stack, SELLER_1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nobodys_stays_so_when_another_seller_comes() {
    let stack = stack().await;
    connect(&stack, "us", "seller-2", "acme").await;
    drop(stack.vendor().disconnect(SELLER_2).await.expect(200));
    let before = item(&stack, SELLER_2).await;
    let (session, back) = come_as(&stack, "seller-2").await;
    told_of_another_seller(&stack, &session, back).await;
    assert_eq!(item(&stack, SELLER_2).await, before, "disconnected as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_has_moved_meanwhile_stays_where_it_is() {
    let stack = stack().await;
    let session = session_for(&stack, SELLER_1).await;
    let browser: Browser = stack.browser();
    let callback = browser.authorize(&browser.leave(&session.connect_url, "us").await, "seller-1").await;
    let mut moved = item(&stack, SELLER_1).await;
    moved["account_id"] = json!("other");
    stack.put_item(&moved).await;
    let page = browser.come_back(&callback).await.page.unwrap();
    assert!(page.body.contains("belongs to another account"), "{}", page.body);
    let told = stack.vendor().session(&session.session_id).await.expect(200).json();
    assert_eq!((&told["status"], &told["failure"]), (&json!("failed"), &json!("account_conflict")), "{told}");
    assert_eq!(works(&stack, SELLER_1).await["account_id"], "other");

    // And one that is gone altogether does not come into being by this link.
    stack.delete_item(SELLER_1).await;
    let page = stack.browser().connect(&session.connect_url, "us", "seller-1").await.page.unwrap();
    assert!(page.body.contains("There is nothing to connect anew"), "{}", page.body);
    let told = stack.vendor().session(&session.session_id).await.expect(200).json();
    assert_eq!(told["failure"], "nothing_to_reconnect", "{told}");
    assert!(stack.item(SELLER_1).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_connected_anew_is_said_at_the_opening() {
    let stack = stack().await;
    let vendor = stack.vendor();
    // Of an app that was set up once.
    let mut of_former_app = stack.item(SELLER_1).await.unwrap();
    of_former_app["connection"] = json!("tiktok-shop/mars/seller-1");
    stack.put_item(&of_former_app).await;
    let body = |account: &str, reconnect: &str| json!({"account_id": account, "return_url": "https://vendor.example/shops", "reconnect": reconnect});
    for (account, reconnect, status, code) in [
        ("acme", "tiktok-shop/us/nobody", 404, "connection_not_found"),
        ("acme", "tiktok-shop/venus/seller-1", 404, "app_not_found"),
        ("other", SELLER_1, 409, "account_conflict"),
        ("acme", "tiktok-shop/mars/seller-1", 404, "app_not_found"),
    ] {
        let answer = vendor.open_session(&body(account, reconnect)).await.expect(status);
        assert_eq!(answer.code().as_deref(), Some(code), "{reconnect}: {}", answer.body);
    }
    for malformed in ["seller-1", "elsewhere/us/seller-1", "tiktok-shop/us/a/b", ""] {
        let answer = vendor.open_session(&body("acme", malformed)).await;
        assert_eq!(answer.code().as_deref(), Some("bad_request"), "{malformed}: {} {}", answer.status, answer.body);
    }
    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    let _ = stack.browser().connect(&session.connect_url, "us", "seller-2").await;
    let answer = vendor.open_session(&body("acme", SELLER_2)).await.expect(409);
    assert_eq!(answer.code().as_deref(), Some("pending"), "{}", answer.body);
    assert_eq!(
        vendor.open_session(&body("other", SELLER_2)).await.expect(409).code().as_deref(),
        Some("account_conflict")
    );
}
