//! An app secret is replaced while everything runs: nobody is blamed in the minutes between, nothing is lost.

use std::time::Duration;

use end_to_end::{Function, Options, Stack};
use serde_json::json;
use simulators::tiktok_shop::{Notice, Reception};

use crate::setting::{DUE, US_APP_KEY, connect_all, item, with_sellers};

const SECRET: &str = "shop-keyring/apps/tiktok-shop/us";
const OLD: &str = "us-app-secret-5d41402abc4b2a76";
const NEW: &str = "us-app-secret-of-tomorrow";
const SELLERS: usize = 3;
const SOON: Duration = Duration::from_secs(10);

/// What the functions keep in memory of the app's secret lasts for five minutes. A new process stands for their end.
fn five_minutes_later(stack: &Stack, function: Function) {
    stack.kill(function);
    stack.start_process(function).unwrap();
}

async fn nobody_is_blamed(stack: &Stack) {
    for n in 0..SELLERS {
        let item = item(stack, &format!("tiktok-shop/us/s-{n}")).await;
        let marks = (&item["status"], &item["refusals"], &item["failures"]);
        assert_eq!(marks, (&json!("active"), &json!(0), &json!(0)), "{item}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_secret_is_replaced_without_downtime() {
    let options = Options { processes: Function::ALL.map(|function| (function, 1)).into(), ..with_sellers(SELLERS) };
    let stack = Stack::start(options.with_webhooks()).await.unwrap();
    let (platform, vendor) = (stack.tiktok_shop(), stack.vendor());
    connect_all(&stack, SELLERS).await;
    stack.age(DUE).await;
    platform.configure(|settings| settings.webhook_retries = vec![Duration::from_millis(300); 100]);

    // The vendor has a new secret made at the platform, and there the old one is dead at once.
    platform.update_app(US_APP_KEY, |app| app.app_secret = NEW.into()).unwrap();
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["misconfigured"], &swept["skipped"]), (&json!(3), &json!(0)), "{swept}");
    let notice = platform.send_notice(US_APP_KEY, Notice::deauthorized("shop-of-0")).unwrap();
    assert!(platform.attempted(&notice, 1, SOON).await);
    assert_eq!(platform.deliveries_of(&notice)[0].reception, Reception::Answered(401));
    for n in 0..SELLERS {
        drop(vendor.token(&format!("tiktok-shop/us/s-{n}")).await.expect(200));
    }
    nobody_is_blamed(&stack).await;

    // The operator puts it beside the old one.
    let mut both = stack.secret(SECRET, None).await.unwrap();
    both["previous_app_secret"] = both["app_secret"].take();
    both["app_secret"] = json!(NEW);
    stack.put_secret(SECRET, &both).await;
    stack.age(3_601).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["misconfigured"]), (&json!(3), &json!(0)), "all gave way: {swept}");
    five_minutes_later(&stack, Function::OauthCallback);
    assert!(platform.delivered(&notice, SOON).await, "the platform sends it again until it is taken");
    let late = platform.send_notice(US_APP_KEY, Notice::deauthorized("shop-of-1").signed_with(OLD)).unwrap();
    assert!(platform.attempted(&late, 1, SOON).await);
    assert_eq!(platform.deliveries_of(&late)[0].reception, Reception::Answered(200), "one that was on its way");
    stack.age(3_601).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["verified"]), (&json!(0), &json!(2)), "{swept}");
    nobody_is_blamed(&stack).await;

    // A day later the old one goes.
    both.as_object_mut().unwrap().remove("previous_app_secret");
    stack.put_secret(SECRET, &both).await;
    five_minutes_later(&stack, Function::OauthCallback);
    let forged = platform.send_notice(US_APP_KEY, Notice::deauthorized("shop-of-2").signed_with(OLD)).unwrap();
    assert!(platform.attempted(&forged, 1, SOON).await);
    assert_eq!(platform.deliveries_of(&forged)[0].reception, Reception::Answered(401));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 3);
    nobody_is_blamed(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_comes_back_in_the_minutes_between_connects_once_more() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let browser = stack.browser();
    let callback = browser.authorize(&browser.leave(&session.connect_url, "us").await, "seller-1").await;
    stack.tiktok_shop().update_app(US_APP_KEY, |app| app.app_secret = NEW.into()).unwrap();
    let back = browser.come_back(&callback).await;
    assert!(back.parameter("result").is_none(), "the code could not be redeemed");

    let mut both = stack.secret(SECRET, None).await.unwrap();
    both["app_secret"] = json!(NEW);
    stack.put_secret(SECRET, &both).await;
    let back = browser.connect(&session.connect_url, "us", "seller-1").await;
    drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
    drop(stack.vendor().token("tiktok-shop/us/seller-1").await.expect(200));
}
