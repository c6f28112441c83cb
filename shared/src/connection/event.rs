//! Events: what the vendor's own systems are told of a connection. They lie in the item, written with the change that
//! they tell of, until the sweep has published them: so none is lost, and a bus that fails stops nothing.
//!
//! Metadata only. [`Event::detail`] is the published form; its schemas are in `docs/events/`.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Connection, Purpose, Reason, Status,
    change::{Cause, Change},
};
use crate::{
    names::{AccountId, ConnectionKey, MarketplaceName},
    time::{Moment, Timestamp},
};

/// The version of the published form.
pub const SCHEMA_VERSION: u32 = 1;

/// Events that an item holds at most. There are two refreshes a week: only a bus that fails for weeks loses any, and the
/// refreshes first.
const MOST: usize = 20;

/// What is told. A new kind needs a new [`super::FORMAT`]: a release that does not know it cannot read the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A connection works: new, confirmed, or back after a disconnect.
    Created,
    /// The seller has authorized anew.
    Reauthorized,
    /// The token was renewed.
    Refreshed,
    /// The authorization ends soon.
    Expiring,
    /// Only the seller can help.
    ReauthorizationRequired,
    /// The vendor has ended it.
    Disconnected,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Reauthorized,
        Self::Refreshed,
        Self::Expiring,
        Self::ReauthorizationRequired,
        Self::Disconnected,
    ];

    /// EventBridge's `detail-type`.
    pub const fn detail_type(self) -> &'static str {
        match self {
            Self::Created => "Connection Created",
            Self::Reauthorized => "Connection Reauthorized",
            Self::Refreshed => "Connection Refreshed",
            Self::Expiring => "Connection Expiring",
            Self::ReauthorizationRequired => "Reauthorization Required",
            Self::Disconnected => "Connection Disconnected",
        }
    }
}

/// One event, as it lies in the item: what was so when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// Follows from the connection and the write, so that it is the same however often the event is published.
    pub id: Uuid,
    /// What is told.
    pub kind: EventKind,
    /// The item's revision: of two events of one connection the later has the higher.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Where the connection stood.
    #[serde(flatten)]
    pub status: Status,
    /// The `version` of the token.
    pub version: u64,
    /// Whose it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// When the access token ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When the authorization ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_expires_at: Option<Timestamp>,
    /// Of an end that is near: days left at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_left: Option<u32>,
    /// Of an end that is near: the one announced, where it comes before the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_end: Option<Timestamp>,
    /// Whether the seller did not authorize again, but the marketplace accepted an authorization that had ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted_again: bool,
}

/// An event as it is published: EventBridge's `detail`.
#[derive(Debug, Serialize)]
pub struct Detail<'a> {
    schema_version: u32,
    id: Uuid,
    sequence: u64,
    at: Moment,
    connection: &'a ConnectionKey,
    marketplace: MarketplaceName,
    app: &'a str,
    seller_id: &'a str,
    account_id: Option<&'a str>,
    purpose: Purpose,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    version: u64,
    expires_at: Option<Moment>,
    authorization_expires_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_left: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    announced_end: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
}

impl Event {
    fn new(kind: EventKind, cause: Cause, item: &Connection) -> Self {
        Self {
            id: id(&item.connection, item.revision, kind),
            kind,
            sequence: item.revision,
            at: item.updated_at,
            status: item.status,
            version: item.token_version,
            account_id: item.account_id.clone(),
            expires_at: item.access_expires_at,
            authorization_expires_at: item.authorization_expires_at,
            days_left: item.reminded.filter(|_| kind == EventKind::Expiring),
            announced_end: item.announced_end.filter(|_| kind == EventKind::Expiring),
            accepted_again: cause == Cause::AcceptedAgain,
        }
    }

    /// The published form. `item` is the connection whose event it is.
    pub fn detail<'a>(&'a self, item: &'a Connection) -> Detail<'a> {
        let key = &item.connection;
        Detail {
            schema_version: SCHEMA_VERSION,
            id: self.id,
            sequence: self.sequence,
            at: Moment(self.at),
            connection: key,
            marketplace: key.app.marketplace,
            app: key.app.app.as_str(),
            seller_id: key.seller_id.as_str(),
            account_id: self.account_id.as_ref().map(AccountId::as_str),
            purpose: item.purpose,
            status: self.status.as_str(),
            reason: match self.status {
                Status::ReauthorizationRequired { reason } => Some(reason),
                _ => None,
            },
            version: self.version,
            expires_at: self.expires_at.map(Moment),
            authorization_expires_at: self.authorization_expires_at.map(Moment),
            days_left: self.days_left,
            announced_end: self.announced_end.map(Moment),
            cause: (self.kind == EventKind::Reauthorized).then_some(if self.accepted_again {
                "accepted_again"
            } else {
                "authorization"
            }),
        }
    }
}

