//! Lanes: no app waits for another, and nothing that needs no marketplace waits for any.

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};
use shop_keyring::{connection::Connection, time::Timestamp};
use simulators::tiktok_shop::{Fault, Route, Seller, Shop, Trouble, When};

use crate::{
    metrics::Metrics,
    rows::{import, row},
    setting::{DUE, connect, item, next_sweep},
};

const DAY: i64 = 86_400;
const IN_US: &str = "tiktok-shop/us/s-us";
const IN_GLOBAL: &str = "tiktok-shop/global/s-global";
const ENDED: &str = "tiktok-shop/global/s-ended";

/// One connection of the app `us`, two of the app `global`.
async fn two_apps(options: Options) -> Stack {
    let sellers = ["s-us", "s-global", "s-ended"];
    let seller = |name: &str| Seller::new(name).with_shop(Shop::new(format!("shop-of-{name}"), "US"));
    let stack = Stack::start(Options { sellers: sellers.map(seller).into(), ..options }).await.unwrap();
    for (app, seller) in [("us", "s-us"), ("global", "s-global"), ("global", "s-ended")] {
        connect(&stack, app, seller, "acme").await;
    }
    stack
}

/// A connection that has been due for two days at most.
fn overdue(name: &str) -> Connection {
    let refreshed_at = Timestamp::local_now().plus(-5 * DAY);
    let times = (Some(refreshed_at), Some(refreshed_at.plus(6 * DAY)));
    Connection { authorized_at: times.0, refreshed_at: times.0, access_expires_at: times.1, ..row(name, Some("acme")) }
}

/// Puts a connection's token set into the vault.
fn keep(stack: &Stack, row: &Connection) {
    let set = json!({
        "access_token": "ROW_access", "refresh_token": "ROW_refresh", "access_expires_at": row.access_expires_at,
        "authorization_expires_at": row.authorization_expires_at, "scopes": [], "app_key": row.app_key,
        "granted_at": row.granted_at,
    });
    let secret = format!("shop-keyring/connections/{}/tokens", row.connection);
    let version = row.secret_version.as_ref().unwrap().as_str();
    stack.secrets_manager().create(&secret, version, &set.to_string()).unwrap();
}

