//! The vendor's event bus at EventBridge.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::{
    Client,
    error::ProvideErrorMetadata,
    primitives::DateTime,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use shop_keyring::connection::{Connection, event::Event};

/// `source` of all our events.
pub(crate) const SOURCE: &str = "shop-keyring";

/// Entries in one call at most: `PutEvents` takes no more.
pub(crate) const MOST_ENTRIES: usize = 10;

/// One bus. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct EventBus {
    client: Client,
    name: String,
}

/// Why the bus did not take an event: the service's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event bus does not take it ({0})")]
pub(crate) struct NotTaken(String);

impl EventBus {
    pub(crate) fn new(config: &SdkConfig, name: &str) -> Self {
        Self { client: Client::new(config), name: name.to_owned() }
    }

    /// Publishes up to [`MOST_ENTRIES`] events; answers for each whether it was taken.
    ///
    /// # Errors
    /// [`NotTaken`] if none was, or nobody knows.
    pub(crate) async fn put(&self, events: &[(&Connection, &Event)]) -> Result<Vec<Result<(), NotTaken>>, NotTaken> {
        let entries = events.iter().map(|(item, event)| self.entry(item, event)).collect::<Result<Vec<_>, _>>()?;
        let answer = self.client.put_events().set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| NotTaken(error.code().unwrap_or("no answer").to_owned()))?;
        let taken = answer.entries.unwrap_or_default();
        if taken.len() != events.len() {
            return Err(NotTaken("an answer of another length".into()));
        }
        Ok(taken.iter().map(was_taken).collect())
    }

    fn entry(&self, item: &Connection, event: &Event) -> Result<PutEventsRequestEntry, NotTaken> {
        let detail = serde_json::to_string(&event.detail(item)).map_err(|error| NotTaken(error.to_string()))?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(event.kind.detail_type())
            .time(DateTime::from_secs(event.at.0))
            .detail(detail)
            .build())
    }
}

fn was_taken(entry: &PutEventsResultEntry) -> Result<(), NotTaken> {
    entry.error_code().map_or(Ok(()), |code| Err(NotTaken(code.to_owned())))
}
