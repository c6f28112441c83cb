//! The shops under an authorization: `GET /authorization/202309/shops` at the open API.

use std::collections::HashSet;

use serde::Deserialize;

use super::{
    TOKEN_HEADER,
    answer::IP_NOT_LISTED,
    sign::sign,
    texts::{names_the_access_token, names_the_ip_list},
};
use crate::{
    apps::App,
    connection::{Fault, Shop},
    marketplace::{
        http::{self, NoAnswer, RawAnswer},
        lenient::{lenient, lenient_request_id, object},
    },
    names::MarketplaceName,
    secret::Secret,
    time::Timestamp,
};

const PATH: &str = "/authorization/202309/shops";

/// Why the shops were not listed, named by what it says of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotListed {
    /// Nothing: the marketplace did not answer, or not as it should.
    Failed(Fault),
    /// Nothing: the calls that a sandbox shop has in an hour are used up.
    ShopRateLimited(Fault),
    /// Nothing: the shop or the seller is inactive.
    Inactive(Fault),
    /// The token does not work.
    TokenRefused(Fault),
    /// The vendor's configuration is wrong.
    Configuration(Fault),
}

impl NotListed {
    /// What the marketplace said, for the log.
    pub fn fault(self) -> Fault {
        match self {
            Self::Failed(fault)
            | Self::ShopRateLimited(fault)
            | Self::Inactive(fault)
            | Self::TokenRefused(fault)
            | Self::Configuration(fault) => fault,
        }
    }
}