async fn version(stack: &Stack, connection: &str) -> Value {
    item(stack, connection).await["token_version"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_lane_delays_no_other_and_its_chores_go_on() {
    const OVERDUE: usize = 400;
    let stack = two_apps(Options::default().with_events()).await;
    assert_eq!(next_sweep(&stack).await["published"], 3);
    stack.age(DUE).await;
    stack.age_connection(IN_GLOBAL, 20 * DAY).await;
    let name = "shop-keyring/apps/tiktok-shop/global";
    let mut wrong = stack.secret(name, None).await.unwrap();
    let app_key = wrong["app_key"].as_str().unwrap().to_owned();
    let overdue = |n| Connection { app_key: app_key.clone(), ..overdue(&format!("tiktok-shop/global/many-{n}")) };
    let mut rows: Vec<_> = (0..OVERDUE).map(overdue).collect();
    for row in &rows {
        keep(&stack, row);
    }
    let reminded = Connection {
        authorization_expires_at: Some(Timestamp::local_now().plus(29 * DAY)),
        ..row("tiktok-shop/global/reminded", Some("acme"))
    };
    rows.push(reminded);
    import(&stack, &rows);
    drop(stack.vendor().disconnect(ENDED).await.expect(200));
    wrong["app_secret"] = json!("not-the-app-secret-at-all");
    stack.put_secret(name, &wrong).await;

    stack.dynamodb().front().forget_calls();
    let swept = stack.invoke_sweep().await;
    assert_eq!(swept["refreshed"], 1, "{swept}");
    assert_eq!(swept["misconfigured"], 3, "then its circuit breaker is open: {swept}");
    assert_eq!((version(&stack, IN_US).await, version(&stack, IN_GLOBAL).await), (json!(2), json!(1)));
    assert_eq!((&swept["reminded"], &swept["secrets_deleted"]), (&json!(1), &json!(1)), "{swept}");
    assert_eq!((&swept["published"], &swept["errors"]), (&json!(1), &json!(0)), "one has ended: {swept}");
    let lanes = stack.registry().await.as_object().unwrap().len() as u64;
    let queries = stack.dynamodb().front().queries_on("connections/index/due");
    assert_eq!(queries, 4 * lanes, "a stopped lane is not read any further");
    let [oldest, stopped] =
        ["oldest_due_seconds", "lane_stopped_seconds"].map(|name| swept[name].as_i64().unwrap() / DAY);
    assert!(oldest < 6 && stopped >= 14, "{swept}");
    stack.stop_functions();
    let (metrics, seconds) = (Metrics::of(&stack), swept["lane_stopped_seconds"].as_f64().unwrap());
    assert_eq!(metrics.values("LaneStoppedSeconds", &[]), [0.0, seconds]);
    assert_eq!(metrics.values("LaneStoppedSeconds", &[("App", "tiktok-shop/global")]), [seconds]);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_lanes_meet_the_outage_of_their_host_together() {
    const LANES: usize = 20;
    const EACH: usize = 4;
    let stack = two_apps(Options::default()).await;
    let mut registry = stack.registry().await;
    let us = registry["tiktok-shop/us"].clone();
    let credentials = stack.secret("shop-keyring/apps/tiktok-shop/us", None).await.unwrap();
    let app_key = credentials["app_key"].as_str().unwrap().to_owned();
    let mut rows = Vec::new();
    for lane in 0..LANES {
        let app = format!("tiktok-shop/lane-{lane}");
        registry[&app] = us.clone();
        stack.put_secret(&format!("shop-keyring/apps/{app}"), &credentials).await;
        rows.extend((0..EACH).map(|n| Connection { app_key: app_key.clone(), ..overdue(&format!("{app}/{n}")) }));
    }
    stack.put_registry(&registry.to_string()).await;
    for row in &rows {
        keep(&stack, row);
    }
    import(&stack, &rows);
    let hangs = Fault::new(Trouble::Hang(When::BeforeEffect));
    stack.tiktok_shop().inject(Route::TokenRefresh, hangs);

    let asked = || stack.tiktok_shop().calls_to(Route::TokenRefresh).len();
    let swept = stack.invoke_sweep().await;
    assert!((5..=5 + 4).contains(&asked()), "five in a row, and those under way: {swept}");
    assert_eq!(swept["lanes_stopped"], LANES + 2, "all that ask this host: {swept}");
    for _ in 0..2 {
        let before = asked();
        stack.age(900).await;
        stack.invoke_sweep().await;
        assert_eq!(asked(), before + 1, "then one at a time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_an_app_keep_their_chores_and_are_told_of() {
    let stack = two_apps(Options::default().with_events()).await;
    stack.age(DUE).await;
    drop(stack.vendor().disconnect(ENDED).await.expect(200));
    let mut registry = stack.registry().await;
    registry.as_object_mut().unwrap().remove("tiktok-shop/global").unwrap();
    stack.put_registry(&registry.to_string()).await;
    // The first minute of an hour.
    stack.dynamodb().set_clock_offset(3_605 - Timestamp::local_now().0.rem_euclid(3_600));

    let calls = stack.tiktok_shop().calls_to(Route::TokenRefresh).len();
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["secrets_deleted"]), (&json!(1), &json!(1)), "{swept}");
    assert!(swept["published"].as_u64() >= Some(4), "{swept}");
    assert_eq!((&swept["errors"], swept.get("stopped")), (&json!(0), None), "{swept}");
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), calls + 1);
    assert_eq!(item(&stack, IN_GLOBAL).await["failures"], 0, "nothing counts against it");
    stack.stop_functions();
    let output = stack.output_of(Function::RefreshSweep);
    let told: Vec<_> =
        output.lines().filter(|line| line.contains("the registry has no such app that can be used")).collect();
    assert_eq!(told.len(), 1, "{output}");
    assert!(told[0].contains("tiktok-shop/global") && told[0].contains(r#""connections":1"#), "{}", told[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_cannot_be_read_is_left_out_and_the_others_go_on() {
    let stack = two_apps(Options::default().with_events()).await;
    stack.age(DUE).await;
    drop(stack.vendor().disconnect(ENDED).await.expect(200));
    let denied = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("Query");
    let is_of_global = |key: &String| key.starts_with("tiktok-shop/global#");
    let denied = stack.dynamodb().front().inject(denied.when(move |call| call.keys.iter().any(is_of_global)).always());
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["secrets_deleted"]), (&json!(1), &json!(1)), "{swept}");
    assert_eq!((&swept["errors"], swept.get("stopped")), (&json!(1), None), "{swept}");
    assert!(stack.writes("the lane is left out of this run", 1).await);
    denied.clear();
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    stack.stop_functions();
    let metrics = Metrics::of(&stack);
    let counts = ["OldestDueSeconds", "LaneStoppedSeconds"].map(|name| metrics.values(name, &[]).len());
    assert_eq!(counts, [1, 2], "no data, rather than an age that leaves a lane out");
}
