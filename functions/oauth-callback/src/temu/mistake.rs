//! What can be wrong with a pasted token, told apart so that the seller knows what to do.

use shop_keyring::{connect_session::TokenRefusal, connection::Purpose};

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
    /// Temu did not respond, or not in time.
    TemuUnavailable,
    /// The vendor's own configuration is wrong.
    Misconfigured,
    /// The vendor's vault or table did not respond.
    StorageUnavailable,
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
    /// The connection that the link is for no longer exists.
    NothingToReconnect,
}

impl Mistake {
    /// What the session, the log and the page's markup call it.
    pub(super) const fn reason(&self) -> TokenRefusal {
        match self {
            Self::NotAToken => TokenRefusal::NotAToken,
            Self::Unknown => TokenRefusal::Unknown,
            Self::ExpiredOrReplaced => TokenRefusal::ExpiredOrReplaced,
            Self::NotAuthorized => TokenRefusal::NotAuthorized,
            Self::OtherApp => TokenRefusal::OtherApp,
            Self::WrongField { .. } | Self::WrongPurpose(_) => TokenRefusal::WrongField,
            Self::OtherStore { .. } => TokenRefusal::OtherStore,
            Self::LocalStore => TokenRefusal::LocalStore,
            Self::PermissionsMissing(_) => TokenRefusal::PermissionsMissing,
            Self::TemuUnavailable => TokenRefusal::MarketplaceUnavailable,
            Self::Misconfigured => TokenRefusal::Misconfigured,
            Self::StorageUnavailable => TokenRefusal::StorageUnavailable,
            Self::AccountConflict => TokenRefusal::AccountConflict,
            Self::Overtaken => TokenRefusal::Overtaken,
            Self::OtherSeller { .. } => TokenRefusal::OtherSeller,
            Self::NothingToReconnect => TokenRefusal::NothingToReconnect,
        }
    }
}