/// Lists the shops, each with the `cipher` that later calls need.
///
/// # Errors
/// [`NotListed`].
pub async fn list(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Vec<Shop>, NotListed> {
    let timestamp = now.0.to_string();
    let parameters = [("app_key", app.app_key.as_str()), ("timestamp", timestamp.as_str())];
    let sign = sign(&app.app_secret, PATH, &parameters, b"");
    let mut url = app.config.api.base_url.clone();
    url.set_path(PATH);
    let request =
        http.get(url).query(&parameters).query(&[("sign", sign.as_str())]).header(TOKEN_HEADER, access_token.expose());
    match http::send(MarketplaceName::TikTokShop, PATH, request).await {
        Ok(answer) => read(&answer),
        Err(NoAnswer::NotSent(fault) | NoAnswer::MaybeSent(fault)) => Err(NotListed::Failed(fault)),
    }
}

#[derive(Deserialize)]
struct Envelope {
    code: i64,
    #[serde(default, deserialize_with = "lenient")]
    message: Option<String>,
    #[serde(default, deserialize_with = "lenient_request_id")]
    request_id: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    shops: Option<Vec<Shop>>,
}

/// What the answer means.
///
/// # Errors
/// [`NotListed`].
pub fn read(answer: &RawAnswer) -> Result<Vec<Shop>, NotListed> {
    let by_status = |message: &str| {
        let code = Some(format!("http_{}", answer.status));
        Fault { message: message.to_owned(), code, request_id: None }
    };
    let Some(envelope) = object::<Envelope>(&answer.body) else {
        return Err(match str::from_utf8(&answer.body) {
            Ok(text) if names_the_ip_list(text) => NotListed::Configuration(by_status(IP_NOT_LISTED)),
            _ if is_in_trouble(answer.status) => NotListed::Failed(by_status(IN_TROUBLE)),
            _ => NotListed::Failed(by_status("the open API's response is not in a known form")),
        });
    };
    let fault = |message: &str| Fault {
        message: message.to_owned(),
        code: Some(envelope.code.to_string()),
        request_id: envelope.request_id.clone(),
    };
    let message = envelope.message.as_deref().unwrap_or_default();
    match (envelope.code, answer.status) {
        (0, _) => {}
        _ if names_the_ip_list(message) => return Err(NotListed::Configuration(fault(IP_NOT_LISTED))),
        (36_009_037, 429) => {
            return Err(NotListed::ShopRateLimited(fault("the sandbox shop's calls of this hour are used up")));
        }
        _ => {}
    }
    if is_in_trouble(answer.status) {
        // Whatever else its body says: a gateway in trouble is no reason to doubt a token.
        return Err(NotListed::Failed(by_status(IN_TROUBLE)));
    }
    let failed = |message| Err(NotListed::Failed(fault(message)));
    match envelope.code {
        0 => match envelope.data.and_then(|data| data.shops) {
            Some(shops) => Ok(each_once(shops)),
            None => failed("the response lists no shops"),
        },
        105_001 => Err(NotListed::TokenRefused(fault("the access token is invalid"))),
        105_002 => Err(NotListed::TokenRefused(fault("the access token has expired"))),
        105_005 => failed("the scope seller.authorization.info is missing: add it to the app"),
        101_000 => failed("wrong user type, or token and shop do not match"),
        106_001 => Err(NotListed::Configuration(fault("bad sign: check the app secret"))),
        106_013 => failed("the shop's cipher is missing"),
        36_009_033 => Err(NotListed::Configuration(fault(IP_NOT_LISTED))),
        36_009_043 => Err(NotListed::Inactive(fault("the shop is inactive at the marketplace"))),
        36_009_044 => Err(NotListed::Inactive(fault("the seller is inactive at the marketplace"))),
        36_009_004 if names_the_access_token(message) => {
            Err(NotListed::TokenRefused(fault("the marketplace does not know the access token")))
        }
        36_009_004 => Err(NotListed::Configuration(fault("the open API rejects the request's parameters"))),
        _ => failed("the open API refused to list the shops"),
    }
}

const IN_TROUBLE: &str = "the open API cannot answer now";

const fn is_in_trouble(status: u16) -> bool {
    status == 429 || status >= 500
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
                    .fault();
            assert!(fault.message.contains(words), "{code}: {fault}");
            assert_eq!(fault.request_id.as_deref(), Some("r"));
            assert!(!fault.to_string().contains("secret words"));
        }
        for nothing in [r#"{"code":0}"#, r#"{"code":0,"data":{}}"#, r#"{"code":0,"data":{"shops":null}}"#] {
            assert!(read(&answer(200, nothing)).is_err(), "no list is not an empty list: {nothing}");
        }
        assert_eq!(read(&answer(502, "<html>")).unwrap_err().fault().code.as_deref(), Some("http_502"));
    }

    #[test]
    fn trouble_at_the_marketplace_is_held_against_nobody() {
        for body in [r#"{"code":105002}"#, r#"{"code":106001}"#, r#"{"code":0,"data":{"shops":[]}}"#] {
            for status in [429, 500, 503] {
                assert!(matches!(read(&answer(status, body)), Err(NotListed::Failed(_))), "{status} {body}");
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
            assert!(matches!(read(code, message), NotListed::TokenRefused(_)), "{code}");
        }
        let app_key = "Invalid credentials. Invalid `app_key` query parameter.";
        for (code, message) in [(106_001, "sign"), (36_009_004, app_key), (36_009_004, "Invalid timestamp.")] {
            assert!(matches!(read(code, message), NotListed::Configuration(_)), "{code}");
        }
        for code in [101_000, 105_005, 106_013, 1] {
            assert!(matches!(read(code, "access token"), NotListed::Failed(_)), "{code}");
        }
        for code in [36_009_043, 36_009_044] {
            assert!(matches!(read(code, "access token"), NotListed::Inactive(_)), "{code}");
        }
    }

    #[test]
    fn a_refused_address_is_our_configuration_whatever_the_code_and_the_status() {
        let words = "IP 203.0.113.7 is not in the app's allow list";
        for status in [200, 401, 403, 429, 500] {
            let json = format!(r#"{{"code":105002,"message":"{words}"}}"#);
            for body in [json.as_str(), words] {
                let error = read(&answer(status, body)).unwrap_err();
                assert!(matches!(error, NotListed::Configuration(_)), "{status} {body}");
            }
        }
        assert!(matches!(read(&answer(200, r#"{"code":36009033}"#)), Err(NotListed::Configuration(_))));
    }

    #[test]
    fn a_sandbox_shops_own_limit_is_told_from_the_apps() {
        assert!(matches!(read(&answer(429, r#"{"code":36009037}"#)), Err(NotListed::ShopRateLimited(_))));
        assert!(matches!(read(&answer(429, r#"{"code":36009002}"#)), Err(NotListed::Failed(_))));
    }
}
