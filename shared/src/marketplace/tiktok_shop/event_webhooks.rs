//! The webhooks that are registered per shop: `PUT` and `DELETE /event/202309/webhooks` at the open API. The vendor's own
//! URL in Partner Center, which TikTok Shop has one of per app, stays as it is.

use serde_json::{Value, json};

use super::open_api::{self, Call, CallError};
use crate::{apps::App, marketplace::http::Method, secret::Secret, time::Timestamp};

const PATH: &str = "/event/202309/webhooks";

/// The webhooks that we want: those that [`super::webhook`] reads.
const EVENT_TYPES: [&str; 2] = ["SELLER_DEAUTHORIZATION", "UPCOMING_AUTHORIZATION_EXPIRATION"];

/// Has the marketplace send the webhooks about one shop to `address`. May be repeated.
///
/// # Errors
/// [`CallError`]: some of them may be registered.
pub async fn register(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    shop_cipher: &str,
    address: &str,
) -> Result<(), CallError> {
    for event_type in EVENT_TYPES {
        let body = json!({ "address": address, "event_type": event_type });
        call(http, app, access_token, Method::PUT, shop_cipher, &body).await?;
    }
    Ok(())
}

/// Has the marketplace no longer send the webhooks about one shop.
///
/// # Errors
/// [`CallError`]: some of them may still be registered.
pub async fn remove(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    shop_cipher: &str,
) -> Result<(), CallError> {
    for event_type in EVENT_TYPES {
        call(http, app, access_token, Method::DELETE, shop_cipher, &json!({ "event_type": event_type })).await?;
    }
    Ok(())
}

async fn call(
    http: &reqwest::Client,
    app: &App,
    access_token: &Secret,
    method: Method,
    shop_cipher: &str,
    body: &Value,
) -> Result<(), CallError> {
    let (parameters, body) = ([("shop_cipher", shop_cipher)], body.to_string());
    let call = Call { method, path: PATH, parameters: &parameters, body: &body };
    let response = open_api::send(http, app, access_token, call, Timestamp::local_now()).await?;
    open_api::read::<Value>(&response).map(|_| ())
}
