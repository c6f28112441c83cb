//! Shop pointers: `shop/{marketplace}/{app}/{shop_id}` → connection, in the table of the connections.
//!
//! They are written in one transaction with the commit that listed the shops, or with the confirmation that makes the
//! connection active. A pointer without its shop in the item is possible (a deletion that failed, a connection taken
//! away) and harmless: a lookup believes the item. Several connections of an app may list the same shop; [`super::pointer`]
//! says which of them the pointer names. No commit fails because of a pointer that is another connection's.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, TransactWriteItem},
};

use super::{
    Connections, StoreError,
    cancelled::{Cancelled, cancelled},
    connections::pause,
    guarded::{Conflict, Guarded},
    item::{Item, KEY},
    pointer::{Pointer, PointerPut, TARGET, pointer_key},
};
use crate::{
    connection::Connection,
    names::{AppKeyPath, ConnectionKey, ShopId},
};

/// Items in one transaction at most, less the connection's own.
const POINTERS_IN_TRANSACTION: usize = 99;

const TRANSACTION: &str = "write a transaction";

/// Tries for a transaction that is cancelled for a reason that passes; the SDK repeats none of them.
const TRIES: usize = 5;

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
        let mut pointers = PointerPut::for_shops(after);
        let surplus = pointers.split_off(pointers.len().min(POINTERS_IN_TRANSACTION));
        for chunk in surplus.chunks(POINTERS_IN_TRANSACTION) {
            self.transact(None, chunk.to_vec(), after).await?;
        }
        let guarded = guarded.in_transaction(&self.table)?;
        self.transact(Some(guarded), pointers, after).await
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

    /// Writes the pointers of `of`, and with them its item if it is given. Pointers that are another connection's stay as
    /// they are.
    async fn transact(
        &self,
        item: Option<TransactWriteItem>,
        mut pointers: Vec<PointerPut>,
        of: &Connection,
    ) -> Result<Option<Conflict>, StoreError> {
        let (mut tries, mut code) = (0, String::new());
        while tries < TRIES {
            let puts: Result<Vec<_>, _> = pointers.iter().map(|put| put.in_transaction(&self.table, of)).collect();
            let writes: Vec<_> = item.iter().cloned().chain(puts?).collect();
            if writes.is_empty() {
                return Ok(None);
            }
            let response = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
            let Err(error) = response else { return Ok(None) };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
                return Err(StoreError::unavailable(TRANSACTION, &error));
            };
            match cancelled(canceled.cancellation_reasons(), item.is_some()) {
                Cancelled::Condition(item) => return Conflict::with(item).map(Some),
                // Not one of the tries: a put fails in this way at most twice, then it is given up.
                Cancelled::Pointers(found) => pointers = self.yield_pointers(pointers, found, of).await,
                Cancelled::Passing(why) => {
                    code = why;
                    tries += 1;
                    pause(tries).await;
                }
                Cancelled::Lasting(code) => return Err(StoreError::Unavailable { operation: TRANSACTION, code }),
            }
        }
        Err(StoreError::Unavailable { operation: TRANSACTION, code })
    }

    /// The puts to try next, after the conditions of those at the positions in `found` have failed.
    async fn yield_pointers(
        &self,
        pointers: Vec<PointerPut>,
        mut found: HashMap<usize, Option<Item>>,
        of: &Connection,
    ) -> Vec<PointerPut> {
        let mut owners = HashMap::new();
        let mut next = Vec::with_capacity(pointers.len());
        for (position, put) in pointers.into_iter().enumerate() {
            let Some(found) = found.remove(&position) else {
                next.push(put);
                continue;
            };
            let Some(pointer) = found.as_ref().and_then(Pointer::of).filter(|_| put.is_by_grant()) else {
                tracing::warn!(connection = %of.connection, shop = %put.shop, "a shop pointer is left as it is");
                continue;
            };
            let owner = pointer.target.clone();
            if !owners.contains_key(&owner) {
                owners.insert(owner.clone(), self.get(&owner).await);
            }
            let shop = put.shop.clone();
            match owners.get(&owner) {
                Some(Ok(item)) => match put.after(pointer, item.as_ref(), of) {
                    Some(put) => next.push(put),
                    None => {
                        tracing::info!(connection = %of.connection, %shop, %owner, "the shop is another connection's");
                    }
                },
                Some(Err(error)) => {
                    tracing::warn!(connection = %of.connection, %shop, %owner, %error, "a shop pointer is left as it is");
                }
                None => {}
            }
        }
        next
    }
}
