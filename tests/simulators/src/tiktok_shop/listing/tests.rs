use std::collections::BTreeSet;

use super::*;
use crate::tiktok_shop::answer::code;
use crate::tiktok_shop::app::{App, Region};
use crate::tiktok_shop::grant::{Grant, Pair};
use crate::tiktok_shop::seller::{Inactive, SHOPS_SCOPE, Seller, UserType};
use crate::tiktok_shop::settings::Rotation;
use crate::tiktok_shop::sign::{Signed, sign};

const NOW: u64 = 1_623_812_664;

/// The app and the moment of the published vector.
fn world() -> World {
    let mut world = World::default();
    world.add_app(App::new("29a39d", "e59af819cc", "1", Region::Us));
    world.add_app(App::new("other", "other-secret", "2", Region::Us));
    world.add_seller(Seller::new("ann").with_shop(Shop::new("s1", "US")));
    world.grants.push(Grant {
        id: 1,
        app_key: "29a39d".to_owned(),
        open_id: "ann".to_owned(),
        scopes: vec![SHOPS_SCOPE.to_owned()],
        expires_at: NOW + 1000,
        ended: false,
        left: BTreeSet::new(),
        pairs: vec![pair("old"), pair("new")],
    });
    world
}

fn pair(name: &str) -> Pair {
    Pair {
        access: format!("{name}-access"),
        access_expires_at: NOW + 100,
        access_retired: false,
        refresh: format!("{name}-refresh"),
        refresh_retired: false,
    }
}

fn published() -> Request {
    let sign = "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8";
    Request {
        path: SHOPS_PATH,
        query: [("app_key", "29a39d"), ("timestamp", "1623812664"), ("sign", sign)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        access_token: "new-access".to_owned(),
        ..Request::default()
    }
}

fn signed(secret: &str, query: &[(&str, &str)]) -> Request {
    let mut request = Request {
        query: query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..published()
    };
    let sign = sign(secret, &Signed { path: SHOPS_PATH, query: &request.query, body: b"", multipart: false });
    request.query.push(("sign".to_owned(), sign));
    request
}

fn refused(world: &mut World, request: &Request, now: u64) -> (u16, i64) {
    let error = world.list_shops(request, now).unwrap_err();
    (error.status, error.code)
}

#[test]
fn the_published_request_is_answered() {
    let shops = world().list_shops(&published(), NOW).unwrap().shops;
    assert_eq!(shops, [Shop::new("s1", "US")]);
}

#[test]
fn another_app_secret_or_query_makes_a_bad_sign() {
    let mut world = world();
    let mut padded = published();
    padded.query.push(("page".to_owned(), "1".to_owned()));
    assert_eq!(refused(&mut world, &padded, NOW), (401, code::BAD_SIGN));
    let unknown = signed("e59af819cc", &[("app_key", "nobody"), ("timestamp", "1623812664")]);
    assert_eq!(refused(&mut world, &unknown, NOW), (400, code::INVALID_INPUT));
}

#[test]
fn the_timestamp_may_be_five_minutes_old_and_thirty_seconds_early() {
    let mut world = world();
    world.grants[0].pairs[1].access_expires_at = NOW + 10_000;
    for now in [NOW - 30, NOW + 300] {
        assert!(world.list_shops(&published(), now).is_ok());
    }
    for now in [NOW - 31, NOW + 301] {
        assert_eq!(refused(&mut world, &published(), now), (400, code::INVALID_INPUT));
    }
    let endless = signed("e59af819cc", &[("app_key", "29a39d"), ("timestamp", "18446744073709551615")]);
    assert_eq!(refused(&mut world, &endless, NOW), (400, code::INVALID_INPUT));
}

#[test]
fn timestamps_can_go_by_the_machines_clock() {
    let mut world = world();
    world.settings.timestamps_by_machine_clock = true;
    world.grants[0].pairs[1].access_expires_at = NOW + 1_000_000;
    let request = Request { machine_time: NOW, ..published() };
    assert!(world.list_shops(&request, NOW + 900_000).is_ok());
}

#[test]
fn a_shop_cipher_is_refused() {
    let query = [("app_key", "29a39d"), ("timestamp", "1623812664"), ("shop_cipher", "c")];
    let error = world().list_shops(&signed("e59af819cc", &query), NOW).unwrap_err();
    assert_eq!(error.code, code::INVALID_INPUT);
    assert!(error.message.contains("shop_cipher"));
}

#[test]
fn tokens_are_judged_by_life_kind_and_scope() {
    let mut world = world();
    world.grants[0].pairs[1].access_expires_at = NOW;
    assert_eq!(refused(&mut world, &published(), NOW), (401, code::ACCESS_TOKEN_EXPIRED));
    world.grants[0].pairs[1].access_expires_at = NOW + 1;

    world.grants[0].scopes.clear();
    assert_eq!(refused(&mut world, &published(), NOW), (403, code::SCOPE_MISSING));
    world.seller_mut("ann").unwrap().user_type = UserType::Creator;
    assert_eq!(refused(&mut world, &published(), NOW), (403, code::WRONG_USER_TYPE));
    world.seller_mut("ann").unwrap().inactive = Some(Inactive::Seller);
    assert_eq!(refused(&mut world, &published(), NOW), (401, code::SELLER_INACTIVE));
}

#[test]
fn unknown_foreign_and_ended_tokens_are_invalid() {
    let mut world = world();
    for token in ["", "unknown", "new-refresh"] {
        let request = Request { access_token: token.to_owned(), ..published() };
        let error = world.list_shops(&request, NOW).unwrap_err();
        assert_eq!(error.code, code::INVALID_INPUT);
        assert!(error.message.contains("x-tts-access-token"));
    }
    let foreign = signed("other-secret", &[("app_key", "other"), ("timestamp", "1623812664")]);
    assert_eq!(refused(&mut world, &foreign, NOW), (401, code::INVALID_INPUT));
    world.deauthorize("29a39d", "ann");
    assert_eq!(refused(&mut world, &published(), NOW), (401, code::INVALID_INPUT));
}

#[test]
fn using_an_access_token_ends_the_grace_of_earlier_pairs() {
    let mut world = world();
    world.settings.rotation = Rotation::Grace;
    let old = Request { access_token: "old-access".to_owned(), ..published() };
    assert!(world.list_shops(&old, NOW).is_ok());
    assert!(world.accepts("old-refresh", NOW));
    assert!(world.list_shops(&published(), NOW).is_ok());
    assert!(!world.accepts("old-refresh", NOW) && world.accepts("new-refresh", NOW));
}
