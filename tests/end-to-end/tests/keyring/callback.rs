//! The way back from the marketplace, and everything that can be wrong with it.

use std::time::{Duration, Instant};

use emulators::front::{Fault as AwsFault, FaultKind, Moment};
use end_to_end::{Answer, Browser, Function, Options, Stack};
use reqwest::Url;
use serde_json::json;
use simulators::tiktok_shop::{Fault, Route, Seller, Trouble, UserType, When};

use crate::setting::{OnTheWay, SELLER_1, US_APP_KEY, item, next_second, until};

/// A browser that has authorized, with the callback that it was sent to.
async fn authorized(stack: &Stack, seller: &str) -> (Browser, Url) {
    let session = stack.vendor().connect_session(json!({"account_id": "acme"})).await;
    let browser = stack.browser();
    let link = browser.leave(&session.connect_url, "us").await;
    let callback = browser.authorize(&link, seller).await;
    (browser, callback)
}

fn with(callback: &Url, name: &str, value: Option<&str>) -> String {
    let mut url = callback.clone();
    let kept: Vec<_> = callback
        .query_pairs()
        .filter(|(known, _)| known != name)
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    url.into()
}

#[track_caller]
fn says(page: &Answer, words: &str) {
    assert!(page.body.contains(words), "{}: {}", page.asked, page.body);
    for (name, value) in
        [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY")]
    {
        assert_eq!(page.header(name), Some(value), "{}", page.asked);
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_works_once_in_its_browser_for_thirty_minutes() {
    let stack = Stack::start(Options { unsolicited: Some("refuse"), ..Options::default() }).await.unwrap();
    let exchanges = || stack.tiktok_shop().calls_to(Route::TokenGet).len();

    let (browser, callback) = authorized(&stack, "seller-1").await;
    says(
        &browser.open(&with(&callback, "state", Some("forged-state-of-somebody-else-1234567890123"))).await.expect(400),
        "We do not know this visit",
    );
    says(&browser.open(&with(&callback, "state", None)).await.expect(403), "Please begin at our side");
    says(&browser.open(&format!("{callback}&state=x")).await.expect(400), "not complete");
    says(&browser.open(&format!("{callback}&code=x")).await.expect(400), "not complete");
    says(&stack.browser().open(callback.as_str()).await.expect(403), "open this page in your first browser");
    let (stranger, _) = authorized(&stack, "seller-2").await;
    assert_eq!(stranger.cookies().len(), 1, "a browser with a cookie of its own");
    says(&stranger.open(callback.as_str()).await.expect(403), "open this page in your first browser");
    assert_eq!(exchanges(), 0, "none of these spends the code");
    assert!(stack.writes("UNSOLICITED_CALLBACKS", 1).await, "the log tells the operator the setting");

    stack.age(31 * 60).await;
    says(&browser.open(callback.as_str()).await.expect(410), "took too long");
    assert_eq!(exchanges(), 0);

    let (browser, callback) = authorized(&stack, "seller-1").await;
    let back = browser.come_back(&callback).await;
    assert_eq!(exchanges(), 1);
    let again = browser.come_back(&callback).await;
    assert_eq!(again.url, back.url, "a reload leads to the same place");
    let other_code = stack.tiktok_shop().authorize(&app_key(&callback), "seller-2", None).unwrap();
    let other_code = other_code.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let reused = browser.come_back(&with(&callback, "code", Some(&other_code)).parse().unwrap()).await;
    assert_eq!(reused.url, back.url, "and so does another code under a used state");
    assert_eq!(exchanges(), 1, "nobody was asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_callbacks_leads_where_the_first_one_leads() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let slow = || Fault::new(Trouble::Latency(When::BeforeEffect, Duration::from_secs(3))).times(1);
    let (browser, callback) = authorized(&stack, "seller-1").await;
    stack.tiktok_shop().inject(Route::TokenGet, slow());
    let second = async {
        until(|| !stack.tiktok_shop().in_flight(Route::TokenGet).is_empty()).await;
        browser.come_back(&callback).await
    };
    let (first, second) = tokio::join!(browser.come_back(&callback), second);
    assert_eq!(second.parameter("status").as_deref(), Some("connected"));
    assert_eq!(second.url, first.url, "with the same result");
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenGet).len(), 1);

    // Where the first one fails, the second one says why.
    let (browser, callback) = authorized(&stack, "seller-2").await;
    let used = Trouble::Latency(When::BeforeEffect, Duration::from_secs(3));
    stack.tiktok_shop().advance(31 * 60);
    stack.tiktok_shop().inject(Route::TokenGet, Fault::new(used).times(1));
    let second = async {
        until(|| !stack.tiktok_shop().in_flight(Route::TokenGet).is_empty()).await;
        browser.come_back(&callback).await
    };
    let (_, second) = tokio::join!(browser.come_back(&callback), second);
    says(&second.page.unwrap().expect(200), "did not accept this authorization");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_whose_first_request_broke_off_is_not_waited_for() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let (browser, callback) = authorized(&stack, "seller-1").await;
    stack.tiktok_shop().inject(Route::TokenGet, Fault::new(Trouble::Hang(When::BeforeEffect)).times(1));
    tokio::select! {
        back = browser.come_back(&callback) => panic!("it was not killed: {back:?}"),
        () = async {
            until(|| !stack.tiktok_shop().in_flight(Route::TokenGet).is_empty()).await;
            stack.kill(Function::OauthCallback);
        } => {}
    }
    stack.start_process(Function::OauthCallback).unwrap();
    stack.age(31).await;
    let began = Instant::now();
    says(&browser.open(callback.as_str()).await.expect(409), "still at work");
    assert!(began.elapsed() < Duration::from_secs(5), "no invocation lives that long");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_whom_an_app_led_to_another_browser_goes_on_in_the_first_one() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let (browser, callback) = authorized(&stack, "seller-1").await;
    for _ in 0..2 {
        let page = stack.browser().open(callback.as_str()).await.expect(403);
        says(&page, "Copy the address of this page and open it in the browser in which you began");
    }
    assert_eq!(browser.come_back(&callback).await.parameter("status").as_deref(), Some("connected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_the_parent_domain_hides_nothing() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let (browser, callback) = authorized(&stack, "seller-1").await;
    browser.receive_cookie("city", "Orléans");
    browser.receive_cookie("aa", "=;;\u{e9}");
    assert_eq!(browser.come_back(&callback).await.parameter("status").as_deref(), Some("connected"));
}

fn app_key(callback: &Url) -> String {
    callback.query_pairs().find(|(name, _)| name == "app_key").unwrap().1.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_visits_at_once_both_arrive() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let browser = stack.browser();
    let mut links = Vec::new();
    for _ in 0..2 {
        let session = stack.vendor().connect_session(json!({"account_id": "acme"})).await;
        drop(browser.open(&session.connect_url).await.expect(200));
        links.push(format!("{}/tiktok-shop/us", session.connect_url));
    }
    let (one, other) = tokio::join!(browser.open(&links[0]), browser.open(&links[1]));
    for (left, seller) in [(one, "seller-1"), (other, "seller-2")] {
        let callback = browser.authorize(&left.redirect(), seller).await;
        assert_eq!(browser.come_back(&callback).await.parameter("status").as_deref(), Some("connected"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_of_one_browser_both_arrive() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let browser = stack.browser();
    let mut callbacks = Vec::new();
    for seller in ["seller-1", "seller-2"] {
        let session = stack.vendor().connect_session(json!({"account_id": "acme"})).await;
        let link = browser.leave(&session.connect_url, "us").await;
        callbacks.push(browser.authorize(&link, seller).await);
    }
    assert_eq!(browser.cookies().len(), 1, "one cookie a browser");
    for callback in callbacks.iter().rev() {
        assert_eq!(browser.come_back(callback).await.parameter("status").as_deref(), Some("connected"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_link_stays_pending_and_is_gone_after_an_hour() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let session = vendor.connect_session(json!({"account_id": "attacker"})).await;
    drop(stack.browser().connect(&session.connect_url, "us", "seller-1").await);
    assert_eq!(vendor.token(SELLER_1).await.expect(409).code().as_deref(), Some("pending"));
    drop(vendor.token_by_shop("tiktok-shop/us/shop-1").await.expect(404));
    drop(vendor.confirm(&session.session_id, "a-guess").await.expect(404));
    stack.age(3_500).await;
    assert_eq!(stack.invoke_sweep().await["removed"], 0);
    stack.age(200).await;
    assert_eq!(stack.invoke_sweep().await["removed"], 1);
    drop(vendor.token(SELLER_1).await.expect(404));
    assert!(stack.item("shop/tiktok-shop/us/shop-1").await.is_none());
    assert!(stack.token_set(SELLER_1, None).await.is_none(), "its secret is gone");

    // The seller's own account is not hindered by what happened, the secret's recovery window included.
    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    let back = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    drop(vendor.confirm(&session.session_id, back.result()).await.expect(200));
    assert_eq!(vendor.token(SELLER_1).await.expect(200).json()["account_id"], "acme");
    drop(vendor.token_by_shop("tiktok-shop/us/shop-1").await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_link_does_not_hinder_the_sellers_own_account_and_learns_nothing_of_it() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let forwarded = vendor.connect_session(json!({"account_id": "attacker"})).await;
    let lured = stack.browser().connect(&forwarded.connect_url, "us", "seller-1").await;
    crate::setting::connect(&stack, "us", "seller-1", "acme").await;
    assert_eq!(vendor.token(SELLER_1).await.expect(200).json()["account_id"], "acme");
    let told = vendor.session(&forwarded.session_id).await.expect(200).json();
    assert_eq!((&told["connections"], &told["status"]), (&json!([]), &json!("open")), "{told}");
    let late = vendor.confirm(&forwarded.session_id, lured.result()).await.expect(409);
    assert_eq!(late.code().as_deref(), Some("nothing_to_confirm"));
    assert_eq!(vendor.token(SELLER_1).await.expect(200).json()["account_id"], "acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_connects_while_a_removal_is_under_way_is_connected() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let forwarded = vendor.connect_session(json!({"account_id": "attacker"})).await;
    drop(stack.browser().connect(&forwarded.connect_url, "us", "seller-1").await);
    stack.age(3_601).await;
    let seller = OnTheWay::authorized(&stack, "us", "seller-1", "acme").await;
    let deletion = stack.secrets_manager().front().pause("DeleteSecret", Moment::Arrived);
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), async {
        deletion.reached().await;
        seller.arrives().await;
        deletion.release();
    });
    assert_eq!(swept["removed"], 0, "{swept}");
    assert!(stack.token_set(SELLER_1, None).await.is_some(), "the deletion that came too late was taken back");
    // Another container, which has nothing in memory.
    stack.kill(Function::TokenLookup);
    stack.start_process(Function::TokenLookup).unwrap();
    assert_eq!(vendor.token(SELLER_1).await.expect(200).json()["account_id"], "acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_or_is_no_seller_is_told_what_to_do() {
    let mut options = Options::default();
    options.sellers.push(Seller { user_type: UserType::Creator, ..Seller::new("creator-1") });
    let stack = Stack::start(options).await.unwrap();
    let vendor = stack.vendor();

    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    let browser = stack.browser();
    let link = browser.leave(&session.connect_url, "us").await;
    let denied = browser.deny(&link).await;
    let page = browser.come_back(&denied).await.page.unwrap().expect(200);
    says(&page, "You did not give permission");
    assert!(page.asked.contains("/result/"), "a clean address: {}", page.asked);
    assert!(page.body.contains("https://vendor.example/shops/connected?session_id="), "{}", page.body);
    says(&browser.come_back(&denied).await.page.unwrap(), "You did not give permission");
    assert_eq!(vendor.session(&session.session_id).await.json()["failure"], "denied");

    let (browser, callback) = authorized(&stack, "creator-1").await;
    says(&browser.come_back(&callback).await.page.unwrap(), "not a seller account");
    assert!(stack.item("tiktok-shop/us/creator-1").await.is_none());

    let (browser, callback) = authorized(&stack, "seller-1").await;
    stack.tiktok_shop().advance(31 * 60);
    says(&browser.come_back(&callback).await.page.unwrap(), "did not accept this authorization");
    assert!(stack.item(SELLER_1).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_code_and_a_table_that_is_down_end_in_a_page() {
    let stack = Stack::start(Options { unsolicited: Some("accept"), ..Options::default() }).await.unwrap();
    let (browser, callback) = authorized(&stack, "seller-1").await;
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    drop(browser.come_back(&callback).await);
    let (browser, callback) = authorized(&stack, "seller-2").await;
    let used = with(&callback, "code", Some(&code)).parse().unwrap();
    says(&browser.come_back(&used).await.page.unwrap(), "did not accept this authorization");

    for operation in ["GetItem", "UpdateItem", "PutItem"] {
        let session = stack.vendor().connect_session(json!({"account_id": "acme"})).await;
        let browser = stack.browser();
        let link = browser.leave(&session.connect_url, "us").await;
        let callback = browser.authorize(&link, "seller-2").await;
        let down = AwsFault::new(FaultKind::ErrorBefore).on(operation);
        let down = down.when(|call| call.resource.as_deref() == Some("connect-sessions")).always();
        let down = stack.dynamodb().front().inject(down);
        let page = match operation {
            "PutItem" => browser.open(&format!("{}/tiktok-shop/us", session.connect_url)).await,
            _ => browser.open(callback.as_str()).await,
        };
        says(&page.expect(503), "went wrong on our side");
        down.clear();
        if operation == "GetItem" {
            assert_eq!(browser.come_back(&callback).await.parameter("status").as_deref(), Some("connected"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_whose_end_is_not_known_is_taken_back() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let forwarded = stack.vendor().connect_session(json!({"account_id": "attacker"})).await;
    drop(stack.browser().connect(&forwarded.connect_url, "us", "seller-1").await);
    stack.age(3_601).await;
    let down = stack.dynamodb().front().inject(AwsFault::new(FaultKind::DropBefore).on("DeleteItem").always());
    assert_eq!(stack.invoke_sweep().await["errors"], 1);
    assert!(stack.token_set(SELLER_1, None).await.is_some(), "no item without its secret");
    down.clear();
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["removed"], 1);
    assert!(stack.item(SELLER_1).await.is_none());
    assert!(stack.token_set(SELLER_1, None).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_at_that_moment_end_in_a_page_and_are_healed() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();

    // The exchange times out: nothing is known, nothing is written.
    stack.tiktok_shop().inject(Route::TokenGet, Fault::new(Trouble::Hang(When::AfterEffect)).times(1));
    let (browser, callback) = authorized(&stack, "seller-1").await;
    says(&browser.come_back(&callback).await.page.unwrap(), "did not answer");
    assert!(stack.item(SELLER_1).await.is_none());

    // The vault is down: the pending item is taken away by the sweep.
    let down = stack
        .secrets_manager()
        .front()
        .inject(AwsFault::new(FaultKind::ErrorBefore).when(|call| call.operation != "GetSecretValue").always());
    let (browser, callback) = authorized(&stack, "seller-1").await;
    says(&browser.come_back(&callback).await.page.unwrap(), "went wrong on our side");
    down.clear();
    assert_eq!(item(&stack, SELLER_1).await["status"], "pending");
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["removed"], 1);
    assert!(stack.item(SELLER_1).await.is_none());

    // The table fails at the commit: the sweep finds what was kept, and commits it without asking the marketplace.
    let commit = AwsFault::new(FaultKind::ErrorBefore).on("UpdateItem");
    let is_of_connection = |key: &String| key.starts_with("tiktok-shop/");
    let commit = commit.when(move |call| call.keys.iter().any(is_of_connection)).after(1).always();
    let down = stack.dynamodb().front().inject(commit);
    let (browser, callback) = authorized(&stack, "seller-1").await;
    says(&browser.come_back(&callback).await.page.unwrap(), "went wrong on our side");
    down.clear();
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["healed"], 1);
    assert_eq!(item(&stack, SELLER_1).await["status"], "pending", "still nobody has confirmed it");

    // And with all of that over, the seller simply connects.
    let (browser, callback) = authorized(&stack, "seller-1").await;
    let back = browser.come_back(&callback).await;
    let session = back.parameter("session_id").unwrap();
    drop(vendor.confirm(&session, back.result()).await.expect(200));
    let token = vendor.token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_nobody_asked_for_is_accepted_where_that_is_set() {
    let stack = Stack::start(Options { unsolicited: Some("accept"), ..Options::default() }).await.unwrap();
    let (vendor, platform) = (stack.vendor(), stack.tiktok_shop());
    let callback = platform.authorize(US_APP_KEY, "seller-1", None).unwrap();
    let browser = stack.browser();
    let page = browser.come_back(&callback).await.page.unwrap().expect(200);
    says(&page, "is connected");
    assert!(!page.asked.contains("code"), "a clean address: {}", page.asked);
    says(&browser.come_back(&callback).await.page.unwrap(), "is connected");
    assert_eq!(platform.calls_to(Route::TokenGet).len(), 1);
    let token = vendor.token(SELLER_1).await.expect(200).json();
    assert_eq!(token["account_id"], serde_json::Value::Null);

    // It never changes an account.
    crate::setting::connect(&stack, "us", "seller-2", "acme").await;
    next_second().await;
    let callback = platform.authorize(US_APP_KEY, "seller-2", None).unwrap();
    says(&browser.come_back(&callback).await.page.unwrap(), "is connected");
    assert_eq!(vendor.token("tiktok-shop/us/seller-2").await.expect(200).json()["account_id"], "acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_begun_even_if_nobody_was_told_that_it_was_written() {
    let stack = Stack::start(Options { unsolicited: Some("accept"), ..Options::default() }).await.unwrap();
    let lost = stack.dynamodb().front().inject(AwsFault::new(FaultKind::DropAfter).on("PutItem"));
    let callback = stack.tiktok_shop().authorize(US_APP_KEY, "seller-1", None).unwrap();
    says(&stack.browser().come_back(&callback).await.page.unwrap().expect(200), "is connected");
    assert!(lost.is_spent());
}
