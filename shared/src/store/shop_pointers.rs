//! Shop pointers: `shop/{marketplace}/{app}/{shop_id}` → connection, in the table of the connections.
//!
//! They are written in one transaction with the commit that listed the shops, or with the confirmation that makes the
//! connection active. A pointer without its shop in the item is possible (a deletion that failed, a connection taken
//! away) and harmless: a lookup believes the item.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem},
};

use super::{
    Connections, StoreError,
    cancelled::{Cancelled, cancelled},
    connections::pause,
    guarded::{Conflict, Guarded},
    item::KEY,
};
use crate::{
    connection::{Connection, Shop},
    names::{AppKeyPath, ConnectionKey, ShopId},
};

/// Items in one transaction at most, less the connection's own.
const POINTERS_IN_TRANSACTION: usize = 99;

const TRANSACTION: &str = "write a transaction";

/// Tries for a transaction that is cancelled for a reason that passes; the SDK repeats none of them.
const TRIES: usize = 5;

const TARGET: &str = "points_to";

fn pointer_key(app: &AppKeyPath, shop: &ShopId) -> AttributeValue {
    AttributeValue::S(format!("shop/{app}/{shop}"))
}

impl Connections {
    /// The connection that a shop belongs to, as its pointer says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn connection_of_shop(
        &self,
        app: &AppKeyPath,
        shop: &ShopId,
    ) -> Result<Option<ConnectionKey>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key(KEY, pointer_key(app, shop));
        let answer = get.consistent_read(true).send().await;
        let item = answer.map_err(|error| StoreError::unavailable("get a shop pointer", &error))?.item;
        let Some(AttributeValue::S(target)) = item.and_then(|mut item| item.remove(TARGET)) else { return Ok(None) };
        let unreadable = || StoreError::Unreadable { key: format!("shop/{app}/{shop}"), why: "its target".into() };
        target.parse().map(Some).map_err(|_| unreadable())
    }

    /// Writes the connection and its shops' pointers together. More shops than one transaction takes: the surplus is
    /// written before, so that a commit never lacks a pointer.
    pub(super) async fn write_with_pointers(
        &self,
        guarded: Guarded,
        after: &Connection,
    ) -> Result<Option<Conflict>, StoreError> {
        let app = &after.connection.app;
        let pointers: Result<Vec<_>, _> =
            after.shops.iter().map(|shop| self.put_pointer(app, shop, &after.connection)).collect();
        let mut pointers = pointers?;
        let surplus = pointers.split_off(pointers.len().min(POINTERS_IN_TRANSACTION));
        for chunk in surplus.chunks(POINTERS_IN_TRANSACTION) {
            self.transact(chunk.to_vec()).await?;
        }
        pointers.insert(0, guarded.in_transaction(&self.table)?);
        self.transact(pointers).await
    }

    /// Takes away the pointers of shops that are gone, if they still point here. What fails stays behind, harmless.
    pub(super) async fn drop_pointers(&self, before: &Connection, after: &Connection) {
        let gone = before.shops.iter().filter(|shop| after.shops.iter().all(|left| left.id != shop.id));
        for shop in gone {
            let answer = self
                .client
                .delete_item()
                .table_name(&self.table)
                .key(KEY, pointer_key(&before.connection.app, &shop.id))
                .condition_expression("points_to = :here")
                .expression_attribute_values(":here", AttributeValue::S(before.connection.to_string()))
                .send()
                .await;
            if let Err(error) = answer
                && error.code() != Some("ConditionalCheckFailedException")
            {
                tracing::warn!(connection = %before.connection, code = error.code(), "a shop pointer stays behind");
            }
        }
    }

    fn put_pointer(
        &self,
        app: &AppKeyPath,
        shop: &Shop,
        target: &ConnectionKey,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .item(KEY, pointer_key(app, &shop.id))
            .item(TARGET, AttributeValue::S(target.to_string()))
            .build()
            .map_err(|error| StoreError::Unavailable { operation: "build a put", code: error.to_string() })?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Option<Conflict>, StoreError> {
        let mut code = String::new();
        for tried in 0..TRIES {
            if tried > 0 {
                pause(tried).await;
            }
            let answer = self.client.transact_write_items().set_transact_items(Some(items.clone())).send().await;
            let Err(error) = answer else { return Ok(None) };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
                return Err(StoreError::unavailable(TRANSACTION, &error));
            };
            match cancelled(canceled.cancellation_reasons()) {
                Cancelled::Condition(item) => return Conflict::with(item).map(Some),
                Cancelled::Passing(why) => code = why,
                Cancelled::Lasting(code) => return Err(StoreError::Unavailable { operation: TRANSACTION, code }),
            }
        }
        Err(StoreError::Unavailable { operation: TRANSACTION, code })
    }
}
