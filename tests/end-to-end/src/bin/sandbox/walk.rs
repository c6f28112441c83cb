//! The main job at TikTok Shop, step by step.

use std::time::{Duration, Instant};

use end_to_end::{Stack, backend::ANN, schedule::Runs};
use serde_json::{Value, json};

use crate::steps::{Failed, Steps, tell, tell_json};

/// The seller of the walk.
pub(crate) const SELLER: &str = "ann-attic";
pub(crate) const CONNECTION: &str = "tiktok-shop/us/ann-attic";
/// The shop that she takes away.
pub(crate) const CLOSING_SHOP: &str = "7004";

/// Walks one seller from the vendor's button to a renewed token.
pub(crate) async fn walk(stack: &Stack, runs: &Runs, steps: &mut Steps) -> Result<(), Failed> {
    let vendor = stack.vendor();

    let session = steps
        .step("The vendor opens a connect session", async {
            let body = json!({ "account_id": ANN.account_id, "account_label": ANN.name });
            let session = vendor.connect_session(body).await;
            tell("POST /v1/connect-sessions -> 201");
            tell(format_args!("the link for the seller: {}", session.connect_url));
            session
        })
        .await?;

    let returned = steps
        .step("The seller opens the link and authorizes at TikTok Shop (simulated)", async {
            let browser = stack.browser();
            browser.open(&session.connect_url).await.expect(200);
            tell("the connect page opens");
            let link = browser.leave(&session.connect_url, "us").await;
            tell(format_args!("\"United States\" leads to {}{}", link.origin().ascii_serialization(), link.path()));
            let callback = browser.authorize(&link, SELLER).await;
            tell(format_args!("\"Authorize\" leads to {}", callback.path()));
            let returned = browser.come_back(&callback).await;
            let _ = returned.result();
            tell(format_args!("and that leads back to the vendor, {}", without_query(&returned.url)));
            returned
        })
        .await?;

    steps
        .step("The vendor confirms", async {
            let waiting = vendor.token(CONNECTION).await.expect(409);
            tell(format_args!("until then nobody gets the token: 409 {}", waiting.code().unwrap_or_default()));
            let confirmed =
                vendor.confirm_for(&session.session_id, returned.result(), ANN.account_id).await.expect(200).json();
            tell(format_args!("POST /v1/connect-sessions/…/confirm -> 200, {}", confirmed["connections"]));
        })
        .await?;

    let first = steps
        .step("A service looks the token up", async {
            let first = look_up(stack).await;
            tell_json(&first);
            first
        })
        .await?;
    let name = "The sweep renews it before it ends";
    steps.step(name, wait_for_version(stack, runs, version(&first) + 1)).await?;
    steps
        .step("The service looks the token up again", async {
            let second = look_up(stack).await;
            assert!(version(&second) > version(&first), "the version has not risen");
            assert_ne!(first["access_token"], second["access_token"], "it is the same token");
            let accepted = second["access_token"].as_str().is_some_and(|token| stack.tiktok_shop().accepts(token));
            assert!(accepted, "TikTok Shop does not accept it");
            tell_json(&json!({
                "access_token": second["access_token"], "version": second["version"], "expires_at": second["expires_at"],
            }));
            tell("another token, a higher version, and TikTok Shop accepts it");
        })
        .await?;
    steps.step("The seller takes one of the two shops away at TikTok Shop", take_shop_away(stack)).await?;
    steps.step("What the vendor's own systems were told meanwhile, on its EventBridge bus", show_events(stack)).await
}

/// Each is published by the sweep after the one, or the request, that it tells of.
async fn show_events(stack: &Stack) {
    loop {
        let events = stack.event_bus().events_after(0);
        if events.iter().any(|event| event.detail_type == "Connection Refreshed") {
            for event in &events {
                let [version, id] = ["version", "id"].map(|name| event.detail[name].to_string());
                tell(format_args!("{}: {}, version {version}, id {id}", event.detail_type, event.detail["connection"]));
            }
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// TikTok Shop posts a notice of it, and the sweep asks what is left.
async fn take_shop_away(stack: &Stack) {
    let platform = stack.tiktok_shop();
    assert!(platform.deauthorize_shop(stack.app_key("us"), SELLER, CLOSING_SHOP), "she has no such shop");
    let notices = platform.deliveries();
    let notice = notices.last().expect("TikTok Shop posts a notice");
    assert!(platform.delivered(&notice.notification_id, Duration::from_secs(10)).await, "the notice was not taken");
    tell("POST /webhooks/tiktok-shop/us -> 200, and the connection is due for a check");
    while look_shops_up(stack).await.len() > 1 {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    tell(format_args!("the sweep has asked TikTok Shop: what is left is {}", look_shops_up(stack).await.join(", ")));
}

async fn look_shops_up(stack: &Stack) -> Vec<String> {
    let connection = stack.vendor().connection(CONNECTION).await.expect(200).json();
    let shops = connection["shops"].as_array().expect("a list of shops");
    shops.iter().map(|shop| format!("{} ({})", shop["name"], shop["id"])).collect()
}

/// As it stands: to look on shall not be what renews it.
async fn look_up(stack: &Stack) -> Value {
    let token = stack.vendor().token_for(CONNECTION, 0).await.expect(200).json();
    tell(format_args!("GET /v1/connections/{CONNECTION}/token -> 200"));
    token
}

async fn wait_for_version(stack: &Stack, runs: &Runs, version_wanted: u64) {
    let vendor = stack.vendor();
    let connection = vendor.connection(CONNECTION).await.expect(200).json();
    // The connection's view has no time for the refresh alone: `next_due_at` may be that of an event or a reminder.
    tell(format_args!(
        "the token was obtained at {} and ends at {}",
        connection["refreshed_at"], connection["expires_at"]
    ));
    tell("its first refresh becomes due after 45 to 75 % of that time, at a point of the connection's own");
    let (began, mut told, mut seen) = (Instant::now(), 0, runs.after(0).last().map_or(0, |run| run.number));
    loop {
        for run in runs.after(seen) {
            seen = run.number;
            let waited = began.elapsed().as_secs();
            if run.did_something() || waited >= told + 10 {
                told = waited;
                tell(format_args!("{waited:>3} s  sweep: {}", run.in_words()));
            }
        }
        let renewed = vendor.connection(CONNECTION).await.expect(200).json();
        if version(&renewed) >= version_wanted {
            tell(format_args!(
                "refreshed at {}; the new token ends at {}",
                renewed["refreshed_at"], renewed["expires_at"]
            ));
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn version(answer: &Value) -> u64 {
    answer["version"].as_u64().expect("a version")
}

pub(crate) fn without_query(url: &reqwest::Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
