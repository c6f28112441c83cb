//! A connection as the keyring describes it, and the names of connections in this application's addresses.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::Response,
};
use serde::Deserialize;

use super::{Site, customer::Customer, pages};

/// What the pages need of `GET /v1/connections/…`; the keyring says more.
#[derive(Debug, Deserialize)]
pub(super) struct Connection {
    #[serde(rename = "connection")]
    pub(super) name: String,
    pub(super) marketplace: String,
    pub(super) app: String,
    pub(super) seller_id: String,
    pub(super) seller_name: Option<String>,
    pub(super) account_id: Option<String>,
    pub(super) purpose: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) version: u64,
    pub(super) expires_at: Option<String>,
    pub(super) authorization_expires_at: Option<String>,
    pub(super) refreshed_at: Option<String>,
    pub(super) shops: Vec<Shop>,
    pub(super) needs_attention: Vec<Attention>,
}

/// A shop of a connection.
#[derive(Debug, Deserialize)]
pub(super) struct Shop {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) region: Option<String>,
}

/// Something that a person has to look at.
#[derive(Debug, Deserialize)]
pub(super) struct Attention {
    pub(super) code: String,
    pub(super) detail: String,
}

impl Connection {
    /// What the customer calls it.
    pub(super) fn title(&self) -> &str {
        self.seller_name.as_deref().unwrap_or(&self.seller_id)
    }

    /// The connection with this name, if it is this customer's. Whose it is, the keyring knows; a name in an address
    /// proves nothing.
    pub(super) async fn of(site: &Site, customer: &'static Customer, Name(name): &Name) -> Result<Self, Response> {
        let answer = site.vendor.connection(name).await;
        match (answer.status, serde_json::from_str::<Self>(&answer.body)) {
            (200, Ok(connection)) if connection.account_id.as_deref() == Some(customer.account_id) => Ok(connection),
            (200 | 404, _) => Err(pages::not_found().await),
            _ => Err(pages::refused(customer, &answer)),
        }
    }
}

/// The name of a connection in an address: `{marketplace}/{app}/{seller_id}`.
#[derive(Debug)]
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let path = Path::<(String, String, String)>::from_request_parts(parts, state).await;
        match path {
            Ok(Path((marketplace, app, seller_id)))
                if [&marketplace, &app, &seller_id].into_iter().all(|part| is_segment(part)) =>
            {
                Ok(Self(format!("{marketplace}/{app}/{seller_id}")))
            }
            _ => Err(pages::not_found().await),
        }
    }
}

/// Whether this can be put into a path of the keyring's API without leading to another route.
pub(super) fn is_segment(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !matches!(text, "" | "." | "..") && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_leads_to_no_other_route() {
        assert!(is_segment("7010736057180325637") && is_segment("a.b_c-D"));
        for other in ["", ".", "..", "a/b", "a?b", "a%2Fb", "a b", "é"] {
            assert!(!is_segment(other), "{other}");
        }
    }
}
