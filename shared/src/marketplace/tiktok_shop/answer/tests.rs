//! The table of answers, row by row.

use super::*;

/// When the published sample was recorded.
const NOW: Timestamp = Timestamp(1_660_000_000);

#[expect(clippy::unnecessary_wraps, reason = "stands in for a call's result")]
fn http(status: u16, body: &str) -> Result<RawAnswer, NoAnswer> {
    Ok(RawAnswer { status, retry_after: Some(7), body: body.as_bytes().to_vec() })
}

fn coded(code: i64, message: &str) -> Result<RawAnswer, NoAnswer> {
    http(200, &format!(r#"{{"code":{code},"message":"{message}","request_id":"2022"}}"#))
}

/// The row of the table that an error belongs to.
fn class(call: Call, answer: Result<RawAnswer, NoAnswer>) -> &'static str {
    match meaning(call, answer).unwrap_err() {
        ExchangeError::Transient { cause: TransientCause::Outage, .. } => "outage",
        ExchangeError::Transient { cause: TransientCause::RateLimited, .. } => "rate limited",
        ExchangeError::NoAnswerFrom { .. } => "another host",
        ExchangeError::Transient { .. } => "transient",
        ExchangeError::OutcomeUnknown { .. } => "unknown",
        ExchangeError::Refused { .. } => "refused",
        ExchangeError::Configuration { .. } => "configuration",
    }
}

/// The guide's published sample.
const SAMPLE: &str = r#"{"code":0,"message":"success","data":{
    "access_token":"ROW_Fw8rBwAAAAAkW03FYd09DG-9INtpw361hWthei8S3fHX8iPJ5AUv99fLSCYD9-UucaqxTgNRzKZxi5-tfFMtdWqglEt5_iCk",
    "access_token_expire_in":1660556783,
    "refresh_token":"NTUxZTNhYTQ2ZDk2YmRmZWNmYWY2YWY2YzkxNGYwNjQ3YjkzYTllYjA0YmNlMw",
    "refresh_token_expire_in":1691487031,"open_id":"7010736057180325637","seller_name":"Jjj test shop",
    "seller_base_region":"ID","user_type":0},"request_id":"2022080809462301024509910319695C45"}"#;

#[test]
fn the_published_sample_is_read() {
    let granted = meaning(Call::ExchangeCode, http(200, SAMPLE)).unwrap().granted(NOW).unwrap();
    assert_eq!(granted.tokens.access_expires_at, Some(Timestamp(1_660_556_783)));
    assert_eq!(granted.tokens.authorization_end, AuthorizationEnd::At(Timestamp(1_691_487_031)));
    assert!(granted.tokens.refresh_token.is_some());
    let Authorizer::Seller(Seller { id, name, base_region, .. }) = granted.seller else { panic!("a seller") };
    assert_eq!(id.as_str(), "7010736057180325637");
    assert_eq!((name.as_deref(), base_region.as_deref()), (Some("Jjj test shop"), Some("ID")));
}

#[test]
fn each_code_has_its_class() {
    use Call::{ExchangeCode, Refresh};
    for (call, code, message, expected) in [
        (ExchangeCode, 36_004_004, "", "refused"),
        (Refresh, 36_004_004, "", "transient"),
        (ExchangeCode, 36_004_005, "", "refused"),
        (Refresh, 36_004_005, "", "refused"),
        (Refresh, 36_004_001, "rt has expired", "refused"),
        (ExchangeCode, 36_004_001, "", "transient"),
        (Refresh, 36_009_002, "", "rate limited"),
        (Refresh, 36_009_003, "", "unknown"),
        (Refresh, 36_009_007, "", "unknown"),
        (Refresh, 36_009_033, "", "configuration"),
        (Refresh, 36_009_004, "Invalid app_key", "configuration"),
        (Refresh, 36_009_004, "Invalid app_secret", "configuration"),
        (Refresh, 36_009_004, "Invalid timestamp", "configuration"),
        (Refresh, 36_009_004, "Invalid x-tts-access-token header", "configuration"),
        (Refresh, 36_009_004, "Invalid refresh_token", "refused"),
        (ExchangeCode, 36_009_004, "Invalid auth_code", "refused"),
        (ExchangeCode, 36_009_004, "Invalid refresh_token", "configuration"),
        (Refresh, 99_999_999, "Token is dead, believe me", "transient"),
        (Refresh, -1, "", "transient"),
    ] {
        assert_eq!(class(call, coded(code, message)), expected, "{call:?} {code} {message}");
    }
}

