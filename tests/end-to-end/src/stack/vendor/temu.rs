//! The vendor's apps at Temu.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use simulators::temu::{Addresses, App, OptionalPermission, Region};

/// One of the vendor's apps at Temu, and what the functions are told of it.
#[derive(Debug, Clone)]
pub struct TemuApp {
    /// As Temu knows it. Its name is the one that sellers see on our pages, too.
    pub app: App,
    /// Whether local sellers may come by code.
    pub code_flow: bool,
    /// What the vendor cannot do without: the calls by the label that sellers see.
    pub permissions: BTreeMap<String, Vec<String>>,
    /// What only adds something.
    pub optional_permissions: BTreeMap<String, Vec<String>>,
}

impl TemuApp {
    /// An app that needs no permission in particular, without the code flow.
    pub fn new(app: App) -> Self {
        Self { app, code_flow: false, permissions: BTreeMap::new(), optional_permissions: BTreeMap::new() }
    }

    /// The same app with the code flow set up.
    #[must_use]
    pub fn with_code_flow(mut self) -> Self {
        self.code_flow = true;
        self
    }

    /// The same app, which cannot do without these calls.
    #[must_use]
    pub fn needing(mut self, label: &str, calls: &[&str]) -> Self {
        self.permissions.insert(label.to_owned(), calls.iter().map(|&call| call.to_owned()).collect());
        self
    }

    fn asking_for(mut self, permission: OptionalPermission) -> Self {
        let calls = permission.calls().iter().map(|&call| call.to_owned()).collect();
        self.optional_permissions.insert(permission.label().to_owned(), calls);
        self
    }
}

/// All four that there can be. Product tokens have an app of their own here, beside the one for Global orders.
pub(crate) fn apps() -> BTreeMap<String, TemuApp> {
    let app = |key, secret, region, name: &str| TemuApp::new(App::new(key, secret, region).with_name(name));
    let for_local_sellers = |app: TemuApp| {
        let app = app.needing("Local Order and Logistics Management", &ORDER_CALLS).with_code_flow();
        OptionalPermission::ALL.into_iter().fold(app, TemuApp::asking_for)
    };
    let us = app("temu4us7f1k9", "temu-us-secret-0cc175b9c0f1b6a8", Region::Us, "Acme Listing US");
    let eu = app("temu4eu2m8x4", "temu-eu-secret-92eb5ffee6ae2fec", Region::Eu, "Acme Listing EU");
    let global = app("temu4gl5d3c7", "temu-global-secret-4a8a08f09d37b737", Region::Global, "Acme Orders");
    let product = app("temu4pr6b0z2", "temu-product-secret-8277e0910d750195", Region::CrossBorder, "Acme Products");
    [
        ("us", for_local_sellers(us)),
        ("eu", for_local_sellers(eu)),
        ("global", global.needing("Order Management", &ORDER_CALLS)),
        // One call at each router.
        ("product", product.needing("Product Management", &["bg.goods.list.get", "bg.goods.price.update.global"])),
    ]
    .map(|(name, app)| (name.to_owned(), app))
    .into()
}

const ORDER_CALLS: [&str; 2] = ["bg.order.list.v2.get", "bg.logistics.shipment.confirm"];

/// What the operator stores for an app.
pub(crate) fn app_secret(app: &App) -> Value {
    json!({ "app_key": app.app_key, "app_secret": app.app_secret })
}

/// Host and port of the first router that knows the app.
pub(crate) fn router_host(app: &App, addresses: &Addresses) -> String {
    addresses.of(app.region.routers()[0]).to_string()
}

/// The entries of the registry.
pub(crate) fn entries(apps: &BTreeMap<String, TemuApp>, addresses: &Addresses) -> Map<String, Value> {
    apps.iter().map(|(name, app)| (format!("temu/{name}"), entry(app, addresses))).collect()
}

fn entry(TemuApp { app, code_flow, permissions, optional_permissions }: &TemuApp, addresses: &Addresses) -> Value {
    let routers = app.region.routers().iter();
    let routers: BTreeMap<_, _> =
        routers.map(|router| (router.name(), format!("http://{}", addresses.of(*router)))).collect();
    let mut entry = json!({
        "name": app.name,
        "gateway": gateway(app.region),
        "routers": routers,
        "permissions": permissions,
        "optional_permissions": optional_permissions,
    });
    if *code_flow {
        entry["code_flow"] = true.into();
        entry["link_url"] =
            format!("http://{}/open-platform/client-manage/authorization", addresses.seller_centre).into();
    }
    entry
}

fn gateway(region: Region) -> &'static str {
    match region {
        Region::Us => "us",
        Region::Eu => "eu",
        Region::Global => "global",
        Region::CrossBorder => "cn-pa",
    }
}
