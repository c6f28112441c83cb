//! The vendor of the stack: its apps at the marketplaces, its IAM user, and what the functions are told of it all.

pub(crate) mod temu;
pub(crate) mod tiktok_shop;

use std::collections::BTreeMap;

use emulators::gateway::{Auth, Credential, Route};
use serde_json::Value;

use super::{Function, Options, functions::Environments, tables::Table};
use crate::vendor_api::REGION;

/// `SECRET_PREFIX`
pub(crate) const SECRET_PREFIX: &str = "shop-keyring";

/// `EVENT_BUS`
pub(crate) const EVENT_BUS: &str = "shop-keyring";

/// The access key of the vendor's services.
pub(crate) const ACCESS_KEY_ID: &str = "AKIDORDERHUB";
pub(crate) const SECRET_ACCESS_KEY: &str = "order-hub-secret-access-key-0123456789ab";

/// The vendor's services as an IAM user.
pub(crate) fn credential() -> Credential {
    Credential::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, "arn:aws:iam::123456789012:user/order-hub")
}

/// The same services where they run in AWS: as a role, with temporary credentials.
pub(crate) fn temporary_credential() -> Credential {
    let role = "arn:aws:sts::123456789012:assumed-role/order-hub/i-0abc";
    Credential::new("ASIAORDERHUB", "order-hub-temporary-secret-access-key-4567", role)
        .with_session_token("order-hub-session-token//////////IQoJb3JpZ2luX2VjEXAMPLE==")
}

/// The name of the secret with the registry of apps.
pub(crate) fn registry_name() -> String {
    format!("{SECRET_PREFIX}/apps")
}

/// The registry of apps, as the operator writes it.
pub(crate) fn registry(options: &Options, tiktok_shop: &str, temu: &simulators::temu::Addresses) -> Value {
    let mut registry = temu::entries(&options.temu_apps, temu);
    registry.extend(tiktok_shop::entries(&options.tiktok_shop_apps, options.webhooks, tiktok_shop));
    Value::Object(registry)
}

/// The name of the secret that the operator stores for an app, `temu/us`.
pub(crate) fn app_secret_name(app: &str) -> String {
    format!("{SECRET_PREFIX}/apps/{app}")
}

/// The gateway's routes: those of `infra/apis.yaml`, on one address.
pub(crate) fn routes() -> Vec<Route> {
    let public = [
        "ANY /connect/{session}",
        "ANY /connect/{session}/temu",
        "ANY /connect/{session}/{marketplace}/{app}",
        "ANY /callback/{marketplace}/{app}",
        "ANY /result/{visit}",
        "ANY /webhooks/tiktok-shop/{app}",
        "$default",
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
    pub(crate) lambda: String,
    pub(crate) event_bus: String,
    pub(crate) dynamodb: String,
    pub(crate) secrets_manager: String,
}

/// The functions' variables.
pub(crate) fn environments(options: &Options, addresses: &Addresses) -> Environments {
    let mut environments: Environments = Function::ALL.map(|function| (function, common(options, addresses))).into();
    let mut set = |function: Function, name: &str, value: String| {
        if let Some(variables) = environments.get_mut(&function) {
            variables.insert(name.to_owned(), value);
        }
    };
    for function in Function::ALL {
        set(function, "AWS_ACCESS_KEY_ID", function.access_key_id().into());
        set(function, "PUBLIC_BASE_URL", addresses.gateway.clone());
    }
    for function in [Function::OauthCallback, Function::TokenLookup] {
        set(function, "SESSIONS_TABLE", Table::ConnectSessions.name().into());
    }
    set(Function::OauthCallback, "VENDOR_NAME", options.vendor_name.clone());
    if let Some(support_url) = &options.support_url {
        set(Function::OauthCallback, "SUPPORT_URL", support_url.clone());
    }
    if let Some(unsolicited) = options.unsolicited {
        set(Function::OauthCallback, "UNSOLICITED_CALLBACKS", unsolicited.into());
    }
    set(Function::TokenLookup, "RETURN_URLS", options.return_urls.clone());
    set(Function::TokenLookup, "REFRESH_FUNCTION", Function::RefreshOnDemand.name().into());
    set(Function::RefreshOnDemand, "INVOKED_BY", "caller".into());
    for (function, name, value) in &options.environment {
        set(*function, name, value.clone());
    }
    environments
}

fn common(options: &Options, addresses: &Addresses) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_REGION", REGION),
        ("AWS_SECRET_ACCESS_KEY", "function-secret-access-key"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &addresses.dynamodb),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", &addresses.event_bus),
        ("AWS_ENDPOINT_URL_LAMBDA", &addresses.lambda),
        ("EVENT_BUS", if options.events { EVENT_BUS } else { "" }),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &addresses.secrets_manager),
        ("CONNECTIONS_TABLE", Table::Connections.name()),
        ("LOG_LEVEL", "debug"),
        ("RUST_BACKTRACE", "1"),
        ("SECRET_PREFIX", SECRET_PREFIX),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
