//! A marketplace's notice about a shop or a seller, written to the connection that it concerns. Nothing is asked and nothing
//! decided here about the authorization itself: the notice makes a check due, or records an end.

use super::Protocol;
use crate::{
    connection::{
        Connection,
        notice::{NothingNew, Notice, Subject, take_note},
    },
    marketplace::Marketplace,
    names::{AppKeyPath, ConnectionKey},
    store::{ApplyError, StoreError},
    time::Timestamp,
    vault::Vault,
};

/// What came of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It was written.
    Written,
    /// It changes nothing.
    NothingNew(NothingNew),
    /// The shop or seller belongs to no connection.
    UnknownShop,
}

impl Noted {
    /// As it stands in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::NothingNew(NothingNew::NotActive) => "not_active",
            Self::NothingNew(NothingNew::Late) => "late",
            Self::NothingNew(NothingNew::Known) => "known",
            Self::UnknownShop => "unknown_shop",
        }
    }
}

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// Takes note of what the marketplace said of a shop or a seller at `sent_at`. May be repeated.
    ///
    /// # Errors
    /// [`StoreError`]: the marketplace should send it again.
    pub async fn note(
        &self,
        app: &AppKeyPath,
        subject: &Subject,
        notice: Notice,
        sent_at: Timestamp,
    ) -> Result<Noted, StoreError> {
        let connection = match subject {
            Subject::Shop(shop) => self.connections.connection_of_shop(app, shop).await?,
            Subject::Seller(seller_id) => Some(ConnectionKey { app: app.clone(), seller_id: seller_id.clone() }),
        };
        let Some(connection) = connection else { return Ok(Noted::UnknownShop) };
        let concerns = |item: &Connection| match subject {
            Subject::Shop(shop) => item.shops.iter().any(|known| known.id == *shop),
            Subject::Seller(_) => true,
        };
        let written = self.connections.apply(&connection, |item| match item {
            Some(item) if concerns(item) => {
                take_note(item, notice, sent_at, self.connections.now()).map_err(Noted::NothingNew)
            }
            _ => Err(Noted::UnknownShop),
        });
        let noted = match written.await {
            Ok(_) => Noted::Written,
            Err(ApplyError::Decided(why)) => why,
            Err(ApplyError::Store(error)) => return Err(error),
        };
        tracing::info!(%connection, ?subject, ?notice, sent_at = sent_at.0, noted = noted.as_str(), "notice");
        Ok(noted)
    }
}
