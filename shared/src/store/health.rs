//! The items `health/{breaker}`: the circuit breakers of the whole installation. They lie in the table `connections` and in
//! none of its indexes. A missing item means that all is well, so deleting one resets its breaker.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{
    Connections, StoreError,
    connections::{TRIES, next_revision, pause},
    item::{Item, from_item},
};
use crate::{
    connection::Connection,
    health::{Breaker, State},
    names::ConnectionKey,
};

/// Reads of the same breakers, where the table is throttled.
const READS: usize = 3;

/// A breaker's state as it was last seen in the table; the default without an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredState {
    /// Its value.
    #[serde(default)]
    pub state: State,
    /// Absent: there was no item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
}

/// What the table held when several breakers were read.
pub type Health = HashMap<Breaker, StoredState>;

impl Connections {
    /// Reads these breakers, strongly consistent: one `BatchGetItem` for each hundred.
    ///
    /// # Errors
    /// [`StoreError`]. One that this release cannot read counts as one without an item.
    pub async fn health(&self, breakers: &[Breaker]) -> Result<Health, StoreError> {
        let mut health = Health::new();
        for breakers in breakers.chunks(Self::BATCH) {
            let mut items = self.get_all(breakers.iter().map(key).collect()).await?;
            health.extend(
                breakers.iter().map(|breaker| (breaker.clone(), stored(breaker, items.remove(&name(breaker))))),
            );
        }
        Ok(health)
    }

    /// Reads a connection together with these breakers, strongly consistent: one `BatchGetItem`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_with_health(
        &self,
        connection: &ConnectionKey,
        breakers: &[Breaker],
    ) -> Result<(Option<Connection>, Health), StoreError> {
        let connection = connection.to_string();
        let keys = breakers.iter().map(key).chain([AttributeValue::S(connection.clone())]);
        let mut items = self.get_all(keys.collect()).await?;
        let item = items.remove(&connection).map(from_item).transpose()?;
        let breakers = breakers.iter().map(|breaker| (breaker.clone(), stored(breaker, items.remove(&name(breaker)))));
        Ok((item, breakers.collect()))
    }

    async fn get_all(&self, keys: Vec<AttributeValue>) -> Result<HashMap<String, Item>, StoreError> {
        const OPERATION: &str = "get circuit breakers";
        for tries in 1..=READS {
            match self.get_items(keys.clone(), OPERATION).await? {
                (items, false) => return Ok(items),
                (_, true) => pause(tries).await,
            }
        }
        Err(StoreError::Unavailable { operation: OPERATION, code: "unprocessed keys".into() })
    }

    /// Changes a breaker as `decide` says, which sees what the table holds; `seen` is what it held when it was last read. If
    /// that still holds, this is one `UpdateItem`; where `decide` says `None`, it is none. Returns what the table holds then,
    /// and whether this call has written it.
    ///
    /// # Errors
    /// [`StoreError`]; whether it was written is then unknown.
    pub async fn change_health(
        &self,
        breaker: &Breaker,
        mut seen: StoredState,
        mut decide: impl FnMut(&State) -> Option<State> + Send,
    ) -> Result<(StoredState, bool), StoreError> {
        const OPERATION: &str = "change a circuit breaker";
        let mut written = None;
        for tries in 1..=TRIES {
            // A write whose response was lost.
            if written.as_ref() == Some(&seen) {
                return Ok((seen, true));
            }
            let Some(state) = decide(&seen.state) else { return Ok((seen, false)) };
            let after = StoredState { state, revision: Some(next_revision(seen.revision)) };
            let unreadable =
                |error: serde_dynamo::Error| StoreError::Unreadable { key: name(breaker), why: error.to_string() };
            let attributes: Item = serde_dynamo::to_item(&after).map_err(unreadable)?;
            match self.replace_shared(key(breaker), seen.revision, attributes, OPERATION).await? {
                None => return Ok((after, true)),
                Some(item) => seen = stored(breaker, item),
            }
            written = Some(after);
            pause(tries).await;
        }
        Err(StoreError::Unavailable { operation: OPERATION, code: "contention".into() })
    }
}

fn name(breaker: &Breaker) -> String {
    format!("health/{breaker}")
}

fn key(breaker: &Breaker) -> AttributeValue {
    AttributeValue::S(name(breaker))
}

/// A breaker that cannot be read must not stop an installation; the next write replaces it.
fn stored(breaker: &Breaker, item: Option<Item>) -> StoredState {
    let Some(item) = item else { return StoredState::default() };
    let revision = item.get("revision").and_then(|it| it.as_n().ok()?.parse().ok());
    serde_dynamo::from_item(item).unwrap_or_else(|error: serde_dynamo::Error| {
        tracing::error!(alarm = "unreadable_item", key = name(breaker), %error, "the circuit breaker counts as closed");
        StoredState { state: State::default(), revision }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::fixtures::T0, names::AttemptId, store::item::KEY};

    #[test]
    fn a_breaker_reads_back_as_it_was_written() {
        let breaker = Breaker::Lane("tiktok-shop/us".parse().unwrap());
        let state = State::default().failed_for_all(AttemptId::random(), T0).unwrap();
        let written = StoredState { state, revision: Some(7) };
        let mut item: Item = serde_dynamo::to_item(&written).unwrap();
        item.insert(KEY.into(), key(&breaker));
        assert_eq!(stored(&breaker, Some(item.clone())), written);
        assert_eq!(key(&breaker), AttributeValue::S("health/lane/tiktok-shop/us".into()));

        item.insert("state".into(), AttributeValue::N("1".into()));
        assert_eq!(stored(&breaker, Some(item)), StoredState { state: State::default(), revision: Some(7) });
        assert_eq!(stored(&breaker, None), StoredState::default());
    }
}
