//! The vendor's apps at TikTok Shop.

use serde_json::{Map, Value, json};
use simulators::tiktok_shop::{App, Region};

use crate::stack::Webhooks;

const US_KEY: &str = "6us7a1k3q9";
const GLOBAL_KEY: &str = "6gl2m8x4w5";

/// The key of the app for a site; panics if there is none.
pub(crate) fn app_key(site: &str) -> &'static str {
    match site {
        "us" => US_KEY,
        "global" => GLOBAL_KEY,
        _ => panic!("the vendor has no app {site}"),
    }
}

/// The vendor's apps by the name of their site, with the names that sellers see.
pub(crate) fn apps() -> [(&'static str, &'static str, App); 2] {
    let us = App::new(US_KEY, "us-app-secret-5d41402abc4b2a76", "7100000000000000001", Region::Us);
    let global = App::new(GLOBAL_KEY, "global-app-secret-7d793037a0760186", "7200000000000000002", Region::Global);
    [("us", "Acme Listing US", us), ("global", "Acme Listing", global)]
}

/// What the operator stores for an app.
pub(crate) fn app_secret(app: &App) -> Value {
    json!({ "app_key": app.app_key, "app_secret": app.app_secret, "service_id": app.service_id })
}

/// The entries of the registry, for the simulator at this URL.
pub(crate) fn entries(names: &[&str], webhooks: Webhooks, base_url: &str) -> Map<String, Value> {
    let entry = |(site, name, _): (&str, &str, App)| {
        let link_url = format!("{base_url}/open/authorize");
        let mut entry =
            json!({ "name": name, "market": site, "link_url": link_url, "token_url": base_url, "api_url": base_url });
        if webhooks != Webhooks::PerShop {
            entry["webhooks"] = json!("app");
        }
        (format!("tiktok-shop/{site}"), entry)
    };
    apps().into_iter().filter(|(site, ..)| names.contains(site)).map(entry).collect()
}
