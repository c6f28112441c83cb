use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::temu::app::{Region, Router};
use crate::temu::grant::Terms;
use crate::temu::ordered_json::Ordered;
use crate::temu::permissions::Purpose;
use crate::temu::seller::{Mall, MallType, Seller};

const NOW: u64 = 1_711_009_072;
const ORDERS: &str = "bg.order.list.get";

fn world() -> World {
    let mut world = World::default();
    for (key, region) in [("us", Region::Us), ("other", Region::Us), ("eu", Region::Eu)] {
        world.add_app(App::new(key, format!("{key}-secret"), region));
    }
    world.add_seller(Seller::new("ann").with_mall(Mall::new(1, MallType::Local)));
    world
}

fn issued(world: &mut World, app_key: &str) -> String {
    world.issue(app_key, 1, Purpose::All, Terms::default(), NOW).unwrap().value.clone()
}

/// A call to the router of the United States, signed by the app that it names.
fn request(app_key: &str, call: &str, token: &str) -> Request {
    signed(app_key, &json!({ "app_key": app_key, "type": call, "access_token": token, "timestamp": NOW }))
}

fn signed(app_key: &str, members: &Value) -> Request {
    let mut request = Request::parse(Router::Us, members.to_string().as_bytes());
    let sign = sign(&format!("{app_key}-secret"), &request.members);
    request.members.push(("sign".to_owned(), Ordered::Text(sign)));
    request
}

fn refused(world: &mut World, request: &Request) -> i64 {
    world.serve(request, NOW).unwrap_err().code
}

#[test]
fn the_app_comes_first_and_the_sign_next() {
    let mut world = world();
    let unsigned = |members: &Value| Request::parse(Router::Us, members.to_string().as_bytes());
    assert_eq!(refused(&mut world, &Request::parse(Router::Us, b"no JSON")), code::APP_KEY_MISSING);
    assert_eq!(refused(&mut world, &unsigned(&json!({ "app_key": "" }))), code::APP_KEY_MISSING);
    assert_eq!(refused(&mut world, &unsigned(&json!({ "app_key": "nobody" }))), code::APP_KEY_UNKNOWN);
    assert_eq!(refused(&mut world, &unsigned(&json!({ "app_key": "eu" }))), code::APP_KEY_UNKNOWN);
    assert_eq!(refused(&mut world, &unsigned(&json!({ "app_key": "us" }))), code::BAD_SIGN);
    let by_another = signed("other", &json!({ "app_key": "us", "type": TOKEN_INFO, "timestamp": NOW }));
    assert_eq!(refused(&mut world, &by_another), code::BAD_SIGN);
}

#[test]
fn lower_case_is_no_sign() {
    let mut world = world();
    let token = issued(&mut world, "us");
    let mut request = request("us", TOKEN_INFO, &token);
    assert!(world.serve(&request, NOW).is_ok());
    if let Some((_, Ordered::Text(sign))) = request.members.last_mut() {
        sign.make_ascii_lowercase();
    }
    assert_eq!(refused(&mut world, &request), code::BAD_SIGN);
}

#[test]
fn timestamps_may_be_five_minutes_off() {
    let mut world = world();
    let token = issued(&mut world, "us");
    let request = request("us", TOKEN_INFO, &token);
    for now in [NOW - 300, NOW + 300] {
        assert!(world.serve(&request, now).is_ok());
    }
    assert_eq!(world.serve(&request, NOW + 301).unwrap_err().code, code::TIMESTAMP_TOO_OLD);
    assert_eq!(world.serve(&request, NOW - 301).unwrap_err().code, code::TIMESTAMP_TOO_NEW);
    let text = signed(
        "us",
        &json!({ "app_key": "us", "type": TOKEN_INFO, "timestamp": NOW.to_string(), "access_token": token }),
    );
    assert!(world.serve(&text, NOW).is_ok());
    for wrong in [json!(null), json!("today"), json!(-1), json!(1.5)] {
        let request = signed("us", &json!({ "app_key": "us", "type": TOKEN_INFO, "timestamp": wrong }));
        assert_eq!(refused(&mut world, &request), code::TIMESTAMP_MISSING);
    }
}

#[test]
fn timestamps_can_go_by_the_machines_clock() {
    let mut world = world();
    let token = issued(&mut world, "us");
    let request = Request { machine_time: NOW, ..request("us", TOKEN_INFO, &token) };
    assert!(world.serve(&request, NOW + 1000).is_err());
    world.settings.timestamps_by_machine_clock = true;
    assert!(world.serve(&request, NOW + 1000).is_ok());
}

