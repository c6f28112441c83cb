//! The shops under an authorization: `GET /authorization/202309/shops` at the open API.

use std::collections::HashSet;

use serde::Deserialize;

use super::{TOKEN_HEADER, sign::sign};
use crate::{
    apps::App,
    connection::{Fault, Shop},
    marketplace::http::{self, NoAnswer, RawAnswer},
    secret::Secret,
    time::Timestamp,
};

const PATH: &str = "/authorization/202309/shops";

/// Lists the shops, each with the `cipher` that later calls need.
///
/// # Errors
/// What went wrong, for the log: without an answer the shops known before are kept.
pub async fn list(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Vec<Shop>, Fault> {
    let timestamp = now.0.to_string();
    let parameters = [("app_key", app.app_key.as_str()), ("timestamp", timestamp.as_str())];
    let sign = sign(&app.app_secret, PATH, &parameters, b"");
    let mut url = app.site.api_url.clone();
    url.set_path(PATH);
    let request =
        http.get(url).query(&parameters).query(&[("sign", sign.as_str())]).header(TOKEN_HEADER, access_token.expose());
    match http::send(request).await {
        Ok(answer) => read(&answer),
        Err(NoAnswer::NotSent(fault) | NoAnswer::MaybeSent(fault)) => Err(fault),
    }
}

#[derive(Deserialize)]
struct Envelope {
    code: i64,
    request_id: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    shops: Option<Vec<Shop>>,
}

/// What the answer means.
fn read(answer: &RawAnswer) -> Result<Vec<Shop>, Fault> {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&answer.body) else {
        let code = Some(format!("http_{}", answer.status));
        return Err(Fault { message: "the open API's answer is not in a known form".into(), code, request_id: None });
    };
    let fault = |message: &str| Fault {
        message: message.to_owned(),
        code: Some(envelope.code.to_string()),
        request_id: envelope.request_id.clone(),
    };
    match envelope.code {
        0 => envelope.data.and_then(|data| data.shops).map(each_once).ok_or_else(|| fault("the answer lists no shops")),
        105_002 => Err(fault("the access token has expired")),
        105_005 => Err(fault("the scope seller.authorization.info is missing: add it to the app")),
        101_000 => Err(fault("wrong user type, or token and shop do not match")),
        106_001 => Err(fault("bad sign: check the app secret")),
        106_013 => Err(fault("the shop's cipher is missing")),
        _ => Err(fault("the open API refused to list the shops")),
    }
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
                    .unwrap_err();
            assert!(fault.message.contains(words), "{code}: {fault}");
            assert_eq!(fault.request_id.as_deref(), Some("r"));
            assert!(!fault.to_string().contains("secret words"));
        }
        for nothing in [r#"{"code":0}"#, r#"{"code":0,"data":{}}"#, r#"{"code":0,"data":{"shops":null}}"#] {
            assert!(read(&answer(200, nothing)).is_err(), "no list is not an empty list: {nothing}");
        }
        assert_eq!(read(&answer(502, "<html>")).unwrap_err().code.as_deref(), Some("http_502"));
    }
}
