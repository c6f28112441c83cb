use std::collections::BTreeSet;

use super::*;
use crate::marketplace::{temu, tiktok_shop};

/// The same cases as those of `scripts/app.py`, which writes the registry: both must agree.
const CASES: &str = include_str!("cases.json");

#[derive(Deserialize)]
struct Case {
    what: String,
    entry: Value,
    problem: Option<String>,
    /// The hosts that the app is called at, in a few cases. `make breakers` must know them.
    hosts: Option<Vec<String>>,
}

#[test]
fn each_rule_of_an_entry_holds() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() > 20);
    for Case { what, entry, problem, hosts } in cases {
        let registry = Registry::parse(&entry.to_string()).unwrap();
        if let (Some(hosts), Some((_, config))) = (hosts, registry.iter().next()) {
            let asked = [Call::Refresh, Call::Check].map(|call| config.host(call));
            let routers = config.api.routers.iter().map(|at| Host::of(&at.url));
            let called: BTreeSet<_> = asked.into_iter().chain(routers).map(|host| host.to_string()).collect();
            assert_eq!(called, BTreeSet::from_iter(hosts), "{what}");
        }
        match problem {
            None => assert!(registry.problems().is_empty() && registry.iter().count() == 1, "{what}: {registry:?}"),
            Some(problem) => {
                let [line] = registry.problems() else { panic!("{what}: {registry:?}") };
                assert!(line.contains(&problem) && !line.contains('\n'), "{what}: {line}");
                assert_eq!(registry.iter().count(), 0, "{what}");
            }
        }
    }
}

#[test]
fn a_wrong_entry_leaves_the_others_alone() {
    let text = r#"{"temu/us":{"name":"Acme","gateway":"us"},"temu/eu":{"name":"Acme","gateway":"mars"},"x\ny":{}}"#;
    let registry = Registry::parse(text).unwrap();
    let names: Vec<_> = registry.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(names, ["temu/us"]);
    assert_eq!(registry.problems().len(), 2);
    assert!(registry.problems().iter().all(|line| !line.contains('\n')), "{:?}", registry.problems());
    for text in ["", "[]", "null", "{", r#""temu/us""#] {
        assert!(Registry::parse(text).is_err(), "{text}");
    }
    assert_eq!(Registry::parse("{}").unwrap(), Registry::default());
}

#[test]
fn apps_have_the_marketplaces_real_addresses_unless_others_are_given() {
    let registry = Registry::parse(
        r#"{
            "tiktok-shop/us": {"name": "Acme US", "market": "us"},
            "tiktok-shop/uk": {"name": "Acme", "market": "global", "token_url": "http://127.0.0.1:9"},
            "temu/eu": {"name": "Acme", "gateway": "eu", "code_flow": true},
            "temu/orders": {"name": "Acme", "gateway": "global"},
            "temu/product": {"name": "Acme", "gateway": "cn-pa", "routers": {"cn": "http://127.0.0.1:7"},
                "permissions": {"Products": ["bg.goods.add"]}, "optional_permissions": {"Ads": ["bg.ads.get"]}}
        }"#,
    )
    .unwrap();
    assert!(registry.problems().is_empty(), "{:?}", registry.problems());
    let of = |path: &str| registry.get(&path.parse().unwrap()).unwrap();
    let link = |path: &str| of(path).link_url.as_ref().map(Url::as_str);
    assert_eq!(link("tiktok-shop/us"), Some(tiktok_shop::authorization::US_LINK));
    assert_eq!(link("tiktok-shop/uk"), Some(tiktok_shop::authorization::GLOBAL_LINK));
    assert_eq!(of("tiktok-shop/uk").token_url.as_str(), "http://127.0.0.1:9/");
    assert_eq!(of("tiktok-shop/uk").api.base_url.as_str(), "https://open-api.tiktokglobalshop.com/");
    assert_eq!(link("temu/eu"), Some(temu::authorization::EU_LINK));
    assert_eq!(of("temu/eu").api.base_url.as_str(), "https://openapi-b-eu.temu.com/");
    assert_eq!((link("temu/product"), of("temu/product").permissions.len()), (None, 2));
    let routers = of("temu/product").api.routers.iter().map(|it| (it.router.as_str(), it.url.as_str()));
    assert!(routers.eq([("pa", "https://openapi-b-partner.temu.com/"), ("cn", "http://127.0.0.1:7/")]));
    assert_eq!(of("temu/orders").purposes(), [Purpose::Order, Purpose::Compliance]);
    assert_eq!(of("temu/product").purposes(), [Purpose::Product]);
    assert!(of("temu/eu").listed && of("temu/eu").users == [UserType::Seller]);
}
