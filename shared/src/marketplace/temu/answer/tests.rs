//! Every row of the table of codes, and answers as gateways write them.

use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp(1_796_000_000);

#[expect(clippy::unnecessary_wraps, reason = "stands in for a call's result")]
fn answer(status: u16, body: &Value) -> Result<RawAnswer, NoAnswer> {
    Ok(RawAnswer { status, retry_after: None, body: body.to_string().into_bytes() })
}

fn refusal(code: i64) -> CallError {
    refused_by(Family::Regional, code)
}

fn refused_by(family: Family, code: i64) -> CallError {
    let body = json!({"success": false, "errorCode": code, "errorMsg": "SECRET", "requestId": "us-1", "result": null});
    meaning::<Info>(family, answer(200, &body)).unwrap_err()
}

fn info(result: &Value) -> Result<Token, CallError> {
    let body = json!({"success": true, "errorCode": 1_000_000, "errorMsg": "", "requestId": "us-1", "result": result});
    meaning::<Info>(Family::Regional, answer(200, &body))?.token(None, NOW).ok_or_else(CallError::without_mall)
}

#[test]
fn every_code_has_its_meaning() {
    for (code, rejection) in [
        (3_000_030, Rejection::Unknown),
        (3_000_031, Rejection::Unknown),
        (3_000_032, Rejection::CallNotGranted),
        (3_000_033, Rejection::OtherApp),
        (3_000_034, Rejection::ExpiredOrReplaced),
        (5_000_000, Rejection::NotAuthorized),
        (110_020_002, Rejection::CodeInvalid),
        (110_020_003, Rejection::CodeInvalid),
    ] {
        assert!(matches!(refusal(code), CallError::Rejected { rejection: it, .. } if it == rejection), "{code}");
    }
    let ours = [3_000_001, 3_000_003, 3_000_004, 3_000_010, 3_000_011, 3_000_012, 3_000_013, 3_000_014, 3_000_019];
    let apps = [3_000_020, 3_000_021, 3_000_022, 3_000_025, 3_000_026, 3_000_027, 3_000_028, 3_000_040];
    for code in ours.into_iter().chain(apps) {
        assert!(matches!(refusal(code), CallError::Configuration { .. }), "{code}");
    }
    assert!(matches!(refusal(5_000_003), CallError::Configuration { .. }));
    assert!(matches!(refusal(4_000_004), CallError::Transient { cause: TransientCause::RateLimited, .. }));
    assert!(matches!(refusal(4_000_000), CallError::OutcomeUnknown { .. }));
    for unknown in [1, 7, 3_000_099, 110_020_001] {
        assert!(matches!(refusal(unknown), CallError::Transient { cause: TransientCause::Other, .. }), "{unknown}");
    }
}

#[test]
fn the_same_number_means_something_else_in_the_other_family() {
    let rejected = |code| match refused_by(Family::CrossBorder, code) {
        CallError::Rejected { rejection, .. } => Some(rejection),
        _ => None,
    };
    for (code, rejection) in [
        (7_000_006, Rejection::OtherApp),
        (7_000_007, Rejection::ExpiredOrReplaced),
        (7_000_018, Rejection::Unknown),
        (7_000_019, Rejection::CallNotGranted),
        (7_000_020, Rejection::Unknown),
        (7_000_022, Rejection::CallNotGranted),
    ] {
        assert_eq!(rejected(code), Some(rejection), "{code}");
        assert!(
            matches!(refusal(code), CallError::Transient { cause: TransientCause::Other, .. }),
            "{code} at a region's router"
        );
    }
    for code in [0, 2, 3, 5, 8, 10, 11, 13, 14, 15, 16].map(|code| 7_000_000 + code) {
        assert!(matches!(refused_by(Family::CrossBorder, code), CallError::Configuration { .. }), "{code}");
    }
    assert!(matches!(refused_by(Family::CrossBorder, 1_000_005), CallError::OutcomeUnknown { .. }));
    for regional in [3_000_031, 3_000_034, 5_000_000, 3_000_001] {
        let said = refused_by(Family::CrossBorder, regional);
        assert!(matches!(said, CallError::Transient { cause: TransientCause::Other, .. }), "{regional} at PA or CN");
    }
}

#[test]
fn a_fault_names_code_and_request_and_never_the_platforms_text() {
    let fault = refusal(3_000_034).into_fault();
    assert_eq!((fault.code.as_deref(), fault.request_id.as_deref()), (Some("3000034"), Some("us-1")));
    assert!(!format!("{fault} {fault:?}").contains("SECRET"));
}

