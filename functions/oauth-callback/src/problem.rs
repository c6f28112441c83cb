//! What went wrong before a visit could end, as a page: the one place where errors become HTTP.

use std::fmt::Display;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use shop_keyring::{connect_session::ConnectFailure, names::MarketplaceName, store::StoreError};

use crate::{
    pages,
    router::{Keyring, NoApp},
};

/// Named by what the seller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No such page.
    NotFound,
    /// No such connect link.
    UnknownLink,
    /// The connect link's time is over.
    LinkExpired,
    /// No such `state`.
    UnknownState,
    /// The visit's time is over.
    StateExpired,
    /// The page or the form belongs to another browser.
    OtherBrowser,
    /// The seller came back from the marketplace in another browser than the visit was begun in. The `state` is not used
    /// up: the address works in the first browser.
    BackInOtherBrowser,
    /// The seller came back from Temu without a `state` while the form to paste tokens is open in this browser.
    OpenForm,
    /// The answer was meant for another app.
    OtherApp,
    /// The link is for one connection, and this way leads to another app than that one's.
    OtherConnection,
    /// The visit is being worked on, or broke off.
    UnderWay,
    /// Nobody had sent the seller.
    Unsolicited,
    /// The marketplace's answer is not in order.
    BadCallback,
    /// The answer names a host that is not the app's own.
    ForeignHost,
    /// A form that our own page did not send.
    BadForm,
    /// A form that is longer than ours can get.
    FormTooLong,
    /// The visit failed, and there is no visit to remember it by.
    Failed(MarketplaceName, ConnectFailure),
    /// The vendor's configuration is wrong.
    Misconfigured,
    /// Our own storage does not answer.
    StorageUnavailable,
    /// A circuit breaker is open. The `state` is not used up: the address works again in a few minutes.
    NotNow {
        /// Whose app or host is left alone.
        marketplace: MarketplaceName,
        /// Seconds until somebody may try.
        retry_after: i64,
    },
}

impl Problem {
    /// The vendor's configuration is wrong; the operator is told what.
    pub(crate) fn misconfigured(what: impl Display) -> Self {
        tracing::error!(alarm = "configuration_fault", problem = %what, "a seller was turned away");
        Self::Misconfigured
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::NotFound | Self::UnknownLink => StatusCode::NOT_FOUND,
            Self::LinkExpired | Self::StateExpired => StatusCode::GONE,
            Self::OtherBrowser | Self::BackInOtherBrowser | Self::Unsolicited | Self::OtherConnection => {
                StatusCode::FORBIDDEN
            }
            Self::UnknownState
            | Self::OtherApp
            | Self::BadCallback
            | Self::ForeignHost
            | Self::BadForm
            | Self::Failed(..) => StatusCode::BAD_REQUEST,
            Self::FormTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnderWay | Self::OpenForm => StatusCode::CONFLICT,
            Self::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
            Self::StorageUnavailable | Self::NotNow { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The page.
    pub(crate) fn page(self, keyring: &Keyring) -> Response {
        let mut response = (self.status(), pages::problem(&keyring.config, self)).into_response();
        if let Self::NotNow { retry_after, .. } = self {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after.into());
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the table failed");
        Self::StorageUnavailable
    }
}

impl From<NoApp> for Problem {
    fn from(why: NoApp) -> Self {
        match why {
            NoApp::NotNow => Self::StorageUnavailable,
            NoApp::Misconfigured => Self::Misconfigured,
        }
    }
}
