//! The table `connections`. Every write names the revision that it was decided on, so it applies to the very item
//! that the decision saw or not at all: `docs/adr/0002-compare-and-swap.md`.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeDeserializationInterceptorContextRef},
    error::{BoxError, ProvideErrorMetadata},
    operation::update_item::UpdateItemError,
    primitives::{DateTime, DateTimeFormat},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use super::{
    StoreError,
    guarded::{Conflict, Guarded},
    item::{KEY, from_item},
};
use crate::{
    audit,
    clock::ServerClock,
    connection::{Connection, Status, change::Change, event},
    names::ConnectionKey,
    time::Timestamp,
};

/// Times that a decision is taken anew because somebody else wrote in between.
pub(super) const TRIES: usize = 10;

/// The table `connections`.
#[derive(Clone)]
pub struct Connections {
    pub(super) client: Client,
    pub(super) table: String,
    clock: Arc<ServerClock>,
    records_events: bool,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("table", &self.table).finish_non_exhaustive()
    }
}

/// Why a decision was not written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError<E> {
    /// The decision itself said no.
    #[error(transparent)]
    Decided(E),
    /// The table failed; whether the write happened is unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Connections {
    /// With a client of its own, which watches the answers' `Date`.
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        let clock = Arc::new(ServerClock::default());
        let watch = DateWatch(Arc::clone(&clock));
        let config = aws_sdk_dynamodb::config::Builder::from(config).interceptor(watch).build();
        Self { client: Client::from_conf(config), table: table.into(), clock, records_events: false }
    }

    /// The same, and what the vendor is to be told of a change is written with it: for the sweep to publish.
    #[must_use]
    pub fn recording_events(self, records_events: bool) -> Self {
        Self { records_events, ..self }
    }

    /// The table's own time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads one connection, strongly consistent: one `GetItem`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, key: &ConnectionKey) -> Result<Option<Connection>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key(KEY, AttributeValue::S(key.to_string()));
        let answer = get.consistent_read(true).send().await;
        let answer = answer.map_err(|error| StoreError::unavailable("get an item", &error))?;
        answer.item.map(from_item).transpose()
    }

    /// Reads the connection, lets `decide` say what it becomes, and writes that, anew if somebody wrote in between.
    /// A write whose answer was lost is recognised. Answers the item as written.
    ///
    /// # Errors
    /// What `decide` said, or [`StoreError`].
    pub async fn apply<E>(
        &self,
        key: &ConnectionKey,
        decide: impl FnMut(Option<&Connection>) -> Result<Connection, E>,
    ) -> Result<Connection, ApplyError<E>> {
        let current = self.get(key).await?;
        self.apply_to(current, decide).await
    }

    /// As [`Self::apply`], beginning with an item just read.
    ///
    /// # Errors
    /// What `decide` said, or [`StoreError`].
    pub async fn apply_to<E>(
        &self,
        mut current: Option<Connection>,
        mut decide: impl FnMut(Option<&Connection>) -> Result<Connection, E>,
    ) -> Result<Connection, ApplyError<E>> {
        for _ in 0..TRIES {
            let decided = decide(current.as_ref()).map_err(ApplyError::Decided)?;
            match self.write(current.as_ref(), decided).await? {
                Ok(written) => return Ok(written),
                Err(Conflict(now)) => current = now.map(|item| *item),
            }
        }
        Err(StoreError::Unavailable { operation: "update an item", code: "contention".into() }.into())
    }

    async fn write(
        &self,
        before: Option<&Connection>,
        mut after: Connection,
    ) -> Result<Result<Connection, Conflict>, StoreError> {
        if before == Some(&after) {
            return Ok(Ok(after));
        }
        after.revision = next_revision(before.map(|before| before.revision));
        let change = Change::between(before, &after);
        if let Some(change) = change.filter(|_| self.records_events) {
            event::record(&mut after, &change);
        }
        let guarded = Guarded::new(before, &after)?;
        // A connection that waits for confirmation must not take a working one's shops over.
        let listed = before.is_none_or(|before| {
            let unchanged = before.token_version == after.token_version && before.status == after.status;
            !unchanged || before.shops != after.shops
        });
        let written = if listed && after.status == Status::Active && !after.shops.is_empty() {
            // On the heap: its state is large, and most writes have no pointers.
            Box::pin(self.write_with_pointers(guarded, &after)).await
        } else {
            self.write_alone(guarded).await
        };
        if let (Err(_), Some(change)) = (&written, &change) {
            audit::changed(before, &after, change, false);
        }
        match written? {
            Some(Conflict(Some(item))) if *item == after => {}
            Some(conflict) => return Ok(Err(conflict)),
            None => {}
        }
        if let Some(before) = before {
            self.drop_pointers(before, &after).await;
        }
        if let Some(change) = change {
            audit::changed(before, &after, &change, true);
        }
        Ok(Ok(after))
    }

    async fn write_alone(&self, guarded: Guarded) -> Result<Option<Conflict>, StoreError> {
        let Guarded { key, change, condition } = guarded;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(KEY, key)
            .update_expression(change.expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for _ in 0..TRIES {
            let Err(error) = update.clone().send().await else { return Ok(None) };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    return Conflict::with(failed.item.clone()).map(Some);
                }
                // A transaction holds the item for a moment; the SDK does not try again by itself.
                Some(UpdateItemError::TransactionConflictException(_)) => pause(1).await,
                _ => return Err(StoreError::unavailable("update an item", &error)),
            }
        }
        Err(StoreError::Unavailable { operation: "update an item", code: "TransactionConflict".into() })
    }

    /// Takes the item away, if it is still the one that was decided on. Shop pointers that it may have had stay behind:
    /// a lookup believes the item, and the seller may be connecting anew at this moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove(&self, item: &Connection) -> Result<bool, StoreError> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(item.connection.to_string()))
            .condition_expression("revision = :revision")
            .expression_attribute_values(":revision", AttributeValue::N(item.revision.to_string()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(StoreError::unavailable("delete an item", &error)),
        }
    }
}