#[test]
fn rejections_end_a_connection_each_with_its_reason() {
    for (rejection, reason) in [
        (Rejection::Unknown, Reason::Deauthorized),
        (Rejection::NotAuthorized, Reason::Deauthorized),
        (Rejection::ExpiredOrReplaced, Reason::Replaced),
        (Rejection::CallNotGranted, Reason::PermissionsMissing),
        (Rejection::OtherApp, Reason::Refused),
    ] {
        assert_eq!(rejection.reason(), reason);
    }
}

#[test]
fn info_is_read_as_gateways_write_it() {
    let token = info(&json!({
        "mallId": 634_418_212_239_481_i64, "mallType": 100, "semiUniqueId": null, "regionId": 211,
        "expiredTime": 1_801_000_000, "apiScopeList": ["bg.order.list.v2.get"], "appSubscribeStatus": 0,
        "appSubscribeEventCodeList": [], "authEventCodeList": []
    }));
    let token = token.unwrap();
    assert_eq!((token.mall.as_str(), token.mall_type), ("634418212239481", MallType::Local));
    assert_eq!((token.region(), token.end), (Some("US"), AuthorizationEnd::At(Timestamp(1_801_000_000))));
    assert_eq!(token.scopes.unwrap(), ["bg.order.list.v2.get"]);

    let other =
        info(&json!({"uniqueId": "88", "mallName": "Nina", "mallType": 1, "expiredTime": "1801000000"})).unwrap();
    assert_eq!((other.mall.as_str(), other.mall_type, other.scopes.is_none()), ("88", MallType::CrossBorder, true));
    assert_eq!((other.mall_name.as_deref(), other.region()), (Some("Nina"), None));
    for (said, read) in [
        (json!(" Mia\u{3000}"), Some("Mia".into())),
        (json!("é".repeat(300)), Some("é".repeat(256))),
        (json!(" "), None),
        (json!(7), None),
        (json!(null), None),
    ] {
        assert_eq!(info(&json!({"mallId": 88, "mallName": said})).unwrap().mall_name, read, "{said}");
    }
    let listed = info(&json!({"mallId": 88, "apiList": ["bg.goods.add"]})).unwrap();
    assert_eq!(listed.scopes.unwrap(), ["bg.goods.add"], "the other name of the list");

    let end = |expired: serde_json::Value| info(&json!({"mallId": 88, "expiredTime": expired})).unwrap().end;
    let in_90_days = AuthorizationEnd::At(NOW.plus(90 * 86_400));
    for expired in [json!(NOW.0 + 90 * 86_400), json!((NOW.0 + 90 * 86_400) * 1_000), json!(90 * 86_400)] {
        assert_eq!(end(expired.clone()), in_90_days, "{expired}");
    }
    assert_eq!(end(json!(NOW.0 + 11 * 366 * 86_400)), AuthorizationEnd::Never);

    for nobody in [
        json!({}),
        json!({"mallId": null}),
        json!({"mallId": "a/b"}),
        json!({"mallId": [1]}),
        json!({"mallId": -1}),
        json!({"mallId": 6e19}),
        json!({"mallId": 1.5}),
    ] {
        assert!(matches!(info(&nobody), Err(CallError::Transient { .. })), "{nobody}");
    }
}

#[test]
fn what_cannot_be_read_may_have_had_its_effect() {
    for (status, body) in [
        (200, json!("text")),
        (200, json!({"success": true, "errorCode": 1_000_000})),
        (200, json!({"success": false})),
        (200, json!([true, 1_000_000, "", {"accessToken": "a"}])),
        (200, json!({"success": true, "result": ["a"]})),
        (200, json!({})),
        (500, json!({})),
        (502, json!({"success": true, "errorCode": 1_000_000, "result": {}})),
    ] {
        let said = meaning::<Created>(Family::Regional, answer(status, &body));
        assert!(matches!(said, Err(CallError::OutcomeUnknown { .. })), "{status} {body}");
    }
    let said = meaning::<Created>(Family::Regional, answer(429, &json!({})));
    assert!(matches!(said, Err(CallError::Transient { cause: TransientCause::RateLimited, .. })));
    let fault = Fault { message: "no connection".into(), code: None, request_id: None };
    let said = meaning::<Created>(Family::Regional, Err(NoAnswer::NotSent(fault)));
    assert!(matches!(said, Err(CallError::Transient { cause: TransientCause::Outage, .. })));
}

#[test]
fn tokens_of_several_malls_are_read_and_what_is_none_is_passed_over() {
    let body = json!({"success": true, "errorCode": 1_000_000, "result": {
        "accessToken": "a", "associatedMallTokenList": [{"mallId": 1, "accessToken": "b"}, {"mallId": 2}, 7]}});
    let created = meaning::<Created>(Family::Regional, answer(200, &body)).unwrap();
    assert_eq!((created.access_token.unwrap().expose(), created.associated.len()), ("a", 1));
}
