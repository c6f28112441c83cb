//! Many connections in one read.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::{
    Connections, StoreError,
    item::{Item, KEY, from_item},
};
use crate::{connection::Connection, names::ConnectionKey};

impl Connections {
    /// Keys in one [`Self::get_batch`] at most.
    pub const BATCH: usize = 100;

    /// Reads up to [`Self::BATCH`] connections, each strongly consistent: one `BatchGetItem`. One that is missing in the
    /// answer is not there, cannot be read by this release, or was too much for one call: [`Self::get`] tells.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_batch(&self, keys: &[ConnectionKey]) -> Result<HashMap<ConnectionKey, Connection>, StoreError> {
        const OPERATION: &str = "get a batch of items";
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let keys = keys.iter().map(|key| AttributeValue::S(key.to_string()));
        let (items, _) = self.get_items(keys.collect(), OPERATION).await?;
        Ok(readable(items.into_values()))
    }

    /// Reads up to [`Self::BATCH`] items, by key, strongly consistent, and says whether that was too much for one call: then
    /// some that are there are missing.
    pub(super) async fn get_items(
        &self,
        keys: Vec<AttributeValue>,
        operation: &'static str,
    ) -> Result<(HashMap<String, Item>, bool), StoreError> {
        let keys = keys.into_iter().map(|key| Item::from([(KEY.to_owned(), key)]));
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true).build();
        let wanted = wanted.map_err(|error| StoreError::Unavailable { operation, code: error.to_string() })?;
        let response = self.client.batch_get_item().request_items(&self.table, wanted).send().await;
        let response = response.map_err(|error| StoreError::unavailable(operation, &error))?;
        let was_too_much = response.unprocessed_keys.is_some_and(|keys| !keys.is_empty());
        let items = response.responses.unwrap_or_default().into_values().flatten();
        let named = items.filter_map(|item| Some((item.get(KEY)?.as_s().ok()?.clone(), item)));
        Ok((named.collect(), was_too_much))
    }
}

/// One that cannot be read must not keep the others from being worked on.
fn readable(items: impl Iterator<Item = Item>) -> HashMap<ConnectionKey, Connection> {
    items.filter_map(|item| from_item(item).ok()).map(|item| (item.connection.clone(), item)).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::item::to_item, *};
    use crate::connection::fixtures::{active, key};

    #[test]
    fn an_item_of_a_later_release_keeps_no_other_from_being_read() {
        let items = ["a", "b", "c"].map(|seller| Connection { connection: key(seller), ..active() });
        let mut written = items.each_ref().map(|item| to_item(item).unwrap());
        written[1].insert("format".into(), AttributeValue::N("99".into()));
        let read = readable(written.into_iter());
        assert_eq!(read.len(), 2);
        assert_eq!(read.get(&key("c")), Some(&items[2]));
        assert_eq!(read.get(&key("b")), None);
    }
}
