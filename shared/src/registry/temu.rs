//! An entry of the registry for an app at Temu.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    AppConfig, Registration,
    fields::{entry, host, link, listed, users},
};
use crate::{
    api::Api,
    connection::{Purpose, UserType},
    marketplace::temu::{
        authorization::{EU_LINK, LOCAL_LINK},
        permissions::Permission,
        router::{Gateway, Router, RouterAddress},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    label: Option<String>,
    #[serde(default = "listed")]
    listed: bool,
    #[serde(default = "users")]
    users: Vec<UserType>,
    gateway: Gateway,
    purposes: Option<Vec<Purpose>>,
    #[serde(default)]
    code_flow: bool,
    link_url: Option<String>,
    /// Addresses in place of the real ones, by the router's name.
    #[serde(default)]
    routers: BTreeMap<String, String>,
    #[serde(default)]
    permissions: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    optional_permissions: BTreeMap<String, Vec<String>>,
}

pub(super) fn parse(value: Value) -> Result<AppConfig, String> {
    let entry: Entry = entry(value)?;
    let gateway = entry.gateway;
    let routers = gateway.routers().iter().map(|router| address(*router, &entry.routers));
    let routers: Vec<_> = routers.collect::<Result<_, _>>()?;
    if let Some(unknown) = entry.routers.keys().find(|name| routers.iter().all(|at| at.router.as_str() != *name)) {
        let names: Vec<_> = routers.iter().map(|at| format!("`{}`", at.router.as_str())).collect();
        let (gateway, names) = (gateway.as_str(), names.join(" and "));
        return Err(format!("`routers` names `{unknown}`, but the gateway `{gateway}` has {names}"));
    }
    let Some(first) = routers.first().map(|at| at.url.clone()) else {
        return Err("`gateway` has no router".into());
    };
    Ok(AppConfig {
        link_url: link_url(gateway, entry.code_flow, entry.link_url.as_deref())?,
        registration: Registration::Temu { gateway, purposes: purposes(gateway, entry.purposes)? },
        permissions: permissions(entry.permissions, entry.optional_permissions)?,
        name: entry.name,
        label: entry.label,
        listed: entry.listed,
        users: entry.users,
        token_url: first.clone(),
        api: Api { base_url: first, routers },
    })
}

/// The router at its real address, or at the one `given` in its place.
fn address(router: Router, given: &BTreeMap<String, String>) -> Result<RouterAddress, String> {
    let (name, real) = (router.as_str(), format!("https://{}", router.host()));
    let url = host(&format!("routers.{name}"), given.get(name).map(String::as_str), &real)?;
    Ok(RouterAddress { router, url })
}

/// What cross-border sellers' tokens of an app are for: its gateway decides, except that a vendor may keep orders and
/// compliance apart at GLOBAL.
fn purposes(gateway: Gateway, given: Option<Vec<Purpose>>) -> Result<Vec<Purpose>, String> {
    let possible: &[Purpose] = match gateway {
        Gateway::Us | Gateway::Eu => &[Purpose::Order],
        Gateway::Global => &[Purpose::Order, Purpose::Compliance],
        Gateway::CnPa => &[Purpose::Product],
    };
    let given = given.unwrap_or_else(|| possible.to_vec());
    if given.is_empty() || given.iter().any(|purpose| !possible.contains(purpose)) {
        let names: Vec<_> = possible.iter().map(|purpose| format!("`{}`", purpose.as_str())).collect();
        return Err(format!("`purposes` of the gateway `{}` can be {}", gateway.as_str(), names.join(" and ")));
    }
    // In the order of the table above, each once.
    Ok(possible.iter().copied().filter(|purpose| given.contains(purpose)).collect())
}

fn link_url(gateway: Gateway, code_flow: bool, given: Option<&str>) -> Result<Option<Url>, String> {
    if !code_flow {
        return match given {
            Some(_) => Err("`link_url` needs `code_flow`: true".into()),
            None => Ok(None),
        };
    }
    let real = match gateway {
        Gateway::Us => Some(LOCAL_LINK),
        Gateway::Eu => Some(EU_LINK),
        Gateway::Global => None,
        Gateway::CnPa => return Err("`code_flow` is for local sellers; product tokens are pasted".into()),
    };
    match given.or(real) {
        Some(address) => Ok(Some(link(address)?)),
        None => {
            Err("`code_flow` needs `link_url` at this gateway: the address of the page in the seller center of these \
                     sellers' region where they authorize the app"
                .into())
        }
    }
}

fn permissions(
    needed: BTreeMap<String, Vec<String>>,
    optional: BTreeMap<String, Vec<String>>,
) -> Result<Vec<Permission>, String> {
    let labels = |permissions: BTreeMap<String, Vec<String>>, optional| {
        permissions.into_iter().map(move |(label, calls)| Permission { label, calls, optional })
    };
    let permissions: Vec<_> = labels(needed, false).chain(labels(optional, true)).collect();
    match permissions.iter().find(|permission| permission.calls.is_empty()) {
        Some(empty) => {
            Err(format!("the permission `{}` names no call: `permissions` have a list of calls each", empty.label))
        }
        None => Ok(permissions),
    }
}
