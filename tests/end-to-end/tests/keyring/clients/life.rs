//! Each example through a token's life: served, kept, rejected, renewed, and gone.

use end_to_end::Stack;
use reqwest::Method;
use simulators::tiktok_shop::{Route, code};

use super::{
    program::{Program, shell},
    setting::{MALL, MALL_ID, SELLER, UNCONFIRMED, connect_mall, connected},
};

/// A refresh within a quarter of an hour after the last one is not made.
const SOON_AFTER: i64 = 1_000;
const WEEK: u64 = 7 * 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn python() {
    a_tokens_life(Program::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript() {
    a_tokens_life(Program::TypeScript).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rust() {
    a_tokens_life(Program::Rust).await;
}

async fn a_tokens_life(program: Program) {
    let stack = connected().await;
    let environment = stack.vendor_by_role().environment();
    let mut client = program.start(&environment);

    // What there is no token of.
    assert!(client.call_one(UNCONFIRMED).await.starts_with("pending, confirm"));
    assert!(client.call_one("tiktok-shop/us/nobody").await.starts_with("connection_not_found, the seller connects"));

    // Served, used, and kept: four callers at once, and all later ones, cost one lookup.
    let before = asked(&stack, &Method::GET);
    let said = client.call(&[SELLER, MALL, SELLER, SELLER, SELLER]).await;
    assert_eq!(said[0], "version 1, shops shop-1");
    assert_eq!(said[1], "version 1, mall 634418212001");
    assert_eq!(said[2..], ["version 1, shops shop-1"; 3].map(str::to_owned));
    assert_eq!(client.call_one(SELLER).await, said[0]);
    assert_eq!(asked(&stack, &Method::GET) - before, 2, "one lookup for each connection");

    // It ends at the marketplace before its time: three callers cost one refresh.
    stack.age(SOON_AFTER).await;
    stack.tiktok_shop().advance(WEEK + 1);
    for said in client.call(&[SELLER, SELLER, SELLER]).await {
        assert_eq!(said, "version 2, shops shop-1");
    }
    assert_eq!(asked(&stack, &Method::POST), vendor_posts() + 1, "one request to refresh");
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 1);

    // Somebody else has had it renewed, and the old one has died of it.
    stack.tiktok_shop().configure(|settings| settings.rotation_ends_access_tokens = true);
    stack.age(SOON_AFTER).await;
    assert_eq!(stack.vendor().refresh(SELLER, 2).await.expect(200).json()["version"], 3);
    assert_eq!(client.call_one(SELLER).await, "version 3, shops shop-1");
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 2, "the third token was there already");
    stack.tiktok_shop().configure(|settings| settings.invalid_token_code = code::ACCESS_TOKEN_INVALID);
    stack.age(SOON_AFTER).await;
    assert_eq!(stack.vendor().refresh(SELLER, 3).await.expect(200).json()["version"], 4);
    assert_eq!(client.call_one(SELLER).await, "version 4, shops shop-1", "under the other code of a dead token");
    connect_mall(&stack).await;
    assert_eq!(client.call_one(MALL).await, "version 2, mall 634418212001");

    // Taken back at Temu: in doubt, and then for good.
    stack.age(SOON_AFTER).await;
    assert!(stack.temu().revoke(stack.temu_app_key("us"), MALL_ID));
    assert!(client.call_one(MALL).await.starts_with("check_failed, try again later"));
    // The rejected version is still served, and not tried again; nor is it to be replaced again before its time.
    let (calls, posts) = (stack.temu().calls().len(), asked(&stack, &Method::POST));
    assert!(client.call_one(MALL).await.starts_with("check_failed, try again later"));
    assert_eq!((stack.temu().calls().len(), asked(&stack, &Method::POST)), (calls, posts));
    // The only connection of its app: a refusal is believed after a day.
    stack.age(86_400).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    // Who remembers the refusal hears so later.
    let mut another = program.start(&environment);
    assert!(another.call_one(MALL).await.starts_with("reauthorization_required, send the seller"));

    let (all_well, written) = client.end().await;
    assert!(!all_well, "its exit status says that something failed");
    let mut written = vec![written, another.end().await.1];

    // Ended by the vendor: a process without a copy is told so.
    drop(stack.vendor().disconnect(SELLER).await.expect(200));
    let mut client = program.start(&environment);
    assert!(client.call_one(SELLER).await.starts_with("disconnected, forget"));
    written.push(client.end().await.1);

    // Without the app's secret there is nothing to sign with.
    let mut elsewhere = environment.clone();
    elsewhere.push(("SECRET_PREFIX", "elsewhere".into()));
    let mut client = program.start(&elsewhere);
    assert!(client.call_one(MALL).await.starts_with("call_failed, "));
    written.push(client.end().await.1);
    assert_no_secret(&stack, &written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_app_secret_is_read_again() {
    let stack = connected().await;
    let environment = stack.vendor_by_role().environment();
    for program in [Program::Python, Program::TypeScript, Program::Rust] {
        for (connection, app, bad_sign) in [(SELLER, "tiktok-shop/us", "106001"), (MALL, "temu/us", "3000001")] {
            let name = format!("shop-keyring/apps/{app}");
            let right = stack.secret(&name, None).await.unwrap();
            let mut wrong = right.clone();
            wrong["app_secret"] = "the-secret-of-before-5d41402abc4b".into();
            stack.put_secret(&name, &wrong).await;
            let mut client = program.start(&environment);
            let said = client.call_one(connection).await;
            assert!(said.starts_with("call_failed, "), "{program:?}: {said}");
            assert!(said.contains(&format!(" answered {bad_sign}, request ")), "{program:?}: {said}");
            // One call with it, one with what is read then.
            stack.put_secret(&name, &right).await;
            let said = client.call_one(connection).await;
            assert!(said.starts_with("version 1, "), "{program:?}: {said}");
            drop(client.end().await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl() {
    let stack = connected().await;
    let environment = stack.vendor_by_role().environment();
    let mut written = Vec::new();
    let Some((well, said)) = shell(&environment, MALL).await else { return };
    assert_eq!((well, said.as_str()), (true, "temu/us/634418212001: version 1, mall 634418212001\n"));
    let mut call = async |connection: &'static str| {
        let (well, said) = shell(&environment, connection).await.unwrap();
        written.push(said.clone());
        (well, said.strip_prefix(connection).unwrap_or_else(|| panic!("{said}")).to_owned())
    };
    assert_eq!(call(UNCONFIRMED).await, (false, ": pending, confirm the connect session\n".to_owned()));
    let (well, said) = call(SELLER).await;
    assert!(well && said.starts_with(": version 1, good until 20"), "{said}");
    stack.age(SOON_AFTER).await;
    assert!(stack.temu().revoke(stack.temu_app_key("us"), MALL_ID));
    assert_eq!(call(MALL).await, (false, ": check_failed, try again later\n".to_owned()));
    connect_mall(&stack).await;
    assert_eq!(call(MALL).await, (true, ": version 2, mall 634418212001\n".to_owned()));
    let (well, said) = call("tiktok-shop/us/nobody").await;
    assert!(!well && said.starts_with(": connection_not_found, the seller connects"), "{said}");
    drop(stack.vendor().disconnect(SELLER).await.expect(200));
    assert_eq!(call(SELLER).await, (false, ": disconnected, forget the connection\n".to_owned()));
    assert_no_secret(&stack, &written);

    // Without the app's secret there is nothing to sign with.
    let mut elsewhere = environment.clone();
    elsewhere.push(("SECRET_PREFIX", "elsewhere".into()));
    let (well, said) = shell(&elsewhere, MALL).await.unwrap();
    assert!(!well && said.contains("call_failed, the app's secret cannot be read"), "{said}");

    // A user's key has no session token.
    let (well, said) = shell(&stack.vendor().environment(), MALL).await.unwrap();
    assert!(well, "{said}");
}

/// How often the API was asked with this method, the vendor's own requests in this test included.
fn asked(stack: &Stack, method: &Method) -> usize {
    let requests = stack.gateway().accesses();
    let api = |route: &Option<String>| route.as_deref().is_some_and(|route| route.contains("/v1/"));
    requests.iter().filter(|request| request.method == *method && api(&request.route_key)).count()
}

/// What the setting posts: three sessions opened, two confirmed.
const fn vendor_posts() -> usize {
    5
}

#[track_caller]
fn assert_no_secret(stack: &Stack, written: &[String]) {
    let written = written.join("\n");
    for secret in stack.secrets_in_play() {
        assert!(!written.contains(&secret), "a secret of {} characters was written", secret.len());
    }
}
