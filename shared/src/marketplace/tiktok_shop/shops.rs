//! The shops under an authorization: `GET /authorization/202309/shops` at the open API.

use std::collections::HashSet;

use serde::Deserialize;

use super::open_api::{self, Call, CallError, Response};
use crate::{
    apps::App,
    connection::{Fault, Shop},
    marketplace::http::{Method, RawAnswer},
    secret::Secret,
    time::Timestamp,
};

const PATH: &str = "/authorization/202309/shops";

/// Lists the shops, each with the `cipher` that later calls need.
///
/// # Errors
/// [`CallError`].
pub async fn list(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Vec<Shop>, CallError> {
    let call = Call { method: Method::GET, path: PATH, parameters: &[], body: "" };
    read(&open_api::send(http, app, access_token, call, now).await?)
}

#[derive(Deserialize)]
struct Data {
    shops: Option<Vec<Shop>>,
}

/// What the response means. No list is not an empty list.
///
/// # Errors
/// [`CallError`].
pub fn read(answer: &RawAnswer) -> Result<Vec<Shop>, CallError> {
    let Response { data, request_id } = open_api::read::<Data>(answer)?;
    let shops = data.and_then(|data| data.shops).ok_or_else(|| {
        let message = "the response lists no shops".to_owned();
        CallError::Failed(Fault { message, code: Some("0".to_owned()), request_id })
    })?;
    Ok(each_once(shops))
}

fn each_once(mut shops: Vec<Shop>) -> Vec<Shop> {
    let mut seen = HashSet::new();
    shops.retain(|shop| seen.insert(shop.id.clone()));
    shops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> RawAnswer {
        RawAnswer { status, retry_after: None, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn shops_are_read_with_what_later_calls_need() {
        let body = r#"{"code":0,"message":"Success","request_id":"r","data":{"shops":[
            {"id":"7000714532876273420","name":"Maomao beauty shop","region":"GB","seller_type":"CROSS_BORDER",
             "cipher":"GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3","code":"CNGBCBA4LLU8"},{"id":"2"},{"id":"2"}]}}"#;
        let shops = read(&answer(200, body)).unwrap();
        assert_eq!(shops.len(), 2);
        assert_eq!(shops[0].cipher.as_deref(), Some("GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3"));
        assert_eq!((shops[1].id.as_str(), shops[1].cipher.as_deref()), ("2", None));
    }

    #[test]
    fn each_known_code_has_its_words() {
        for (status, code, words) in [
            (200, 105_002, "expired"),
            (200, 105_005, "scope"),
            (200, 101_000, "user type"),
            (401, 106_001, "sign"),
            (200, 106_013, "cipher"),
            (200, 1, "refused"),
        ] {
            let fault =
                read(&answer(status, &format!(r#"{{"code":{code},"message":"secret words","request_id":"r"}}"#)))
                    .unwrap_err()
                    .into_fault();
            assert!(fault.message.contains(words), "{code}: {fault}");
            assert_eq!(fault.request_id.as_deref(), Some("r"));
            assert!(!fault.to_string().contains("secret words"));
        }
        for nothing in [r#"{"code":0}"#, r#"{"code":0,"data":{}}"#, r#"{"code":0,"data":{"shops":null}}"#] {
            assert!(read(&answer(200, nothing)).is_err(), "no list is not an empty list: {nothing}");
        }
        assert_eq!(read(&answer(502, "<html>")).unwrap_err().into_fault().code.as_deref(), Some("http_502"));
    }

    #[test]
    fn trouble_at_the_marketplace_is_held_against_nobody() {
        for body in [r#"{"code":105002}"#, r#"{"code":106001}"#, r#"{"code":0,"data":{"shops":[]}}"#] {
            for status in [429, 500, 503] {
                let is_trouble = match read(&answer(status, body)) {
                    Err(CallError::RateLimited { .. }) => status == 429,
                    Err(CallError::Unreachable(_)) => status >= 500,
                    _ => false,
                };
                assert!(is_trouble, "{status} {body}");
            }
        }
    }

    #[test]
    fn only_what_names_the_token_is_held_against_it() {
        let read = |code: i64, message: &str| {
            read(&answer(401, &format!(r#"{{"code":{code},"message":"{message}","request_id":"r"}}"#))).unwrap_err()
        };
        let header = "Invalid credentials. The `x-tts-access-token` header is invalid.";
        let underscore = "'access_token' header is invalid";
        for (code, message) in [(105_001, ""), (105_002, "expired"), (36_009_004, header), (36_009_004, underscore)] {
            assert!(matches!(read(code, message), CallError::TokenRefused(_)), "{code}");
        }
        let app_key = "Invalid credentials. Invalid `app_key` query parameter.";
        for (code, message) in [(106_001, "sign"), (36_009_004, app_key), (36_009_004, "Invalid timestamp.")] {
            assert!(matches!(read(code, message), CallError::Configuration(_)), "{code}");
        }
        for code in [101_000, 105_005, 106_013, 1] {
            assert!(matches!(read(code, "access token"), CallError::Failed(_)), "{code}");
        }
        for code in [36_009_043, 36_009_044] {
            assert!(matches!(read(code, "access token"), CallError::Inactive(_)), "{code}");
        }
    }

    #[test]
    fn a_refused_address_is_our_configuration_whatever_the_code_and_the_status() {
        let words = "IP 203.0.113.7 is not in the app's allow list";
        for status in [200, 401, 403, 429, 500] {
            let json = format!(r#"{{"code":105002,"message":"{words}"}}"#);
            for body in [json.as_str(), words] {
                let error = read(&answer(status, body)).unwrap_err();
                assert!(matches!(error, CallError::Configuration(_)), "{status} {body}");
            }
        }
        assert!(matches!(read(&answer(200, r#"{"code":36009033}"#)), Err(CallError::Configuration(_))));
    }

    #[test]
    fn a_sandbox_shops_own_limit_is_told_from_the_apps() {
        assert!(matches!(read(&answer(429, r#"{"code":36009037}"#)), Err(CallError::ShopRateLimited(_))));
        assert!(matches!(read(&answer(429, r#"{"code":36009002}"#)), Err(CallError::RateLimited { .. })));
    }
}
