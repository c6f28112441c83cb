//! What these tests begin with.

use end_to_end::{Options, SellerKind, Stack};
use serde_json::json;
use simulators::temu::Purpose;

/// At TikTok Shop, connected and confirmed.
pub(crate) const SELLER: &str = "tiktok-shop/us/seller-1";
/// At TikTok Shop, not yet confirmed.
pub(crate) const UNCONFIRMED: &str = "tiktok-shop/global/seller-2";
/// At Temu, connected and confirmed.
pub(crate) const MALL: &str = "temu/us/634418212001";
pub(crate) const MALL_ID: u64 = 634_418_212_001;

/// A stack with these three connected.
pub(crate) async fn connected() -> Stack {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    for (app, seller) in [("us", "seller-1"), ("global", "seller-2")] {
        let session = vendor.connect_session(json!({ "account_id": "acme" })).await;
        let back = stack.browser().connect(&session.connect_url, app, seller).await;
        if app == "us" {
            drop(vendor.confirm(&session.session_id, back.result()).await.expect(200));
        }
    }
    connect_mall(&stack).await;
    stack
}

/// The seller at Temu has a token issued, which ends the one before, and pastes it; the vendor confirms.
pub(crate) async fn connect_mall(stack: &Stack) {
    let token = stack.temu().issue(stack.temu_app_key("us"), MALL_ID, Purpose::All).unwrap();
    let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
    let fields = [("site", "us"), ("token", token.as_str())];
    let back = stack.browser().connect_temu(&session.connect_url, SellerKind::Local, &fields).await;
    drop(stack.vendor().confirm(&session.session_id, back.result()).await.expect(200));
}
