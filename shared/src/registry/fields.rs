//! How values are read that entries of both marketplaces have.

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{
    config::{parse_host, parse_url},
    connection::UserType,
};

/// An entry in its marketplace's form.
pub(super) fn entry<T: DeserializeOwned>(entry: Value) -> Result<T, String> {
    // serde would take a list of values, too.
    if !entry.is_object() {
        return Err("expected an object with the app's settings".into());
    }
    serde_json::from_value(entry).map_err(|error| error.to_string())
}

/// Apps are listed unless their entry says otherwise.
pub(super) const fn listed() -> bool {
    true
}

/// Sellers authorize an app unless its entry says otherwise.
pub(super) fn users() -> Vec<UserType> {
    vec![UserType::Seller]
}

/// A host, at its real address unless another one is given.
pub(super) fn host(field: &str, given: Option<&str>, real: &str) -> Result<Url, String> {
    parse_host(given.unwrap_or(real)).map_err(|what| format!("`{field}` {what}"))
}

/// An authorization link.
pub(super) fn link(address: &str) -> Result<Url, String> {
    parse_url(address).map_err(|what| format!("`link_url` {what}"))
}
