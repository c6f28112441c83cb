use serde_json::json;
use simulators::temu::{App, Mall, MallType, Purpose, Region, Router, Seller, code};

use super::client::{APP_KEY, Client, GOODS, INFO, MALL, ORDERS, SEMI_MALL};
use super::pages::Page;

const EVERYTHING: [(&str, &str); 4] =
    [("consent", "yes"), ("aftersales", "yes"), ("promotion", "yes"), ("advertising", "yes")];

async fn local(client: &Client, role: &str) -> Page {
    Page::log_in(&client.http, &client.simulator, role, "Seller Center").await
}

async fn semi_managed(client: &Client) -> Page {
    Page::log_in(&client.http, &client.simulator, "main account", "Cross-border Seller Center").await
}

/// As far as the form that ends with Submit.
async fn authorization_form(client: &Client) -> Page {
    let store = local(client, "main account").await;
    store.follow("App Store").await.follow("Acme Listing").await.follow("Authorize").await
}

#[tokio::test]
async fn a_local_seller_walks_to_a_token() {
    let client = Client::start().await;
    let form = authorization_form(&client).await;
    for label in
        ["Local Aftersales Management", "Promotion Activity Interface Management", "Local Advertising Management"]
    {
        assert!(form.says(label));
    }
    let done = form.press("Submit", &EVERYTHING).await;
    assert!(done.says("App permissions have been updated successfully"));
    let info = done.follow("Manage your apps").await.follow("Acme Listing").await.follow("View access info").await;
    let token = info.access_token();
    let result = client.info(&token).await.unwrap().result();
    assert_eq!(result["mallId"], MALL);
    assert_eq!(result["apiScopeList"], json!(Purpose::All.default_permissions()));

    let reloaded = Page::open(&client.http, done.url.as_str()).await;
    assert_eq!(reloaded.status, 200);
    assert!(client.simulator.accepts(&token), "loading a page anew issues nothing");
}

#[tokio::test]
async fn consent_is_asked_for_and_the_rest_may_be_chosen() {
    let client = Client::start().await;
    let form = authorization_form(&client).await;
    assert_eq!(form.press("Submit", &EVERYTHING[1..]).await.status, 400);
    assert!(client.simulator.token_of(APP_KEY, MALL, Purpose::All).is_none());

    let choice = [("consent", "yes"), ("promotion", "yes"), ("days", "30")];
    assert_eq!(form.press("Submit", &choice).await.status, 200);
    let token = client.simulator.token_of(APP_KEY, MALL, Purpose::All).unwrap();
    let result = client.info(&token).await.unwrap().result();
    assert!(result["expiredTime"].as_u64().unwrap().abs_diff(client.simulator.now() + 30 * 86_400) <= 2);
    let has = |call: &str| result["apiScopeList"].as_array().unwrap().iter().any(|known| known == call);
    assert!(has(INFO) && has("bg.promotion.activity.query") && !has("bg.aftersales.aftersales.list.get"));

    assert_eq!(form.press("Submit", &[("consent", "yes"), ("days", "9999")]).await.status, 200);
    let token = client.simulator.token_of(APP_KEY, MALL, Purpose::All).unwrap();
    let expiry = client.info(&token).await.unwrap().result()["expiredTime"].as_u64().unwrap();
    assert!(expiry <= client.simulator.now() + 90 * 86_400, "longer than the app's tokens live is not to be had");
}

#[tokio::test]
async fn a_token_is_issued_anew_and_revoked() {
    let client = Client::start().await;
    let first = client.token();
    let apps = local(&client, "main account").await.follow("Manage your apps").await;
    let info = apps.follow("Acme Listing").await.follow("View access info").await;
    assert_eq!(info.access_token(), first);
    let info = info.press("Re-issue", &[]).await;
    let second = info.access_token();
    assert_eq!(client.info(&first).await.unwrap().code(), code::TOKEN_EXPIRED);
    assert_eq!(client.info(&second).await.unwrap().code(), code::SUCCESS);
    assert!(info.press("Revoke", &[]).await.says("revoked"));
    assert_eq!(client.info(&second).await.unwrap().code(), code::NOT_AUTHORIZED);
}

#[tokio::test]
async fn sub_accounts_cannot_authorize() {
    let client = Client::start().await;
    client.token();
    let store = local(&client, "sub-account").await;
    let refused = store.follow("App Store").await.follow("Acme Listing").await.follow("Authorize").await;
    assert_eq!(refused.status, 403);
    assert!(refused.says("Sub-accounts cannot authorize apps"));
    let app = store.follow("Manage your apps").await.follow("Acme Listing").await;
    assert_eq!(app.follow("View access info").await.status, 403);

    let store = Page::log_in(&client.http, &client.simulator, "sub-account", "Cross-border Seller Center").await;
    assert_eq!(store.follow("Get authorization").await.status, 403);
}

