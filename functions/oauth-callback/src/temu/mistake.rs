//! What can be wrong with a pasted token, told apart so that the seller knows what to do.

use shop_keyring::{connect_session::ConnectFailure, connection::Purpose};

/// Why a token was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// What was pasted cannot be a token at all.
    NotAToken,
    /// Temu does not know it.
    Unknown,
    /// It has ended, or a newer one took its place.
    ExpiredOrReplaced,
    /// The seller does not authorize the app any more.
    NotAuthorized,
    /// It was issued for an app that is not the vendor's.
    OtherApp,
    /// It works, for another of the vendor's apps: it belongs into that app's field.
    WrongField {
        /// What the field is called, for this kind of seller.
        label: String,
        /// What its token is for.
        purpose: Purpose,
    },
    /// It works, but only for this, which is not what the field is for.
    WrongPurpose(Purpose),
    /// It belongs to a store that none of those before belongs to.
    OtherStore {
        /// The store's `mallId`.
        mall: String,
        /// Its name, where Temu tells it.
        name: Option<String>,
    },
    /// A local seller's, where a cross-border seller's product token should be.
    LocalStore,
    /// The seller has not granted all that the vendor needs.
    PermissionsMissing(Vec<String>),
    /// Temu does not answer.
    TemuUnavailable,
    /// The vendor's own configuration is wrong.
    Misconfigured,
    /// The vendor's vault or table did not answer.
    Storage,
    /// The store is connected under another account.
    AccountConflict,
    /// A later authorization of the same store came first.
    Overtaken,
    /// It works, but for another store than the one that the link is for.
    OtherSeller {
        /// The store's `mallId`.
        mall: String,
        /// Its name, where Temu tells it.
        name: Option<String>,
    },
    /// The connection that the link is for is not there any more.
    NothingToReconnect,
}

impl Mistake {
    /// As it stands in logs and in the page's markup.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::NotAToken => "not_a_token",
            Self::Unknown => "unknown",
            Self::ExpiredOrReplaced => "expired_or_replaced",
            Self::NotAuthorized => "not_authorized",
            Self::OtherApp => "other_app",
            Self::WrongField { .. } | Self::WrongPurpose(_) => "wrong_field",
            Self::OtherStore { .. } => "other_store",
            Self::LocalStore => "local_store",
            Self::PermissionsMissing(_) => "permissions_missing",
            Self::TemuUnavailable => "temu_unavailable",
            Self::Misconfigured => "misconfigured",
            Self::Storage => "storage",
            Self::AccountConflict => "account_conflict",
            Self::Overtaken => "overtaken",
            Self::OtherSeller { .. } => "other_seller",
            Self::NothingToReconnect => "nothing_to_reconnect",
        }
    }

    /// What the vendor is told of it by the session: what the seller cannot mend alone by pasting once more.
    pub(super) const fn failure(&self) -> Option<ConnectFailure> {
        match self {
            Self::AccountConflict => Some(ConnectFailure::AccountConflict),
            Self::OtherSeller { .. } => Some(ConnectFailure::OtherSeller),
            Self::NothingToReconnect => Some(ConnectFailure::NothingToReconnect),
            Self::Misconfigured => Some(ConnectFailure::Misconfigured),
            _ => None,
        }
    }
}
