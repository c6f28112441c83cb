//! The vendor of the stack: its apps at TikTok Shop, its IAM user, and what the functions are told of it all.

use std::collections::BTreeMap;

use emulators::gateway::{Auth, Credential, Route};
use serde_json::{Value, json};
use simulators::tiktok_shop::{App, Region};

use super::{Function, Options, functions::Environments, tables::Table};
use crate::vendor_api::REGION;

/// `SECRET_PREFIX`
pub(crate) const SECRET_PREFIX: &str = "shop-keyring";

/// The access key of the vendor's services.
pub(crate) const ACCESS_KEY_ID: &str = "AKIDORDERHUB";
pub(crate) const SECRET_ACCESS_KEY: &str = "order-hub-secret-access-key-0123456789ab";

/// The vendor's services as an IAM user.
pub(crate) fn credential() -> Credential {
    Credential::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, "arn:aws:iam::123456789012:user/order-hub")
}

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

/// The gateway's routes.
pub(crate) fn routes() -> Vec<Route> {
    let public = [
        "GET /connect/{session}",
        "GET /connect/{session}/tiktok-shop/{app}",
        "POST /connect/{session}/tiktok-shop/{app}",
        "GET /callback/tiktok-shop/{app}",
        "GET /result/{visit}",
    ];
    let mut routes: Vec<Route> = public.map(|key| Route::open(key, Function::OauthCallback.name())).into();
    routes.push(Route {
        key: "ANY /v1/{proxy+}".into(),
        auth: Auth::AwsIam,
        function: Function::TokenLookup.name().into(),
    });
    routes
}

/// Where everything listens, as the functions are told.
#[derive(Debug)]
pub(crate) struct Addresses {
    pub(crate) gateway: String,
    pub(crate) tiktok_shop: String,
    pub(crate) lambda: String,
    pub(crate) dynamodb: String,
    pub(crate) secrets_manager: String,
}

/// The functions' variables.
pub(crate) fn environments(options: &Options, addresses: &Addresses) -> Environments {
    let mut environments: Environments = Function::ALL.map(|function| (function, common(addresses))).into();
    let mut set = |function: Function, name: &str, value: String| {
        if let Some(variables) = environments.get_mut(&function) {
            variables.insert(name.to_owned(), value);
        }
    };
    for function in [Function::OauthCallback, Function::TokenLookup] {
        set(function, "SESSIONS_TABLE", Table::ConnectSessions.name().into());
        set(function, "PUBLIC_BASE_URL", addresses.gateway.clone());
    }
    set(Function::OauthCallback, "VENDOR_NAME", options.vendor_name.clone());
    if let Some(support_url) = &options.support_url {
        set(Function::OauthCallback, "SUPPORT_URL", support_url.clone());
    }
    let unsolicited = if options.accept_unsolicited { "accept" } else { "refuse" };
    set(Function::OauthCallback, "UNSOLICITED_CALLBACKS", unsolicited.into());
    set(Function::TokenLookup, "RETURN_URLS", options.return_urls.clone());
    set(Function::TokenLookup, "REFRESH_FUNCTION", Function::RefreshSweep.name().into());
    for (function, name, value) in &options.environment {
        set(*function, name, value.clone());
    }
    environments
}

fn common(addresses: &Addresses) -> BTreeMap<String, String> {
    let sites: serde_json::Map<String, Value> = apps()
        .into_iter()
        .map(|(site, name, _)| {
            let base = &addresses.tiktok_shop;
            let site_urls = json!({
                "name": name, "link_url": format!("{base}/open/authorize"), "token_url": base, "api_url": base,
            });
            (site.to_owned(), site_urls)
        })
        .collect();
    let variables = [
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "AKIDFUNCTION"),
        ("AWS_SECRET_ACCESS_KEY", "function-secret-access-key"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &addresses.dynamodb),
        ("AWS_ENDPOINT_URL_LAMBDA", &addresses.lambda),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &addresses.secrets_manager),
        ("CONNECTIONS_TABLE", Table::Connections.name()),
        ("LOG_LEVEL", "debug"),
        ("RUST_BACKTRACE", "1"),
        ("SECRET_PREFIX", SECRET_PREFIX),
        ("TIKTOK_SHOP_APPS", &Value::Object(sites).to_string()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
