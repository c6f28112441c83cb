//! What `GET /v1/connect-sessions/{id}` tells of a session, in each of its states.

use end_to_end::{ConnectSession, Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault, Route, Trouble, UserType, When};

use crate::setting::{SELLER_1, connect};

/// Seconds in which a new connection has to be confirmed.
const HOUR: i64 = 3_600;

async fn view(stack: &Stack, session: &ConnectSession) -> Value {
    stack.vendor().session(&session.session_id).await.expect(200).json()
}

/// The names of a view's fields.
fn fields(view: &Value) -> Vec<&str> {
    view.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn open_awaiting_confirmation_and_finished() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let body = json!({"account_id": "acme", "reference": "order 7", "expires_in": 7 * 86_400});
    let session = stack.vendor().connect_session(body).await;
    let open = view(&stack, &session).await;
    assert_eq!((&open["status"], &open["reference"]), (&json!("open"), &json!("order 7")));
    assert_eq!((&open["account_id"], &open["connections"]), (&json!("acme"), &json!([])));
    let all = ["account_id", "connections", "created_at", "expires_at", "reference", "session_id", "status"];
    assert_eq!(fields(&open), all, "no more than there is to tell: {open}");

    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    let names: Vec<_> = back.url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["session_id", "status", "result"], "the reference stays between the two of you");
    let waiting = view(&stack, &session).await;
    assert_eq!(waiting["status"], "awaiting_confirmation");
    let connection = &waiting["connections"][0];
    assert_eq!((&connection["connection"], &connection["status"]), (&json!(SELLER_1), &json!("pending")));
    let time = |name: &str| connection[name].as_str().unwrap().split_once(':').unwrap();
    let (authorized_at, confirm_by) = (time("authorized_at"), time("confirm_by"));
    assert!(authorized_at.0 != confirm_by.0 && authorized_at.1 == confirm_by.1, "an hour later: {connection}");

    drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
    let finished = view(&stack, &session).await;
    let active = json!([
        {"connection": SELLER_1, "status": "active", "authorized_at": connection["authorized_at"].clone()}
    ]);
    assert_eq!((&finished["status"], &finished["connections"]), (&json!("finished"), &active));

    // What becomes of the connection later is told as well.
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let later = view(&stack, &session).await;
    assert_eq!((&later["status"], &later["connections"][0]["status"]), (&json!("finished"), &json!("disconnected")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_confirmed_in_time_is_not_awaited_any_more() {
    let stack = Stack::start(Options::default()).await.unwrap();
    for (expires_in, seller, status) in [(7 * 86_400, "seller-1", "open"), (HOUR, "seller-2", "expired")] {
        let session = stack.vendor().connect_session(json!({"account_id": "acme", "expires_in": expires_in})).await;
        let back = stack.browser().connect(&session.connect_url, "us", seller).await;
        stack.age(HOUR + 1).await;
        for swept in [false, true] {
            if swept {
                assert_eq!(stack.invoke_sweep().await["removed"], 1);
            }
            let told = view(&stack, &session).await;
            assert_eq!((&told["status"], &told["connections"]), (&json!(status), &json!([])), "swept: {swept}");
            let late = stack.vendor().confirm(&session.session_id, back.result()).await.expect(409);
            assert_eq!(late.code().as_deref(), Some("nothing_to_confirm"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_session_tells_what_it_was() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.vendor().connect_session(json!({"account_id": "acme", "expires_in": 60})).await;
    stack.age(61).await;
    let told = view(&stack, &session).await;
    assert_eq!((&told["status"], &told["account_id"]), (&json!("expired"), &json!("acme")));
    drop(stack.browser().open(&session.connect_url).await.expect(410));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_reason_and_a_sentence() {
    let stack = Stack::start(Options::default()).await.unwrap();
    connect(&stack, "us", "seller-1", "other").await;
    stack.age(100).await;
    let session = stack.vendor().connect_session(json!({"account_id": "acme"})).await;
    let browser = stack.browser();
    let fail = async |failure: &str, words: &str, seller: Option<&str>| {
        let link = browser.leave(&session.connect_url, "us").await;
        let callback = match seller {
            Some(seller) => browser.authorize(&link, seller).await,
            None => browser.deny(&link).await,
        };
        let back = browser.come_back(&callback).await;
        assert!(back.page.is_some_and(|page| page.way_back().is_some()), "{failure}: a page with the way back");
        let told = view(&stack, &session).await;
        assert_eq!((&told["status"], &told["failure"]), (&json!("failed"), &json!(failure)), "{told}");
        assert_eq!(told["connections"], json!([]));
        assert!(told["failure_detail"].as_str().unwrap().contains(words), "{told}");
    };
    fail("denied", "chose not to authorize", None).await;
    fail("account_conflict", "under another account", Some("seller-1")).await;
    let slow = Fault::new(Trouble::Drop(When::BeforeEffect)).times(1);
    stack.tiktok_shop().inject(Route::TokenGet, slow);
    fail("marketplace_unavailable", "did not answer in time", Some("seller-2")).await;
    stack.tiktok_shop().update_seller("seller-2", |seller| seller.user_type = UserType::Creator).unwrap();
    fail("not_a_seller", "creator or a partner", Some("seller-2")).await;

    // The last visit counts: once it has brought a connection, the failures before are history.
    stack.tiktok_shop().update_seller("seller-2", |seller| seller.user_type = UserType::Seller).unwrap();
    let back = browser.connect(&session.connect_url, "us", "seller-2").await;
    drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
    let told = view(&stack, &session).await;
    assert_eq!((&told["status"], told.get("failure"), told.get("failure_detail")), (&json!("finished"), None, None));
}
