//! Tokens that a Temu seller pasted and that were not accepted, as their session remembers them. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ConnectFailure, ConnectSession, VisitOutcome};
use crate::{connection::Purpose, names::AppKeyPath};

/// A pasted token that was not accepted. Says nothing about its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedToken {
    /// The app whose field it was pasted into.
    pub app: AppKeyPath,
    /// What that field is for.
    pub purpose: Purpose,
    /// Why it was not accepted.
    pub reason: TokenRefusal,
}

/// Why a pasted token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "Why a pasted token was not accepted. `not_a_token`: the text cannot be a token. `unknown`: Temu does \
        not know it. `expired_or_replaced`: it has expired, or a newer token replaced it. `not_authorized`: the seller no \
        longer authorizes the app. `other_app`: it was issued for an app that is not yours. `wrong_field`: it belongs in \
        another field. `other_store`: it is for another store than the other tokens. `local_store`: it is a local store's, \
        in a field for cross-border stores. `permissions_missing`: the seller did not grant all that you need. The others \
        have the meaning that they have as a `failure`."
    )
)]
#[serde(rename_all = "snake_case")]
pub enum TokenRefusal {
    /// The text cannot be a token.
    NotAToken,
    /// Temu does not know it.
    Unknown,
    /// It has expired, or a newer token replaced it.
    ExpiredOrReplaced,
    /// The seller no longer authorizes the app.
    NotAuthorized,
    /// It was issued for an app that is not the vendor's.
    OtherApp,
    /// It works, but belongs in another field.
    WrongField,
    /// It works, but for another store than the seller's other tokens.
    OtherStore,
    /// A local store's token in a field for cross-border stores.
    LocalStore,
    /// The seller did not grant all that the vendor needs.
    PermissionsMissing,
    /// Temu did not respond, or not in time.
    MarketplaceUnavailable,
    /// The vendor's own configuration is wrong.
    Misconfigured,
    /// The vendor's vault or table did not respond.
    StorageUnavailable,
    /// The store is connected under another account.
    AccountConflict,
    /// A later authorization of the same store came first.
    Overtaken,
    /// The session reconnects one connection, and the token is for another store.
    OtherSeller,
    /// The session reconnects one connection, which no longer exists.
    NothingToReconnect,
}

impl TokenRefusal {
    /// As it stands in JSON, logs and the page's markup.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAToken => "not_a_token",
            Self::Unknown => "unknown",
            Self::ExpiredOrReplaced => "expired_or_replaced",
            Self::NotAuthorized => "not_authorized",
            Self::OtherApp => "other_app",
            Self::WrongField => "wrong_field",
            Self::OtherStore => "other_store",
            Self::LocalStore => "local_store",
            Self::PermissionsMissing => "permissions_missing",
            Self::MarketplaceUnavailable => "marketplace_unavailable",
            Self::Misconfigured => "misconfigured",
            Self::StorageUnavailable => "storage_unavailable",
            Self::AccountConflict => "account_conflict",
            Self::Overtaken => "overtaken",
            Self::OtherSeller => "other_seller",
            Self::NothingToReconnect => "nothing_to_reconnect",
        }
    }

    /// Failure of a visit in which only this token was pasted.
    pub const fn failure(self) -> ConnectFailure {
        match self {
            Self::NotAToken
            | Self::Unknown
            | Self::ExpiredOrReplaced
            | Self::NotAuthorized
            | Self::OtherApp
            | Self::WrongField
            | Self::OtherStore
            | Self::LocalStore
            | Self::PermissionsMissing => ConnectFailure::TokenRefused,
            Self::MarketplaceUnavailable => ConnectFailure::MarketplaceUnavailable,
            Self::Misconfigured => ConnectFailure::Misconfigured,
            Self::StorageUnavailable => ConnectFailure::StorageUnavailable,
            Self::AccountConflict => ConnectFailure::AccountConflict,
            Self::Overtaken => ConnectFailure::Overtaken,
            Self::OtherSeller => ConnectFailure::OtherSeller,
            Self::NothingToReconnect => ConnectFailure::NothingToReconnect,
        }
    }
}

impl ConnectSession {
    /// The tokens that were refused and for whose app no later visit of the session brought a connection: the last refusal
    /// per app.
    pub fn refused_tokens(&self) -> Vec<&RefusedToken> {
        let mut refused = BTreeMap::new();
        for visit in &self.visits {
            if let VisitOutcome::Connected { connections, .. } = &visit.outcome {
                for connected in connections {
                    refused.remove(&connected.connection.app);
                }
            }
            refused.extend(visit.refused.iter().map(|token| (&token.app, token)));
        }
        refused.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connect_session::{Connected, VisitRecord},
        time::Timestamp,
    };

    fn refused(app: &str, reason: TokenRefusal) -> RefusedToken {
        RefusedToken { app: app.parse().unwrap(), purpose: Purpose::Order, reason }
    }

    fn visit(connections: &[&str], refused: &[RefusedToken]) -> VisitRecord {
        let connected = |connection: &&str| Connected {
            connection: connection.parse().unwrap(),
            granted_at: Timestamp(0),
            seller_name: None,
            awaits_confirmation: false,
            missing_permissions: Vec::new(),
        };
        let connections = connections.iter().map(connected).collect();
        let outcome = VisitOutcome::Connected { connections, failures: Vec::new() };
        VisitRecord { at: Timestamp(0), outcome, refused: refused.to_vec(), result: String::new() }
    }

    #[test]
    fn a_refusal_stands_until_a_later_visit_connects_its_app() {
        use TokenRefusal::{NotAToken, Unknown, WrongField};
        let session = |visits: Vec<VisitRecord>| ConnectSession {
            id: String::new(),
            account_id: "acme".parse().unwrap(),
            account_label: None,
            return_url: None,
            reference: None,
            apps: None,
            reconnect: None,
            confirm: true,
            created_at: Timestamp(0),
            expires_at: Timestamp(1),
            visits,
            pasted: 0,
        };
        let (us, product) = (refused("temu/us", Unknown), refused("temu/product", WrongField));
        let first = visit(&["temu/eu/7"], &[us.clone(), product.clone()]);
        let again = refused("temu/us", NotAToken);
        for (visits, expected) in [
            (vec![], vec![]),
            (vec![first.clone()], vec![&product, &us]),
            (vec![first.clone(), visit(&["temu/us/7"], &[])], vec![&product]),
            (vec![first.clone(), visit(&["temu/product/7"], std::slice::from_ref(&again))], vec![&again]),
            (vec![visit(&["temu/us/7"], &[]), first], vec![&product, &us]),
        ] {
            assert_eq!(session(visits).refused_tokens(), expected);
        }
    }
}