/// A UUID of the form for one's own making (RFC 9562, version 8).
fn id(connection: &ConnectionKey, revision: u64, kind: EventKind) -> Uuid {
    let digest = Sha256::digest(format!("{connection}\n{revision}\n{}", kind.detail_type()));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Puts into the item, which is about to be written with its revision, what the vendor is to be told of the change.
pub fn record(item: &mut Connection, change: &Change) {
    let Some(kind) = change.event else { return };
    item.events.push(Event::new(kind, change.cause, item));
    if item.events.len() > MOST {
        let refresh = item.events.iter().position(|event| event.kind == EventKind::Refreshed);
        let dropped = item.events.remove(refresh.unwrap_or(0));
        tracing::error!(
            alarm = "events_dropped",
            connection = %item.connection,
            kind = dropped.kind.detail_type(),
            version = dropped.version,
            "too many events wait for the bus; one is dropped"
        );
    }
}

/// The item without the events that are published; `None` if there is nothing to take away.
pub fn published(item: &Connection, ids: &[Uuid], now: Timestamp) -> Option<Connection> {
    let mut after = item.clone();
    after.events.retain(|event| !ids.contains(&event.id));
    if after.events.len() == item.events.len() {
        return None;
    }
    after.publish_at = None;
    after.updated_at = now;
    Some(after)
}

/// The bus did not take them: the item gives way to others and is due again after `wait` seconds. `None` if there is
/// nothing to publish any more.
pub fn publish_later(item: &Connection, wait: i64, now: Timestamp) -> Option<Connection> {
    let publish_at = Some(now.plus(wait));
    (!item.events.is_empty()).then(|| Connection { publish_at, updated_at: now, ..item.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{
        due::due_at,
        fixtures::{T0, active, next_of_any as next},
        next::Next,
    };

    fn with(mut item: Connection, kinds: &[EventKind]) -> Connection {
        for kind in kinds {
            item.revision += 1;
            record(&mut item, &Change { cause: Cause::Refresh, attempt: None, event: Some(*kind) });
        }
        item
    }

    #[test]
    fn an_item_is_due_until_its_events_are_published() {
        let item = with(active(), &[EventKind::Refreshed, EventKind::Expiring]);
        assert_eq!(due_at(&item), Some(T0));
        assert_eq!(next(&item, T0), Next::Publish);
        let ids: Vec<_> = item.events.iter().map(|event| event.id).collect();
        let one = published(&item, &ids[..1], T0.plus(5)).unwrap();
        assert_eq!(one.events, item.events[1..]);
        assert_eq!(published(&one, &ids[..1], T0.plus(6)), None);
        let none = published(&one, &ids, T0.plus(6)).unwrap();
        assert_eq!(due_at(&none), due_at(&active()));
        assert_eq!(publish_later(&none, 60, T0), None);
    }

    #[test]
    fn a_bus_that_fails_puts_the_item_off_but_not_its_work() {
        let item = publish_later(&with(active(), &[EventKind::Refreshed]), 600, T0.plus(10)).unwrap();
        assert_eq!(due_at(&item), Some(T0.plus(610)));
        assert_eq!(next(&item, T0.plus(609)), Next::Nothing);
        assert_eq!(next(&item, item.access_expires_at.unwrap()), Next::Refresh, "work comes first");
    }

    #[test]
    fn an_id_is_the_events_own() {
        let first = with(active(), &[EventKind::Refreshed]).events.remove(0);
        assert_eq!(first, with(active(), &[EventKind::Refreshed]).events[0]);
        assert_eq!(first.id.get_version_num(), 8);
        let second = with(active(), &[EventKind::Refreshed, EventKind::Refreshed]).events.remove(1);
        assert_ne!(first.id, second.id);
        assert!(first.sequence < second.sequence);
    }

    #[test]
    fn refreshes_make_room_for_what_matters_more() {
        let mut kinds = vec![EventKind::ReauthorizationRequired];
        kinds.extend([EventKind::Refreshed; 30]);
        let item = with(active(), &kinds);
        assert_eq!(item.events.len(), MOST);
        assert_eq!(item.events[0].kind, EventKind::ReauthorizationRequired);
        assert_eq!(item.events[MOST - 1].sequence, item.revision);
    }
}
