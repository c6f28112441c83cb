//! Temu in the sandbox: the sellers, and the walk of one seller of each kind.

use end_to_end::{Browser, ConnectSession, SellerKind, Stack, backend::ANN};
use serde_json::json;
use simulators::temu::{Mall, MallType, Region, Seller};

use crate::{
    steps::{Failed, Steps, tell, tell_json},
    walk::without_query,
};

/// The local seller of the walk.
const LOCAL_SELLER: &str = "mias-mugs";
const LOCAL: &str = "temu/us/634418212001";

/// The semi-managed cross-border seller of the walk.
const CROSS_BORDER_SELLER: &str = "toms-tools";
const CROSS_BORDER_MALL: u64 = 634_418_212_002;
const PRODUCT: &str = "temu/product/634418212002";
const ORDERS: &str = "temu/us/634418212002";

/// The fully managed cross-border seller of the walk.
const FULLY_MANAGED_SELLER: &str = "fays-fabrics";
const FULLY_MANAGED_MALL: u64 = 634_418_212_004;
const FULLY_MANAGED_PRODUCT: &str = "temu/product/634418212004";
const COMPLIANCE: &str = "temu/global/634418212004";

/// The connections that the walk makes.
const CONNECTIONS: [&str; 5] = [LOCAL, PRODUCT, ORDERS, FULLY_MANAGED_PRODUCT, COMPLIANCE];

/// The sellers at Temu.
pub(crate) fn sellers() -> Vec<Seller> {
    let mall = |id, mall_type, name: &str| Mall::new(id, mall_type).with_name(name);
    vec![
        Seller::new(LOCAL_SELLER)
            .with_name("Mia, a local seller")
            .with_mall(mall(634_418_212_001, MallType::Local, "Mia's Mugs"))
            .with_mall(mall(634_418_212_003, MallType::Local, "Mia's Mugs EU").at(Region::Eu, 76)),
        Seller::new(CROSS_BORDER_SELLER).with_name("Tom, a semi-managed seller").with_mall(mall(
            CROSS_BORDER_MALL,
            MallType::SemiManaged,
            "Tom's Tools",
        )),
        Seller::new(FULLY_MANAGED_SELLER).with_name("Fay, a fully managed seller").with_mall(mall(
            FULLY_MANAGED_MALL,
            MallType::FullyManaged,
            "Fay's Fabrics",
        )),
        Seller::new("bens-bookends").with_name("Ben, a local seller").with_mall(mall(
            634_418_212_005,
            MallType::Local,
            "Ben's Bookends",
        )),
    ]
}

/// Connects one seller of each kind, and looks a token of each connection up.
pub(crate) async fn walk(stack: &Stack, steps: &mut Steps) -> Result<(), Failed> {
    steps.step("Temu: a local seller comes by code", local_seller(stack)).await?;
    steps
        .step("Temu: a semi-managed seller pastes a product token and an order token", semi_managed_seller(stack))
        .await?;
    let name = "Temu: a fully managed seller pastes a product token and a compliance token";
    steps.step(name, fully_managed_seller(stack)).await?;
    steps
        .step("A service looks Temu's tokens up", async {
            for connection in CONNECTIONS {
                let token = stack.vendor().token(connection).await.expect(200).json();
                let accepted = token["access_token"].as_str().is_some_and(|token| stack.temu().accepts(token));
                assert!(accepted, "Temu does not accept the token of {connection}");
                tell(format_args!("GET /v1/connections/{connection}/token -> 200"));
                tell_json(&json!({
                    "access_token": token["access_token"], "purpose": token["purpose"],
                    "expires_at": token["expires_at"], "api": token["api"],
                }));
            }
            tell("Temu accepts each of them");
        })
        .await
}

async fn local_seller(stack: &Stack) {
    let (session, browser) = open(stack).await;
    let link = browser.leave_for_temu(&session.connect_url, "us").await;
    tell(format_args!("\"United States\" leads to {}", without_query(&link)));
    let callback = browser.approve(&link, LOCAL_SELLER).await;
    tell(format_args!("\"Approve\" leads to {}", callback.path()));
    let returned = browser.come_back(&callback).await;
    confirm(stack, &session, returned.result()).await;
}

async fn semi_managed_seller(stack: &Stack) {
    let (session, browser) = open(stack).await;
    let centre = stack.temu().seller_centre_url();
    let copy = async |environment, kind, app| {
        let app_key = stack.temu_app_key(app);
        browser
            .copy_cross_border_token(&centre, CROSS_BORDER_SELLER, CROSS_BORDER_MALL, environment, kind, app_key)
            .await
    };
    let product = copy("global", "product", "product").await;
    tell("Service Marketplace > Authorization Management, under Global: the product token is copied");
    let orders = copy("us", "orders", "us").await;
    tell("System Management > Authorization Management, under US Region: the order token is copied");
    let fields = [("token_product", product.as_str()), ("token_us", orders.as_str())];
    let returned = browser.connect_temu(&session.connect_url, SellerKind::SemiManaged, &fields).await;
    tell("both are pasted at the same time, and both are connected");
    confirm(stack, &session, returned.result()).await;
}

async fn fully_managed_seller(stack: &Stack) {
    let (session, browser) = open(stack).await;
    let center = stack.temu().seller_centre_url();
    let copy = async |kind, app| {
        let app_key = stack.temu_app_key(app);
        browser
            .copy_cross_border_token(&center, FULLY_MANAGED_SELLER, FULLY_MANAGED_MALL, "global", kind, app_key)
            .await
    };
    let product = copy("product", "product").await;
    tell("Service Marketplace > Authorization Management, under Global: the product token is copied");
    let compliance = copy("orders", "global").await;
    tell("the same page, the part for orders: the compliance token is copied");
    let fields = [("token_product", product.as_str()), ("token_global", compliance.as_str())];
    let returned = browser.connect_temu(&session.connect_url, SellerKind::FullyManaged, &fields).await;
    tell("both are connected");
    confirm(stack, &session, returned.result()).await;
}

async fn open(stack: &Stack) -> (ConnectSession, Browser) {
    let body = json!({ "account_id": ANN.account_id, "account_label": ANN.name });
    let session = stack.vendor().connect_session(body).await;
    let browser = stack.browser();
    browser.open(&session.connect_url).await.expect(200);
    tell(format_args!("the link for the seller: {}", session.connect_url));
    (session, browser)
}

async fn confirm(stack: &Stack, session: &ConnectSession, result: &str) {
    let confirmed = stack.vendor().confirm_for(&session.session_id, result, ANN.account_id).await.expect(200).json();
    tell(format_args!("the vendor confirms: {}", confirmed["connections"]));
}

/// What a person can do with Temu's pages.
pub(crate) fn how_to_play(stack: &Stack) -> String {
    let centre = stack.temu().seller_centre_url();
    format!(
        "To play a seller at Temu (its seller centre: {centre}):\n\
         - Mia and Ben, local: choose Temu on the connect page and come by code; or App Store > the app > Authorize > Submit >\n  \
         Manage your apps > View access info, copy the token, and paste it.\n\
         - Tom, semi-managed, and Fay, fully managed: Authorization Management > Get authorization, with Global above for the product token, with\n  \
         a region above for Tom's order tokens; tick both boxes \"All\", Confirm, and paste what is shown.\n\
         - Revoke or re-issue there what is connected: the daily check would find it, and\n  \
         POST /v1/connections/.../refresh has it checked at once.\n"
    )
}
