//! What a token is taken for.

use super::*;
use crate::{apps::Site, connection::Shop};

const NOW: Timestamp = Timestamp(1_800_000_000);

fn app(name: &str) -> App {
    let host: url::Url = "https://openapi-b-us.temu.com".parse().unwrap();
    let site =
        Site { name: "Acme".into(), link_url: None, token_url: host.clone(), api_url: host, permissions: Vec::new() };
    let path = format!("temu/{name}").parse().unwrap();
    App {
        path,
        site,
        app_key: "key".into(),
        app_secret: Secret::new("secret"),
        previous_app_secret: None,
        service_id: None,
    }
}

fn token(mall_type: MallType) -> Token {
    Token {
        mall: "634418212".parse().unwrap(),
        mall_name: Some("Nina".into()),
        mall_type,
        region_id: Some(211),
        expires_at: Some(NOW.plus(90 * 86_400)),
        scopes: Some(vec!["bg.order.list.v2.get".into()]),
    }
}

#[test]
fn an_exchange_gives_each_token_once_and_no_empty_one() {
    let tokens = |result: serde_json::Value| {
        let body = serde_json::json!({"success": true, "result": result}).to_string().into_bytes();
        let tokens = created(Ok(http::RawAnswer { status: 200, retry_after: None, body }));
        tokens.map(|tokens| tokens.iter().map(|(_, token)| token.expose().to_owned()).collect::<Vec<_>>())
    };
    let several = serde_json::json!({"accessToken": "a", "associatedMallTokenList": [
        {"mallId": 1, "accessToken": "b"}, {"mallId": 2, "accessToken": ""}, {"mallId": 3, "accessToken": "a"}]});
    assert_eq!(tokens(several).unwrap(), ["b", "a"]);
    for none in [serde_json::json!({}), serde_json::json!({"accessToken": ""})] {
        assert!(matches!(tokens(none), Err(CallError::OutcomeUnknown { .. })));
    }
}

#[test]
fn what_an_exchange_says_of_its_tokens_is_known_of_them() {
    let known = |result: serde_json::Value| {
        let body = serde_json::json!({"success": true, "result": result}).to_string().into_bytes();
        let tokens = created(Ok(http::RawAnswer { status: 200, retry_after: None, body })).unwrap();
        tokens.into_iter().map(|(known, _)| known).collect::<Vec<_>>()
    };
    let all = || {
        serde_json::json!({"accessToken": "a", "mallId": 1, "mallType": 100, "regionId": 211,
        "expiredTime": 1_801_000_000, "apiScopeList": ["bg.order.list.v2.get"]})
    };
    let own = Token {
        mall: "1".parse().unwrap(),
        mall_name: None,
        mall_type: MallType::Local,
        region_id: Some(211),
        expires_at: Some(Timestamp(1_801_000_000)),
        scopes: Some(vec!["bg.order.list.v2.get".into()]),
    };
    assert_eq!(known(all()), [Some(own.clone())]);

    // Of another mall's token no more is said than whose it is.
    let mut several = all();
    several["associatedMallTokenList"] = serde_json::json!([{"mallId": 2, "accessToken": "b"}]);
    assert_eq!(known(several), [Some(own.clone()), Some(Token::unchecked("2".parse().unwrap()))]);

    // The list may hold the response's own token, and may alone name its mall.
    let mut listed = all();
    listed["mallId"] = serde_json::Value::Null;
    listed["associatedMallTokenList"] = serde_json::json!([{"mallId": 1, "accessToken": "a"}]);
    assert_eq!(known(listed), [Some(own)]);
    assert_eq!(known(serde_json::json!({"accessToken": "a", "mallType": 100})), [None]);
}

#[test]
fn the_purpose_follows_from_the_app_and_the_kind_of_seller() {
    assert_eq!(token(MallType::Local).purpose(&app("us")), Purpose::All);
    assert_eq!(token(MallType::Unknown).purpose(&app("eu")), Purpose::All);
    assert_eq!(token(MallType::CrossBorder).purpose(&app("global")), Purpose::Order);
    assert_eq!(token(MallType::CrossBorder).purpose(&app("product")), Purpose::Product);
}

#[test]
fn the_mall_is_the_one_shop_and_both_clocks_are_one() {
    let tokens = token(MallType::Local).tokens(Secret::new("t"), NOW);
    assert_eq!(tokens.access_expires_at, tokens.authorization_expires_at);
    let seller = token(MallType::Local).seller(&app("us"));
    let shop =
        Shop { id: "634418212".parse().unwrap(), cipher: None, name: Some("Nina".into()), region: Some("US".into()) };
    assert_eq!(seller.shops, Some(vec![shop]));
}

#[test]
fn an_end_that_is_not_said_lasts_until_after_the_next_check_and_is_no_end_of_the_authorization() {
    let checked = Token { expires_at: None, ..token(MallType::Local) }.tokens(Secret::new("t"), NOW);
    assert!(checked.access_expires_at.unwrap().since(NOW) > crate::connection::watch::CHECK_EVERY);
    assert_eq!(checked.authorization_expires_at, None);
}
