//! The vendor ends a connection: nothing is served from then on, the secret goes, and the seller may come back.

use std::time::{Duration, Instant};

use emulators::front::{Call, Fault, FaultKind, Moment};
use end_to_end::{Function, Options, Stack};
use serde_json::json;
use simulators::tiktok_shop::{Seller, Shop};

use crate::setting::{
    DUE, OnTheWay, SELLER_1, connect, connect_all, connected, item, next_second, next_sweep, with_sellers,
};

/// Where its tokens are kept.
const SECRET_1: &str = "shop-keyring/connections/tiktok-shop/us/seller-1/tokens";

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_seller_is_served_to_nobody_and_the_secret_goes() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    drop(vendor.disconnect("tiktok-shop/us/nobody").await.expect(404));
    let ended = vendor.disconnect(SELLER_1).await.expect(200).json();
    assert_eq!(ended["status"], "disconnected");
    drop(vendor.token(SELLER_1).await.expect(410));
    drop(vendor.token_by_shop("tiktok-shop/us/shop-1").await.expect(410));
    drop(vendor.refresh(SELLER_1, 1).await.expect(410));
    drop(vendor.disconnect(SELLER_1).await.expect(200));

    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["secrets_deleted"], &swept["errors"]), (&json!(1), &json!(0)), "{swept}");
    let item = item(&stack, SELLER_1).await;
    assert!(item.get("due_at").is_none() && item.get("secret_version").is_none(), "{item}");
    assert_eq!(stack.secrets_manager().front().count("DeleteSecret"), 1);
    assert_eq!(stack.invoke_sweep().await["due"], 0);
    drop(vendor.token(SELLER_1).await.expect(410));
    drop(vendor.token_by_shop("tiktok-shop/us/shop-1").await.expect(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_comes_back_is_connected_again_before_and_after_the_deletion() {
    let stack = connected(Options::default()).await;
    for swept_before in [false, true] {
        drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
        if swept_before {
            assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
        }
        // Another account may have the seller now.
        connect(&stack, "us", "seller-1", "another").await;
        assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 0);
        let token = stack.vendor().token_by_shop("tiktok-shop/us/shop-1").await.expect(200).json();
        assert_eq!(token["account_id"], "another");
        assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_comes_back_when_the_secret_cannot_be_restored_any_more_gets_a_new_one() {
    let stack = connected(Options::default()).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    stack.age(8 * 86_400).await;
    connect(&stack, "us", "seller-1", "acme").await;
    let front = stack.secrets_manager().front();
    assert_eq!(front.count("RestoreSecret"), 0, "there was nothing to restore");
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1, "the secret takes new versions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_went_to_another_seller_stays_with_that_one() {
    let seller = |n| Seller::new(format!("seller-{n}"));
    let with_shop = seller(1).with_shop(Shop::new("shop-1", "US"));
    let stack = connected(Options { sellers: vec![with_shop, seller(2)], ..Options::default() }).await;
    stack.tiktok_shop().remove_shop("seller-1", "shop-1").unwrap();
    stack.tiktok_shop().add_shop("seller-2", Shop::new("shop-1", "US")).unwrap();
    // Of two grants in one second neither is the later one.
    next_second().await;
    connect(&stack, "us", "seller-2", "another").await;
    let known = item(&stack, SELLER_1).await;
    assert_eq!(known["shops"][0]["id"], "shop-1", "the older connection has not listed its shops since");
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    let token = stack.vendor().token_by_shop("tiktok-shop/us/shop-1").await.expect(200).json();
    assert_eq!((&token["connection"], &token["account_id"]), (&json!("tiktok-shop/us/seller-2"), &json!("another")));

    drop(stack.vendor().disconnect("tiktok-shop/us/seller-2").await.expect(200));
    assert_eq!(next_sweep(&stack).await["secrets_deleted"], 1);
    assert!(stack.item("shop/tiktok-shop/us/shop-1").await.is_none(), "its own pointer goes");
}

/// Rounds of the race; the end of the connection comes at another moment in each.
const ROUNDS: u32 = 24;

/// Sellers who take turns, so that nobody authorizes several times within a moment: the times of grants, which time
/// travel leaves as they are, would run ahead.
const TURNS: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn coming_back_and_being_disconnected_at_the_same_moment() {
    let count = usize::try_from(TURNS).unwrap();
    let stack = Stack::start(with_sellers(count)).await.unwrap();
    connect_all(&stack, count).await;
    let vendor = stack.vendor();
    let (mut came_back, mut ended) = (0, 0);
    // How long a seller needed the last time: the delays follow the machine.
    let mut took = Duration::ZERO;
    for round in 0..ROUNDS {
        let seller = format!("s-{}", round % TURNS);
        let connection = format!("tiktok-shop/us/{seller}");
        let secret = format!("shop-keyring/connections/{connection}/tokens");
        // In every other turn the seller comes back from a disconnect whose deletion is still to be done.
        if round / TURNS % 2 == 1 {
            drop(vendor.disconnect(&connection).await.expect(200));
        }
        let session = vendor.connect_session(json!({"account_id": "acme", "reconnect": connection})).await;
        let browser = stack.browser();
        let callback = browser.authorize(&browser.leave(&session.connect_url, "us").await, &seller).await;
        // Each turn goes from the beginning to well after the end, no two of them by the same steps.
        let step = round % TURNS * (ROUNDS / TURNS) + round / TURNS;
        let (until_end, until_sweep) = (took * 3 / 2 * step / ROUNDS, took * (round % 5) / 5);
        let (back, (), _) = tokio::join!(
            async {
                let began = Instant::now();
                let back = browser.come_back(&callback).await;
                took = began.elapsed();
                back
            },
            async {
                tokio::time::sleep(until_end).await;
                drop(vendor.disconnect(&connection).await.expect(200));
            },
            async {
                tokio::time::sleep(until_sweep).await;
                stack.invoke_sweep().await
            }
        );
        if back.parameter("result").is_some() {
            let confirmed = vendor.confirm(&session.session_id, back.result()).await;
            assert!([200, 409].contains(&confirmed.status), "{}: {}", confirmed.status, confirmed.body);
        } else {
            let page = back.page.unwrap();
            assert!(page.body.contains("A later authorization came first"), "round {round}: {}", page.body);
        }
        // Whatever is on its way is over after a claim's time.
        stack.age(61).await;
        let swept = stack.invoke_sweep().await;
        assert_eq!(swept["errors"], 0, "{swept}");
        let item = item(&stack, &connection).await;
        let answer = vendor.token(&connection).await;
        match item["status"].as_str().unwrap() {
            "active" => {
                let token = answer.expect(200).json();
                assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()), "round {round}: {item}");
                assert!(stack.secret_is_there(&secret).await, "round {round}: {item}");
                came_back += 1;
            }
            "disconnected" => {
                drop(answer.expect(410));
                assert!(!stack.secret_is_there(&secret).await, "round {round}: {item}");
                ended += 1;
            }
            other => panic!("round {round} ends {other}: {item}"),
        }
    }
    assert!(came_back > 0 && ended > 0, "the rounds did not race: {came_back} came back, {ended} ended");
    connect_all(&stack, count).await;
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], TURNS, "each secret takes new versions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnect_wins_over_the_refresh_under_way() {
    let stack = connected(Options::default()).await;
    stack.age(DUE).await;
    let commit = stack.dynamodb().front().pause("TransactWriteItems", Moment::Arrived);
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), async {
        commit.reached().await;
        drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
        commit.release();
    });
    assert_eq!(swept["refreshed"], 0, "{swept}");
    assert_eq!(item(&stack, SELLER_1).await["status"], "disconnected");
    assert_eq!(stack.invoke_sweep().await["due"], 0, "not while something may still be kept");
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_comes_too_late_is_taken_back() {
    let stack = connected(Options::default()).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    // By every process's clock its deletion is due.
    stack.age(2).await;
    let seller = OnTheWay::authorized(&stack, "us", "seller-1", "acme").await;
    let deletion = stack.secrets_manager().front().pause("DeleteSecret", Moment::Arrived);
    let (swept, ()) = tokio::join!(stack.invoke_sweep(), async {
        deletion.reached().await;
        seller.arrives().await;
        deletion.release();
    });
    assert_eq!((&swept["secrets_deleted"], &swept["errors"]), (&json!(0), &json!(0)), "{swept}");
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1, "the secret takes new versions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_comes_too_late_is_taken_back_though_its_process_is_dead() {
    let stack = connected(Options::default().with_processes(Function::RefreshSweep, 1)).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    // By every process's clock its deletion is due.
    stack.age(2).await;
    let seller = OnTheWay::authorized(&stack, "us", "seller-1", "acme").await;
    let front = stack.secrets_manager().front();
    let (deletion, put) =
        (front.pause("DeleteSecret", Moment::Arrived), front.pause("PutSecretValue", Moment::TakenEffect));
    let input = json!({});
    let meanwhile = async {
        deletion.reached().await;
        tokio::join!(seller.arrives(), async {
            put.reached().await;
            stack.kill(Function::RefreshSweep);
            deletion.release();
            while stack.secret_is_there(SECRET_1).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            put.release();
        });
    };
    tokio::select! {
        ended = stack.invoke(Function::RefreshSweep, &input) => panic!("it was not killed: {ended:?}"),
        () = meanwhile => {}
    }
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
    stack.start_process(Function::RefreshSweep).unwrap();
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1, "the secret takes new versions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_fails_is_tried_again() {
    let stack = connected(Options::default()).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let front = stack.secrets_manager().front();
    let down = front.inject(Fault::new(FaultKind::Refuse("AccessDeniedException")).on("DeleteSecret").always());
    let swept = next_sweep(&stack).await;
    assert_eq!((&swept["secrets_deleted"], &swept["errors"]), (&json!(0), &json!(1)), "{swept}");
    down.clear();
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_of_which_nobody_knows_whether_it_is_to_be_taken_back_is_told() {
    let stack = connected(Options::default()).await;
    drop(stack.vendor().disconnect(SELLER_1).await.expect(200));
    let front = stack.dynamodb().front();
    // Claimed and found still held, deleted; but that cannot be written, and the item not be read any more.
    let of_connection = |call: &Call| call.keys != ["count/fleet"];
    let refused = || Fault::new(FaultKind::Refuse("AccessDeniedException")).when(of_connection).after(1).times(1);
    let (write, read) = (front.inject(refused().on("UpdateItem")), front.inject(refused().on("GetItem")));
    let swept = next_sweep(&stack).await;
    assert!(write.is_spent() && read.is_spent());
    assert_eq!((&swept["secrets_deleted"], &swept["errors"]), (&json!(0), &json!(1)), "{swept}");
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 1);
    stack.stop_functions();
    assert!(stack.output().contains("whether the seller has come back cannot be told"), "the operator was told");
}
