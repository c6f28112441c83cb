//! Who may send the form, and how often.

use end_to_end::{Options, SellerKind, Stack};
use simulators::temu::Purpose;

use super::setting::{CROSS_BORDER_MALL, LOCAL, LOCAL_MALL, US_ORDERS, Visit, issue};

/// The form as it would be sent from elsewhere, with a token taken or guessed.
fn made_up<'a>(token: &'a str, form_token: &'a str) -> [(&'a str, &'a str); 4] {
    [("site", "us"), ("token", token), ("seller", "local"), ("form_token", form_token)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_not_this_sessions_in_this_browser_is_refused() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let (visit, other) = (Visit::begin(&stack).await, Visit::begin(&stack).await);
    let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::Local).await;
    let (own, url) = (form.form_token(), form.url.clone());
    // The same browser in another session, and another browser in the same one.
    let other_session = visit.browser.token_form(&other.session.connect_url, SellerKind::Local).await.form_token();
    let stranger = stack.browser();
    let other_browser = stranger.token_form(&visit.session.connect_url, SellerKind::Local).await.form_token();
    assert!(own != other_session && own != other_browser && other_session != other_browser);

    for form_token in ["", "guessed", &other_session, &other_browser] {
        drop(visit.browser.submit(&url, &made_up(&token, form_token)).await.expect(403));
    }
    drop(visit.browser.submit(&url, &made_up(&token, "")[..3]).await.expect(403));
    for thief in [&stranger, &stack.browser()] {
        drop(thief.submit(&url, &made_up(&token, &own)).await.expect(403));
    }
    assert_eq!(stack.temu().calls().len(), 0, "nobody was asked about the token");
    assert!(stack.item(LOCAL).await.is_none());

    let page = form.send(&[("site", "us"), ("token", &token)]).await;
    drop(visit.browser.arrive(page).await.expect(200));
    assert!(stack.item(LOCAL).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_the_form_consumes_nothing_and_ends_with_its_session() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::Local).await;
    for path in ["/temu", "/temu?seller=local", "/temu?seller=semi-managed", "/temu?seller=nobody"] {
        let page = stack.browser().open(&format!("{}{path}", visit.session.connect_url)).await;
        assert!(page.status < 500, "{path}: {}", page.body);
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self';"), "{policy}");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    }
    assert_eq!(stack.browser().open("/connect/no-such-session/temu").await.status, 404);
    let told = stack.vendor().session(&visit.session.session_id).await.expect(200).json();
    assert_eq!(told["status"], "open");

    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    stack.age(3_601).await;
    drop(visit.browser.open(&form.url).await.expect(410));
    drop(form.send(&[("site", "us"), ("token", &token)]).await.expect(410));
    assert!(stack.item(LOCAL).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_takes_forty_tokens() {
    let stack = Stack::start(Options::default()).await.unwrap();
    // Nobody pastes as fast as this test; Temu's own limit is not what it is about.
    stack.temu().configure(|settings| settings.calls_per_second = None);
    let visit = Visit::begin(&stack).await;
    let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::SemiManaged).await;
    let fields = ["token_product", "token_us", "token_eu", "token_global"];
    for n in 0..10 {
        let guesses: Vec<String> = (0..4).map(|field| format!("guess{field}{n}").repeat(8)).collect();
        let filled: Vec<_> = fields.into_iter().zip(guesses.iter().map(String::as_str)).collect();
        let page = form.send(&filled).await.expect(422);
        assert_eq!(page.reasons(), ["unknown"; 4], "{n}: {}", page.body);
    }
    let calls = stack.temu().calls().len();
    let good = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
    let page = form.send(&[("token_us", &good)]).await.expect(429);
    assert!(!page.body.contains(&good), "{}", page.body);
    assert_eq!(stack.temu().calls().len(), calls, "nobody is asked any more");

    // Another session is another count.
    drop(Visit::begin(&stack).await.paste_cross_border(&[("token_us", &good)]).await.expect(200));
    assert!(stack.item(US_ORDERS).await.is_some());
}