#[tokio::test]
async fn an_order_token_comes_from_its_regions_environment() {
    let client = Client::start().await;
    for (environment, router, app_key) in [
        ("Seller Central &gt; US Region", Router::Us, "us-app"),
        ("Seller Central &gt; EU Region", Router::Eu, "eu-app"),
    ] {
        let there = semi_managed(&client).await.follow(environment).await;
        assert!(there.says("System Management"));
        let form = there.follow("Authorization Management").await.follow("Get authorization").await;
        assert!(!form.says(r#"value="product:"#));
        let choice = format!("orders:{app_key}");
        let all = [("choice", choice.as_str()), ("general", "all"), ("special", "all")];
        let token = form.press("Confirm", &all).await.access_token();
        assert_eq!(client.simulator.token_of(app_key, SEMI_MALL, Purpose::Order), Some(token.clone()));
        assert_eq!(client.call(router, app_key, ORDERS, &token).await.unwrap().code(), code::SUCCESS);
        let result = client.call(router, app_key, INFO, &token).await.unwrap().result();
        assert_eq!(result["apiScopeList"], json!(Purpose::Order.default_permissions()));
    }
}

#[tokio::test]
async fn the_global_environment_has_product_and_order_tokens() {
    let client = Client::start().await;
    let global = semi_managed(&client).await;
    assert!(global.says("Service Marketplace"));
    let form = global.follow("Authorization Management").await.follow("Get authorization").await;
    let confirm = async |choice| {
        let page = form.press("Confirm", &[("choice", choice), ("general", "all"), ("special", "all")]).await;
        page.access_token()
    };
    let [product, orders] = [confirm("product:cross-border-app").await, confirm("orders:global-app").await];
    let call = async |router, app, call, token| client.call(router, app, call, token).await.unwrap().code();
    assert_eq!(call(Router::Cn, "cross-border-app", GOODS, &product).await, code::SUCCESS);
    assert_eq!(call(Router::Cn, "cross-border-app", ORDERS, &product).await, 7_000_019);
    assert_eq!(call(Router::Global, "global-app", ORDERS, &orders).await, code::SUCCESS);
    assert_eq!(call(Router::Global, "global-app", GOODS, &orders).await, code::TOKEN_LACKS_CALL);

    let list = global.follow("Authorization Management").await;
    assert_eq!(list.follow("View access_token").await.access_token(), product);
    list.press("Revoke", &[]).await;
    assert!(!client.simulator.accepts(&product) && client.simulator.accepts(&orders));
}

#[tokio::test]
async fn an_app_is_offered_for_what_it_serves() {
    let client = Client::start().await;
    let app = App::new("lister", "lister-secret", Region::CrossBorder).with_name("Lister").with_calls([GOODS]);
    client.simulator.add_app(app);
    let form = semi_managed(&client).await.follow("Get authorization").await;
    assert!(form.says(r#"value="product:lister""#) && !form.says(r#"value="orders:lister""#));
    let forged = [("choice", "orders:lister"), ("general", "all"), ("special", "all")];
    assert_eq!(form.press("Confirm", &forged).await.status, 404);
}

#[tokio::test]
async fn a_form_left_half_empty_is_refused_or_gives_less() {
    let client = Client::start().await;
    let form = semi_managed(&client).await.follow("Get authorization").await;
    assert_eq!(form.press("Confirm", &[("general", "all")]).await.status, 400);
    assert_eq!(form.press("Confirm", &[("choice", "product:cross-border-app")]).await.status, 400);
    let token =
        form.press("Confirm", &[("choice", "product:cross-border-app"), ("special", "all")]).await.access_token();
    let result = client.call(Router::Cn, "cross-border-app", INFO, &token).await.unwrap().result();
    let mut expected = vec![INFO.to_owned()];
    expected.extend(Purpose::Product.special_permissions().into_iter().filter(|call| !call.ends_with(".global")));
    assert_eq!(result["apiList"], json!(expected));
}

#[tokio::test]
async fn stores_keep_to_their_own_pages() {
    let client = Client::start().await;
    let base = client.simulator.seller_centre_url();
    for path in [
        "/stores?account=nobody",
        "/app-store?account=ann&mall=634418213",
        "/open-platform/system-manage/client-manage?account=ann&mall=634418212",
        "/app-store/app?account=ann&mall=634418212&app=eu-app",
        "/open-platform/client-manage/access-info?account=ann&mall=634418212&app=us-app",
        "/open-platform/client-manage?account=ann&mall=1",
    ] {
        assert_eq!(Page::open(&client.http, &format!("{base}{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_link_from_elsewhere_leads_to_the_login() {
    let client = Client::start().await;
    let base = client.simulator.seller_centre_url();
    for path in ["/open-platform/client-manage", "/open-platform/system-manage/client-manage"] {
        let page = Page::open(&client.http, &format!("{base}{path}")).await;
        assert_eq!((page.url.path(), page.status), ("/", 200));
        assert!(page.says("Which account do you use?"));
    }
}

#[tokio::test]
async fn names_are_text() {
    let client = Client::start().await;
    let script = "<script>alert(1)</script>";
    client.simulator.update_app(APP_KEY, |app| app.name = script.to_owned()).unwrap();
    let mall = Mall::new(5, MallType::Local).with_name(script);
    client.simulator.add_seller(Seller::new(r#"a"><script>"#).with_name(script).with_mall(mall));
    let start = Page::open(&client.http, &client.simulator.seller_centre_url()).await;
    let stores = start.follow("main account").await;
    let apps = stores.follow("Seller Center").await;
    let app = apps.follow("&lt;script&gt;alert(1)&lt;/script&gt;").await;
    let form = app.follow("Authorize").await;
    let done = form.press("Submit", &EVERYTHING).await;
    assert!(stores.says("&lt;script&gt;") && form.says("&lt;script&gt;"));
    assert!(done.says("updated successfully"));
    let code_flow = format!(
        "{}/open-platform/client-manage/authorization?appKey={APP_KEY}&redirect_uri=http://localhost:9/callback&state=%22%3E%3Cscript%3E",
        client.simulator.seller_centre_url()
    );
    let code_flow = Page::open(&client.http, &code_flow).await;
    for page in [start, stores, apps, app, form, done, code_flow] {
        assert_eq!(page.status, 200);
        assert!(!page.says("<script"), "{}", page.url);
    }
}
