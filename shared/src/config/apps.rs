//! Which apps are set up: `TIKTOK_SHOP_APPS` and `TEMU_APPS`, each JSON that names an app and what differs from the
//! usual.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};

use super::{Reader, parse_host, parse_url};
use crate::{
    apps::{Site, Sites},
    marketplace::{
        temu::{self, APPS, PRODUCT_APP, RouterAddress, permissions::Permission, routers_of},
        tiktok_shop,
    },
    names::{AppKeyPath, MarketplaceName},
};

const TIKTOK_SHOP: &str = "TIKTOK_SHOP_APPS";
const TEMU: &str = "TEMU_APPS";

impl Reader<'_> {
    /// The apps of all marketplaces, one at least:
    /// - `TIKTOK_SHOP_APPS`, e.g. `{"us":{"name":"Acme Listing"},"global":{"name":"Acme Listing"}}`
    /// - `TEMU_APPS`, e.g. `{"us":{"name":"Acme Listing","code_flow":true,"permissions":{"Orders":["bg.order.list.v2.get"]}}}`
    pub fn apps(&mut self) -> Sites {
        if self.optional(TIKTOK_SHOP).is_none() && self.optional(TEMU).is_none() {
            self.problem(TIKTOK_SHOP, format_args!("not set, and neither is {TEMU}: at least one app is needed"));
        }
        let mut sites = Sites::new();
        self.read_apps(TIKTOK_SHOP, MarketplaceName::TikTokShop, tiktok_shop_site, &mut sites);
        self.read_apps(TEMU, MarketplaceName::Temu, temu_site, &mut sites);
        sites
    }

    fn read_apps<E: DeserializeOwned>(
        &mut self,
        variable: &str,
        marketplace: MarketplaceName,
        site: fn(&str, E) -> Result<Site, String>,
        sites: &mut Sites,
    ) {
        let Some(value) = self.optional(variable) else { return };
        let entries: BTreeMap<String, E> = match serde_json::from_str(&value) {
            Ok(entries) => entries,
            Err(error) => {
                self.problem(variable, format_args!(r#"must be JSON such as {{"us":{{"name":"…"}}}}: {error}"#));
                return;
            }
        };
        if entries.is_empty() {
            self.problem(variable, "names no app");
        }
        for (name, entry) in entries {
            let path = name.parse().map(|app| AppKeyPath { marketplace, app });
            let read = path.map_err(|error| error.to_string()).and_then(|path| Ok((path, site(&name, entry)?)));
            match read {
                Ok((path, site)) if site.name.trim().is_empty() => {
                    self.problem(variable, format_args!("{}: `name` is empty", path.app));
                }
                Ok((path, site)) => {
                    sites.insert(path, site);
                }
                Err(what) => self.problem(variable, format_args!("{name}: {what}")),
            }
        }
    }
}

fn host(field: &str, given: Option<&str>, default: &str) -> Result<url::Url, String> {
    parse_host(given.unwrap_or(default)).map_err(|what| format!("`{field}` {what}"))
}

fn link(address: &str) -> Result<url::Url, String> {
    parse_url(address).map_err(|what| format!("`link_url` {what}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TikTokShopEntry {
    name: String,
    link_url: Option<String>,
    token_url: Option<String>,
    api_url: Option<String>,
}

fn tiktok_shop_site(app: &str, entry: TikTokShopEntry) -> Result<Site, String> {
    use tiktok_shop::authorization::{GLOBAL_LINK, US_LINK};
    Ok(Site {
        name: entry.name,
        link_url: Some(link(entry.link_url.as_deref().unwrap_or(if app == "us" { US_LINK } else { GLOBAL_LINK }))?),
        token_url: host("token_url", entry.token_url.as_deref(), "https://auth.tiktok-shops.com")?,
        api_url: host("api_url", entry.api_url.as_deref(), "https://open-api.tiktokglobalshop.com")?,
        routers: Vec::new(),
        permissions: Vec::new(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemuEntry {
    name: String,
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

fn temu_site(app: &str, entry: TemuEntry) -> Result<Site, String> {
    use temu::authorization::{EU_LINK, LOCAL_LINK};
    let routers = routers(app, &entry.routers)?;
    let Some(RouterAddress { url: first, .. }) = routers.first().cloned() else {
        let names = APPS.map(|(name, _)| format!("`{name}`")).join(", ");
        return Err(format!("Temu's apps are {names}"));
    };
    if app == PRODUCT_APP && entry.code_flow {
        return Err("`code_flow` is for local sellers; product tokens are pasted".into());
    }
    if entry.link_url.is_some() && !entry.code_flow {
        return Err("`link_url` needs `code_flow`: true".into());
    }
    let default_link = match app {
        "us" => Some(LOCAL_LINK),
        "eu" => Some(EU_LINK),
        _ => None,
    };
    let link_url = match (entry.code_flow, entry.link_url.as_deref().or(default_link)) {
        (false, _) => None,
        (true, Some(given)) => Some(link(given)?),
        (true, None) => {
            return Err(
                "`code_flow` needs `link_url`: the address of the page in the seller center of these sellers' \
                        region where they authorize the app"
                    .into(),
            );
        }
    };
    let labels = |permissions: BTreeMap<String, Vec<String>>, optional| {
        permissions.into_iter().map(move |(label, calls)| Permission { label, calls, optional })
    };
    let permissions: Vec<_> =
        labels(entry.permissions, false).chain(labels(entry.optional_permissions, true)).collect();
    if let Some(empty) = permissions.iter().find(|permission| permission.calls.is_empty()) {
        return Err(format!("the permission `{}` names no call", empty.label));
    }
    Ok(Site { name: entry.name, link_url, token_url: first.clone(), api_url: first, routers, permissions })
}

/// The app's routers at their real addresses, or at those `given` in their place.
fn routers(app: &str, given: &BTreeMap<String, String>) -> Result<Vec<RouterAddress>, String> {
    let routers = routers_of(app);
    if let Some(unknown) = given.keys().find(|name| routers.iter().all(|router| router.as_str() != *name)) {
        let names = routers.iter().map(|router| format!("`{}`", router.as_str())).collect::<Vec<_>>().join(" and ");
        return Err(format!("`routers` names `{unknown}`, but this app is served by {names}"));
    }
    let address = |router: &temu::Router| {
        let real = format!("https://{}", router.host());
        let given = given.get(router.as_str()).map(String::as_str);
        Ok(RouterAddress { router: *router, url: host(&format!("routers.{}", router.as_str()), given, &real)? })
    };
    routers.iter().map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Sites, String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut reader = Reader::new(&variable);
        let sites = reader.apps();
        reader.finish(sites).map_err(|error| error.to_string())
    }

    #[test]
    fn each_problem_is_one_line_that_names_its_variable() {
        for (variable, value, what) in [
            (TIKTOK_SHOP, "", "at least one app is needed"),
            (TIKTOK_SHOP, "us", "must be JSON"),
            (TIKTOK_SHOP, "{}", "names no app"),
            (TIKTOK_SHOP, r#"{"US":{"name":"Acme"}}"#, "US: not a valid app"),
            (TIKTOK_SHOP, r#"{"us":{"name":" "}}"#, "us: `name` is empty"),
            (TIKTOK_SHOP, r#"{"us":{"name":"Acme","tokenurl":"x"}}"#, "unknown field"),
            (
                TIKTOK_SHOP,
                r#"{"us":{"name":"Acme","token_url":"http://example.com"}}"#,
                "us: `token_url` must begin with https://",
            ),
            (
                TIKTOK_SHOP,
                r#"{"us":{"name":"Acme","api_url":"https://u:p@example.com"}}"#,
                "us: `api_url` must not have a query",
            ),
            (
                TIKTOK_SHOP,
                r#"{"us":{"name":"Acme","api_url":"https://example.com/v1"}}"#,
                "us: `api_url` must not have a path",
            ),
            (TIKTOK_SHOP, r#"{"us":{"name":"Acme","token\nurl":"x"}}"#, "unknown field `token url`"),
            (TIKTOK_SHOP, r#"{"u\ns":{"name":"Acme"}}"#, "u s: not a valid app"),
            (TEMU, r#"{"uk":{"name":"Acme"}}"#, "uk: Temu's apps are `us`, `eu`, `global`, `product`"),
            (TEMU, r#"{"product":{"name":"Acme","code_flow":true}}"#, "product: `code_flow` is for local sellers"),
            (TEMU, r#"{"us":{"name":"Acme","link_url":"https://x.example"}}"#, "us: `link_url` needs `code_flow`"),
            (TEMU, r#"{"global":{"name":"Acme","code_flow":true}}"#, "global: `code_flow` needs `link_url`"),
            (TEMU, r#"{"us":{"name":"Acme","permissions":{"Orders":[]}}}"#, "us: the permission `Orders` names no"),
            (
                TEMU,
                r#"{"us":{"name":"Acme","routers":{"us":"http://temu.example"}}}"#,
                "us: `routers.us` must begin with",
            ),
            (
                TEMU,
                r#"{"product":{"name":"Acme","routers":{"global":"x"}}}"#,
                "but this app is served by `pa` and `cn`",
            ),
        ] {
            let problem = read(&[(variable, value)]).unwrap_err();
            assert!(problem.starts_with(&format!("{variable}: ")) && problem.contains(what), "{problem}");
            assert!(!problem.contains('\n'));
        }
    }

    #[test]
    fn the_sites_have_their_own_hosts_and_links() {
        let sites = read(&[
            (TIKTOK_SHOP, r#"{"us":{"name":"Acme US"},"global":{"name":"Acme","token_url":"http://127.0.0.1:9"}}"#),
            (
                TEMU,
                r#"{"eu":{"name":"Acme","code_flow":true},"product":{"name":"Acme",
                    "routers":{"cn":"http://127.0.0.1:7"},
                    "permissions":{"Products":["bg.goods.add"]},"optional_permissions":{"Ads":["bg.ads.get"]}}}"#,
            ),
        ])
        .unwrap();
        let of = |path: &str| &sites[&path.parse::<AppKeyPath>().unwrap()];
        let link = |path: &str| of(path).link_url.as_ref().map(url::Url::as_str);
        assert_eq!(link("tiktok-shop/us"), Some(tiktok_shop::authorization::US_LINK));
        assert_eq!(link("tiktok-shop/global"), Some(tiktok_shop::authorization::GLOBAL_LINK));
        assert_eq!(of("tiktok-shop/global").token_url.as_str(), "http://127.0.0.1:9/");
        assert_eq!(link("temu/eu"), Some(temu::authorization::EU_LINK));
        assert_eq!(of("temu/eu").api_url.as_str(), "https://openapi-b-eu.temu.com/");
        assert_eq!((link("temu/product"), of("temu/product").permissions.len()), (None, 2));
        let routers = of("temu/product").routers.iter().map(|it| (it.router.as_str(), it.url.as_str()));
        let expected = [("pa", "https://openapi-b-partner.temu.com/"), ("cn", "http://127.0.0.1:7/")];
        assert!(routers.eq(expected), "{:?}", of("temu/product").routers);
        assert!(read(&[(TEMU, r#"{"us":{"name":"Acme"}}"#)]).is_ok(), "Temu alone");
    }
}
