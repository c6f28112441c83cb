//! What a token is taken for.

use super::*;
use crate::{connection::Shop, registry::Registry};

const NOW: Timestamp = Timestamp(1_800_000_000);

/// An app of this gateway, with its usual purposes.
fn app(gateway: &str) -> App {
    let text = format!(r#"{{"temu/app":{{"name":"Acme","gateway":"{gateway}"}}}}"#);
    let path = "temu/app".parse().unwrap();
    App {
        config: Registry::parse(&text).unwrap().get(&path).unwrap().clone(),
        path,
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
        end: AuthorizationEnd::At(NOW.plus(90 * 86_400)),
        scopes: Some(vec!["bg.order.list.v2.get".into()]),
        is_partial: false,
    }
}

#[test]
fn an_exchange_gives_each_token_once_and_no_empty_one() {
    let tokens = |result: serde_json::Value| {
        let body = serde_json::json!({"success": true, "result": result}).to_string().into_bytes();
        let tokens = created(Ok(http::RawAnswer { status: 200, retry_after: None, body }), NOW);
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
        let tokens = created(Ok(http::RawAnswer { status: 200, retry_after: None, body }), NOW).unwrap();
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
        end: AuthorizationEnd::At(Timestamp(1_801_000_000)),
        scopes: Some(vec!["bg.order.list.v2.get".into()]),
        is_partial: false,
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

/// What a router says, by an error code of CN and PA; 0 is the token with this call.
fn says(code: i64, call: &str) -> Result<Token, CallError> {
    let result = serde_json::json!({"mallId": 1, "apiList": [call]});
    let body = serde_json::json!({"success": code == 0, "errorCode": if code == 0 { 1_000_000 } else { code },
        "result": result});
    let answer = http::RawAnswer { status: 200, retry_after: None, body: body.to_string().into_bytes() };
    described(Family::CrossBorder, Ok(answer), NOW)
}

#[test]
fn a_token_may_use_what_either_router_grants_and_an_unasked_router_takes_nothing_away() {
    let known = |pa, cn| combine(says(pa, "pa.call"), says(cn, "cn.call")).unwrap();
    let both = known(0, 0);
    assert_eq!(both.all_scopes().unwrap(), ["pa.call", "cn.call"]);
    // From before the info call migrated: PA does not say anything of it.
    for lacking in [7_000_018, 7_000_019, 7_000_022] {
        assert_eq!(known(lacking, 0).all_scopes().unwrap(), ["cn.call"], "{lacking}");
        assert_eq!(known(0, lacking).all_scopes().unwrap(), ["pa.call"], "{lacking}");
    }
    for unasked in [1_000_005, 7_000_005, 7_999_999] {
        let token = known(0, unasked);
        assert_eq!(
            (token.all_scopes(), token.scopes.as_deref()),
            (None, Some(&["pa.call".to_owned()][..])),
            "{unasked}"
        );
        assert_eq!(known(unasked, 0).all_scopes(), None, "{unasked}");
        assert_eq!(token.tokens(Secret::new("t"), NOW).scopes, None);
        assert_eq!(token.checked().scopes, None);
    }
}

#[test]
fn a_token_is_judged_by_a_router_that_knows_it_and_by_none_that_could_not_be_asked() {
    let error = |pa, cn| combine(says(pa, ""), says(cn, "")).unwrap_err();
    let rejection = |error| match error {
        CallError::Rejected { rejection, .. } => Some(rejection),
        _ => None,
    };
    for (pa, cn, judged) in [
        (7_000_018, 7_000_018, Some(Rejection::Unknown)),
        (7_000_018, 7_000_007, Some(Rejection::ExpiredOrReplaced)),
        (7_000_019, 7_000_006, Some(Rejection::OtherApp)),
        (7_000_007, 7_000_018, Some(Rejection::ExpiredOrReplaced)),
        (7_000_018, 1_000_005, None),
        (1_000_005, 7_000_018, None),
    ] {
        assert_eq!(rejection(error(pa, cn)), judged, "{pa} {cn}");
    }
}

#[test]
fn the_purpose_follows_from_the_app_and_the_kind_of_seller() {
    use MallType::{CrossBorder, Local, Unknown};
    use Purpose::{All, Compliance, Order, Product};
    for (mall_type, gateway, wanted, purpose) in [
        (Local, "us", None, All),
        (Unknown, "eu", None, All),
        (CrossBorder, "global", None, Order),
        (CrossBorder, "global", Some(Order), Order),
        // No response tells a fully managed seller's kind, or what a GLOBAL token is for.
        (Unknown, "global", Some(Compliance), Compliance),
        (CrossBorder, "global", Some(Compliance), Compliance),
        (Local, "global", Some(Compliance), All),
        (CrossBorder, "cn-pa", Some(Product), Product),
        (Unknown, "cn-pa", None, Product),
    ] {
        assert_eq!(token(mall_type).purpose(&app(gateway), wanted), purpose, "{mall_type:?} {gateway} {wanted:?}");
    }
}

#[test]
fn the_mall_is_the_one_shop_and_both_clocks_are_one() {
    let tokens = token(MallType::Local).tokens(Secret::new("t"), NOW);
    assert_eq!(tokens.access_expires_at, tokens.authorization_end.stated());
    let seller = token(MallType::Local).seller(&app("us"), None);
    let shop =
        Shop { id: "634418212".parse().unwrap(), cipher: None, name: Some("Nina".into()), region: Some("US".into()) };
    assert_eq!(seller.shops, Some(vec![shop]));
}

#[test]
fn an_end_that_is_not_said_lasts_until_after_the_next_check_and_is_no_end_of_the_authorization() {
    for end in [AuthorizationEnd::Unsaid, AuthorizationEnd::Never] {
        let checked = Token { end, ..token(MallType::Local) }.tokens(Secret::new("t"), NOW);
        assert!(checked.access_expires_at.unwrap().since(NOW) > crate::connection::watch::CHECK_EVERY);
        assert_eq!(checked.authorization_end, end);
    }
}