/// The revision of an item that is written now.
pub(super) fn next_revision(before: Option<u64>) -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(since.as_millis()).unwrap_or_default();
    revision_at(milliseconds, rand::random(), before)
}

/// A revision is this machine's time, at random within the millisecond, or one more than the last if that is ahead. An
/// item that was taken away and made anew, or restored from a backup, must not be taken for the earlier one by somebody
/// who was frozen meanwhile, and whoever follows its events must see the later ones as later; in both cases more time
/// passes than machines' clocks differ. Exact in JSON for two centuries.
fn revision_at(milliseconds: u64, random: u32, before: Option<u64>) -> u64 {
    let by_time = (milliseconds << 10) | u64::from(random >> 22);
    before.map_or(by_time, |before| by_time.max(before + 1))
}

/// A short wait, of its own length for everybody who waits.
pub(super) async fn pause(factor: usize) {
    let milliseconds = rand::random_range(10..100) * u64::try_from(factor).unwrap_or(1);
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Takes note of the `Date` of every answer.
#[derive(Debug)]
struct DateWatch(Arc<ServerClock>);

impl Intercept for DateWatch {
    fn name(&self) -> &'static str {
        "DateWatch"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(date) = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok()) {
            self.0.observe(Timestamp(date.secs()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CENTURY: u64 = 100 * 365 * 86_400_000;

    proptest! {
        #[test]
        fn a_revision_is_later_than_the_one_before(now in 0..CENTURY, random: u32, before in 0..CENTURY << 10) {
            let revision = revision_at(now, random, Some(before));
            prop_assert!(revision > before);
            prop_assert!(revision == before + 1 || revision >> 10 == now, "the clock's, unless that is behind");
        }

        #[test]
        fn what_is_made_anew_a_millisecond_later_is_later(now in 0..CENTURY, first: u32, second: u32, restored in 0..1_u64 << 10) {
            let before = revision_at(now, first, None);
            prop_assert!(revision_at(now + 1, second, None) > before);
            prop_assert!(revision_at(now + 1, second, Some(restored)) > before);
        }
    }

    #[test]
    fn revisions_follow_this_machines_clock_and_are_exact_in_json() {
        let milliseconds = || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let before = milliseconds();
        let revision = next_revision(None);
        assert!((before..=milliseconds()).contains(&(revision >> 10)));
        assert!(revision_at(milliseconds() + CENTURY, u32::MAX, None) < 1 << 53);
    }
}
