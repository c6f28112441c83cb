//! A product token lives in a partition with two routers, CN and PA. Both are asked when it is pasted; the daily check asks
//! PA, and CN only if PA does not know the token or may not be asked about it.

use end_to_end::{Options, Stack};
use serde_json::json;
use shop_keyring::time::Timestamp;
use simulators::temu::{App, Purpose, Region, Route, Router};

use super::setting::{BELIEVED, CROSS_BORDER_MALL, PRODUCT, ROUND, Visit, issue, sweep_all, total};
use crate::setting::item;

const AT_PA: &str = "bg.goods.price.update.global";
const AT_CN: &str = "bg.goods.list.get";
const LIFE: u64 = 90 * 86_400;

async fn connect(stack: &Stack, token: &str) {
    let visit = Visit::begin(stack).await;
    let page = visit.paste_cross_border(&[("token_product", token)]).await.expect(200);
    visit.confirm(&page).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_use_the_calls_of_both_routers_and_the_daily_check_asks_one() {
    let stack = Stack::start(Options::default()).await.unwrap();
    connect(&stack, &issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product)).await;
    let scopes = item(&stack, PRODUCT).await["scopes"].clone();
    for call in [AT_PA, AT_CN] {
        assert!(scopes.as_array().unwrap().contains(&json!(call)), "{call}: {scopes}");
    }
    let asked = stack.temu().calls_to(Route::TokenInfo).len();
    stack.age(ROUND).await;
    assert_eq!(total(&sweep_all(&stack).await, "verified"), 1);
    assert_eq!(stack.temu().calls_to(Route::TokenInfo).len(), asked + 1, "PA alone");
    assert_eq!(item(&stack, PRODUCT).await["scopes"], scopes, "what CN serves was not taken away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_before_the_migration_is_asked_about_at_cn() {
    let stack = Stack::start(Options::default().with_temu_app("product", |product| product.permissions.clear()));
    let stack = stack.await.unwrap();
    let old = vec!["bg.open.accesstoken.info.get".to_owned(), AT_CN.to_owned()];
    let app = stack.temu_app_key("product");
    let old = stack.temu().issue_with(app, CROSS_BORDER_MALL, Purpose::Product, old, LIFE).unwrap();
    connect(&stack, &old).await;
    assert_eq!(item(&stack, PRODUCT).await["scopes"], json!(["bg.open.accesstoken.info.get", AT_CN]));
    stack.age(ROUND).await;
    assert_eq!(total(&sweep_all(&stack).await, "verified"), 1);

    // Judged by CN, too.
    assert!(stack.temu().revoke(app, CROSS_BORDER_MALL));
    stack.age(ROUND).await;
    sweep_all(&stack).await;
    stack.age(BELIEVED).await;
    sweep_all(&stack).await;
    assert_eq!(item(&stack, PRODUCT).await["status"], "reauthorization_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_leads_to_cn_has_no_result_while_cn_is_not_called() {
    let stack = Stack::start(Options::default().with_temu_app("product", |product| product.permissions.clear()));
    let stack = stack.await.unwrap();
    let (app, old) = (stack.temu_app_key("product"), vec![AT_CN.to_owned()]);
    connect(&stack, &stack.temu().issue_with(app, CROSS_BORDER_MALL, Purpose::Product, old, LIFE).unwrap()).await;
    assert!(stack.temu().revoke(app, CROSS_BORDER_MALL));
    stack.age(ROUND).await;
    let url: url::Url = stack.temu().router_url(Router::Cn).parse().unwrap();
    let breaker = format!("health/host/{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let open = json!({ "until": Timestamp::local_now().plus(600), "length": 3, "turn": uuid::Uuid::new_v4() });
    stack.put_item(&json!({ "connection": breaker, "revision": 1, "state": { "open": open } })).await;

    let asked = stack.temu().calls_to(Route::TokenInfo).len();
    assert_eq!(total(&sweep_all(&stack).await, "transient"), 1);
    assert_eq!(stack.temu().calls_to(Route::TokenInfo).len(), asked + 1, "PA alone");
    let unsure = item(&stack, PRODUCT).await;
    assert_eq!((&unsure["failures"], &unsure["refusals"]), (&json!(0), &json!(0)), "nothing counts against it");

    stack.delete_item(&breaker).await;
    stack.age(3_601).await;
    assert_eq!(total(&sweep_all(&stack).await, "refused"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_another_partition_is_our_mistake_and_not_the_sellers() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
    // An app for orders where the one for products belongs.
    let key = stack.temu_app_key("product");
    stack.temu().add_app(App::new(key, "temu-product-secret-8277e0910d750195", Region::Global));
    let page = Visit::begin(&stack).await.paste_cross_border(&[("token_product", &token)]).await.expect(422);
    assert_eq!(page.reasons(), ["misconfigured"]);
    assert!(stack.writes("configuration_fault", 1).await);
}
