//! Two sellers whose authorizations list the same shop: which connection a request by shop finds.

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::Stack;
use serde_json::json;
use simulators::tiktok_shop::Shop;

use crate::setting::{DUE, connect, item, next_second, with_sellers};

const EARLIER: &str = "tiktok-shop/us/s-0";
const LATER: &str = "tiktok-shop/us/s-1";

/// Both are connected, one after the other.
async fn two_sellers_of_a_shop() -> Stack {
    let stack = Stack::start(with_sellers(2)).await.unwrap();
    for seller in ["s-0", "s-1"] {
        stack.tiktok_shop().add_shop(seller, Shop::new("shop-of-both", "US")).unwrap();
    }
    connect(&stack, "us", "s-0", "acme").await;
    assert_eq!(found(&stack).await, EARLIER);
    next_second().await;
    connect(&stack, "us", "s-1", "acme").await;
    stack
}

async fn found(stack: &Stack) -> String {
    let token = stack.vendor().token_by_shop("tiktok-shop/us/shop-of-both").await.expect(200).json();
    token["connection"].as_str().unwrap().to_owned()
}

/// The next scheduled refresh of this connection, and of no other.
async fn refreshed(stack: &Stack, connection: &str) {
    let before = item(stack, connection).await["token_version"].as_u64().unwrap();
    stack.age_connection(connection, DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    assert_eq!(item(stack, connection).await["token_version"], before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_grant_has_the_shop_and_a_refresh_of_the_earlier_does_not_take_it() {
    let stack = two_sellers_of_a_shop().await;
    assert_eq!(found(&stack).await, LATER);
    refreshed(&stack, EARLIER).await;
    assert_eq!(found(&stack).await, LATER);
    let of_earlier = stack.vendor().token_by_shop("tiktok-shop/us/shop-of-0").await.expect(200).json();
    assert_eq!((&of_earlier["connection"], &of_earlier["version"]), (&json!(EARLIER), &json!(2)));

    // Nor does the commit fail if the other connection cannot be read.
    let denied = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("GetItem");
    let denied = stack.dynamodb().front().inject(denied.when(|call| call.keys == [LATER]));
    refreshed(&stack, EARLIER).await;
    assert!(denied.is_spent());
    assert_eq!(found(&stack).await, LATER);

    next_second().await;
    connect(&stack, "us", "s-0", "acme").await;
    assert_eq!(found(&stack).await, EARLIER, "it was authorized again, and is the later one now");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earlier_connection_takes_the_shop_once_the_later_one_is_disconnected() {
    let stack = two_sellers_of_a_shop().await;
    drop(stack.vendor().disconnect(LATER).await.expect(200));
    // Before a sweep removes the pointer together with the secret, and long after the connection's last refresh.
    stack.age_connection(EARLIER, 3_600).await;
    drop(stack.vendor().refresh(EARLIER, 1).await.expect(200));
    assert_eq!(found(&stack).await, EARLIER);
    assert_eq!(stack.invoke_sweep().await["secrets_deleted"], 1);
    assert_eq!(found(&stack).await, EARLIER);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earlier_connection_takes_the_shop_once_the_later_one_no_longer_has_it() {
    let stack = two_sellers_of_a_shop().await;
    stack.tiktok_shop().remove_shop("s-1", "shop-of-both").unwrap();
    refreshed(&stack, LATER).await;
    drop(stack.vendor().token_by_shop("tiktok-shop/us/shop-of-both").await.expect(404));
    refreshed(&stack, EARLIER).await;
    assert_eq!(found(&stack).await, EARLIER);
}
