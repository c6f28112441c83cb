//! The main path, once: a seller connects a shop, and the vendor's services have a token that works, days later too.

use end_to_end::{Options, Stack};
use serde_json::json;

const CONNECTION: &str = "tiktok-shop/us/seller-1";

#[tokio::test]
async fn a_shop_is_connected_served_and_refreshed() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();

    let session = vendor.connect_session(json!({ "account_id": "account-17", "account_label": "Ann's shops" })).await;
    let returned = stack.browser().connect(&session.connect_url, "us", "seller-1").await;
    assert_eq!(returned.parameter("session_id").as_deref(), Some(session.session_id.as_str()));
    assert_eq!(returned.parameter("status").as_deref(), Some("connected"));
    assert_eq!(vendor.token(CONNECTION).await.expect(409).code().as_deref(), Some("pending"));

    vendor.confirm(&session.session_id, returned.result()).await.expect(200);
    let first = vendor.token(CONNECTION).await.expect(200).json();
    assert_eq!(first["version"], 1);
    assert!(stack.tiktok_shop().accepts(first["access_token"].as_str().unwrap()));
    assert_eq!(vendor.token_by_shop("tiktok-shop/us/shop-1").await.expect(200).json(), first);

    assert_eq!(stack.invoke_sweep().await["due"], 0);
    // Beyond the 60 to 75 % of the token's week in which its refresh falls.
    stack.age(5 * 86_400 + 7 * 3_600).await;
    let summary = stack.invoke_sweep().await;
    assert_eq!((&summary["due"], &summary["refreshed"]), (&json!(1), &json!(1)), "{summary}");

    let second = vendor.token(CONNECTION).await.expect(200).json();
    assert_eq!(second["version"], 2);
    assert_ne!(second["access_token"], first["access_token"]);
    assert!(stack.tiktok_shop().accepts(second["access_token"].as_str().unwrap()));
}
