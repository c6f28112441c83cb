//! The token set: the secret part of a connection, as it lies in the vault.

use serde::{Deserialize, Serialize};

use crate::{
    names::VersionId,
    secret::{Secret, digest, serialize_exposed, serialize_exposed_option},
    time::Timestamp,
};

/// What recognises a token that is handed in twice: the digest of one that has no refresh token beside it. Others change
/// too often to be handed in at all.
pub fn fingerprint(access_token: &Secret, refresh_token: Option<&Secret>) -> Option<String> {
    refresh_token.is_none().then(|| digest(access_token.expose()))
}

/// What a marketplace gave for one exchange, and where it stands in the line of token sets.
///
/// Its JSON is what is kept: fields are only ever added, and a reader ignores those it does not know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenSet {
    /// The token that calls to the marketplace carry.
    #[serde(serialize_with = "serialize_exposed")]
    pub access_token: Secret,
    /// What the next exchange spends. Absent where a marketplace knows no refresh.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "serialize_exposed_option")]
    pub refresh_token: Option<Secret>,
    /// When the access token ends.
    pub access_expires_at: Timestamp,
    /// When the authorization ends, which only the seller can move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_expires_at: Option<Timestamp>,
    /// Whether that was unclear.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_unclear: bool,
    /// What the seller granted, in the marketplace's words.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The app that it was issued for. A set is never spent with another app's secret.
    pub app_key: String,
    /// The version that was current when this one was obtained; none for the first of a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<VersionId>,
    /// The grant that it stems from; see [`crate::connection::Connection::granted_at`].
    pub granted_at: Timestamp,
}