#[test]
fn the_call_must_exist_and_the_app_be_in_good_standing() {
    let mut world = world();
    let token = issued(&mut world, "us");
    let mut refuses = |change: fn(&mut App), call: &str| {
        world.update_app("us", change).unwrap();
        refused(&mut world, &request("us", call, &token))
    };
    assert_eq!(refuses(|_| {}, ""), code::UNKNOWN_CALL);
    assert_eq!(refuses(|_| {}, "bg.nonsense"), code::UNKNOWN_CALL);
    assert_eq!(refuses(|app| app.calls = Some(vec![ORDERS.to_owned()]), TOKEN_INFO), code::APP_LACKS_CALL);
    assert_eq!(refuses(|app| app.suspended = true, TOKEN_INFO), code::APP_SUSPENDED);
    assert_eq!(refuses(|app| app.ip_allowed = false, TOKEN_INFO), code::IP_NOT_ALLOWED);
}

#[test]
fn a_token_works_for_its_app_in_its_region() {
    let mut world = world();
    let [theirs, foreign] = ["other", "eu"].map(|app| issued(&mut world, app));
    assert_eq!(refused(&mut world, &request("us", TOKEN_INFO, "")), code::TOKEN_MISSING);
    assert_eq!(refused(&mut world, &request("us", TOKEN_INFO, "unknown")), code::TOKEN_UNKNOWN);
    assert_eq!(refused(&mut world, &request("us", TOKEN_INFO, &foreign)), code::TOKEN_UNKNOWN);
    assert_eq!(refused(&mut world, &request("us", TOKEN_INFO, &theirs)), code::TOKEN_OF_ANOTHER_APP);
    assert!(world.serve(&request("other", TOKEN_INFO, &theirs), NOW).is_ok());
}

#[test]
fn replaced_and_expired_tokens_are_told_from_revoked_ones() {
    let mut world = world();
    let first = issued(&mut world, "us");
    let second = issued(&mut world, "us");
    assert_eq!(refused(&mut world, &request("us", TOKEN_INFO, &first)), code::TOKEN_EXPIRED);
    world.newest_token_mut("us", 1, Purpose::All).unwrap().expires_at = NOW;
    assert_eq!(refused(&mut world, &request("us", TOKEN_INFO, &second)), code::TOKEN_EXPIRED);

    let third = issued(&mut world, "us");
    assert!(world.end(End::Revoked, |token| token.mall_id == 1));
    assert!(!world.end(End::Revoked, |token| token.mall_id == 1), "there is none left");
    issued(&mut world, "us");
    assert_eq!(refused(&mut world, &request("us", TOKEN_INFO, &third)), code::NOT_AUTHORIZED);
    assert_eq!(refused(&mut world, &request("us", TOKEN_INFO, &first)), code::TOKEN_EXPIRED, "it was not revoked");
}

#[test]
fn a_token_can_lack_any_call_but_the_one_about_itself() {
    let mut world = world();
    let token = issued(&mut world, "us");
    assert_eq!(world.serve(&request("us", ORDERS, &token), NOW).unwrap()["totalItemNum"], 1);
    world.newest_token_mut("us", 1, Purpose::All).unwrap().permissions.clear();
    assert_eq!(refused(&mut world, &request("us", ORDERS, &token)), code::TOKEN_LACKS_CALL);
    assert!(world.serve(&request("us", TOKEN_INFO, &token), NOW).is_ok());
}

#[test]
fn only_calls_that_are_surely_the_apps_count_against_its_limit() {
    let mut world = world();
    world.settings.calls_per_second = Some(2);
    let unsigned = json!({ "app_key": "us", "type": TOKEN_INFO, "timestamp": NOW });
    for _ in 0..5 {
        let request = Request::parse(Router::Us, unsigned.to_string().as_bytes());
        assert_eq!(refused(&mut world, &request), code::BAD_SIGN);
    }
    let arrived = Instant::now();
    let token = issued(&mut world, "us");
    let request = Request { arrived, ..request("us", TOKEN_INFO, &token) };
    assert!(world.serve(&request, NOW).is_ok() && world.serve(&request, NOW).is_ok());
    assert_eq!(refused(&mut world, &request), code::RATE_LIMITED);
    let later = Request { arrived: arrived + Duration::from_secs(1), ..request };
    assert!(world.serve(&later, NOW).is_ok());
}