#[test]
fn transport_faults_have_their_class() {
    let nothing = || Fault { message: String::new(), code: None, request_id: None };
    assert_eq!(class(Call::Refresh, Err(NoAnswer::NotSent(nothing()))), "outage");
    assert_eq!(class(Call::Refresh, Err(NoAnswer::MaybeSent(nothing()))), "unknown");
    assert_eq!(class(Call::Refresh, http(429, "")), "rate limited");
    assert_eq!(class(Call::Refresh, http(500, SAMPLE)), "unknown");
    assert_eq!(class(Call::Refresh, http(503, "")), "unknown");
    assert_eq!(class(Call::Refresh, http(404, "404 page not found")), "unknown");
    assert_eq!(class(Call::Refresh, http(200, &SAMPLE[..200])), "unknown", "a truncated success");
    assert_eq!(class(Call::Refresh, http(200, r#"{"code":0,"data":{}}"#)), "unknown");
    assert_eq!(class(Call::Refresh, http(200, r#"{"code":0,"data":null}"#)), "unknown");
    assert_eq!(
        class(Call::Refresh, http(200, r#"{"code":0,"data":{"access_token":""}}"#)),
        "unknown",
        "an empty token"
    );
    assert_eq!(class(Call::Refresh, http(200, r#"{"code":0,"data":["a"]}"#)), "unknown", "a list is no object");
    assert_eq!(class(Call::Refresh, http(200, r#"[0,"","",{"access_token":"a"}]"#)), "unknown", "a list is no object");
}

#[test]
fn retry_after_is_handed_on() {
    let Err(ExchangeError::Transient { retry_after, .. }) = meaning(Call::Refresh, http(429, "")) else { panic!() };
    assert_eq!(retry_after, Some(7));
}

#[test]
fn a_success_is_taken_whatever_it_lacks() {
    let body = r#"{"code":0,"data":{"access_token":"a","refresh_token":"r","access_token_expire_in":"soon",
        "refresh_token_expire_in":"1691487031","seller_name":null,"granted_scopes":"not a list","user_type":"x"}}"#;
    let tokens = meaning(Call::Refresh, http(200, body)).unwrap().tokens(NOW);
    assert_eq!(tokens.access_expires_at, None);
    assert_eq!(tokens.authorization_end, AuthorizationEnd::At(Timestamp(1_691_487_031)));
    assert_eq!(tokens.scopes, None);
    assert!(tokens.refresh_token.is_some());
}

#[test]
fn only_sellers_are_sellers() {
    for (user_type, seller) in [
        ("0", true),
        ("\"0\"", true),
        ("4", true),
        ("5", true),
        ("\"5\"", true),
        ("null", true),
        ("1", false),
        ("3", false),
        ("7", false),
        ("\"1\"", false),
        ("\"\"", false),
        ("[0]", false),
    ] {
        let body = SAMPLE.replace("\"user_type\":0", &format!("\"user_type\":{user_type}"));
        let granted = meaning(Call::ExchangeCode, http(200, &body)).unwrap().granted(NOW).unwrap();
        assert_eq!(matches!(granted.seller, Authorizer::Seller { .. }), seller, "{user_type}");
    }
}

#[test]
fn a_refused_address_is_our_configuration_whatever_the_code_and_the_status() {
    let words = r#"{"code":99,"message":"IP 203.0.113.7 is not in the app's allow list","request_id":"r"}"#;
    for status in [200, 400, 401, 403, 429, 500, 503] {
        assert_eq!(class(Call::Refresh, http(status, words)), "configuration", "{status}");
        assert_eq!(class(Call::ExchangeCode, http(status, "Your IP is not in the whitelist")), "configuration");
    }
    let success = SAMPLE.replace("success", "IP whitelist");
    assert!(meaning(Call::Refresh, http(200, &success)).is_ok(), "a success is one");
}

#[test]
fn permissions_stand_for_scopes_where_these_are_absent() {
    let scopes = |fields: &str| {
        let body = format!(r#"{{"code":0,"data":{{"access_token":"a",{fields}}}}}"#);
        meaning(Call::Refresh, http(200, &body)).unwrap().tokens(NOW).scopes
    };
    assert_eq!(scopes(r#""granted_permissions":["p"]"#), Some(vec!["p".into()]));
    assert_eq!(scopes(r#""granted_scopes":["s"],"granted_permissions":["p"]"#), Some(vec!["s".into()]));
    assert_eq!(scopes(r#""granted_scopes":"s","granted_permissions":["p"]"#), Some(vec!["p".into()]));
    assert_eq!(scopes(r#""granted_permissions":null"#), None);
}

#[test]
fn ends_are_read_in_every_unit() {
    let ends = |access: &str, refresh: &str| {
        let body = format!(
            r#"{{"code":0,"data":{{"access_token":"a","access_token_expire_in":{access},"refresh_token_expire_in":{refresh}}}}}"#
        );
        let tokens = meaning(Call::Refresh, http(200, &body)).unwrap().tokens(NOW);
        (tokens.access_expires_at, tokens.authorization_end)
    };
    let (week, year) = (NOW.plus(604_800), NOW.plus(31_536_000));
    for (access, refresh) in
        [("1660604800", "1691536000"), ("\"604800\"", "31536000"), ("1660604800000", "\"1691536000000\"")]
    {
        assert_eq!(ends(access, refresh), (Some(week), AuthorizationEnd::At(year)), "{access}");
    }
    assert_eq!(ends("4807000000", "4807000000"), (None, AuthorizationEnd::Never), "the year 2122");
    assert_eq!(ends("null", "null"), (None, AuthorizationEnd::Missing));
}

#[test]
fn a_request_id_that_is_none_is_not_passed_on() {
    let long = "x".repeat(129);
    for (sent, known) in [("2022ab-cd", true), ("", false), ("two words", false), ("a\\nb", false), (&long, false)] {
        let body = format!(r#"{{"code":36004005,"request_id":"{sent}"}}"#);
        let Err(ExchangeError::Refused { refused }) = meaning(Call::Refresh, http(200, &body)) else {
            panic!("{sent}")
        };
        assert_eq!(refused.fault.request_id.as_deref(), known.then_some(sent));
    }
}

#[test]
fn the_platforms_own_text_is_never_passed_on() {
    let error = meaning(Call::Refresh, coded(36_004_005, "no such token ROW_abcdef")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("ROW_abcdef"));
}
