//! A write that applies only to the revision that it was decided on.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};

use super::{
    StoreError,
    item::{Change, DERIVED, Item, KEY, change, from_item, to_item},
};
use crate::connection::Connection;

/// Somebody else wrote first; this is the item now.
pub(super) struct Conflict(pub(super) Option<Box<Connection>>);

impl Conflict {
    pub(super) fn with(item: Option<Item>) -> Result<Self, StoreError> {
        Ok(Self(item.map(from_item).transpose()?.map(Box::new)))
    }
}

/// A change and its condition.
pub(super) struct Guarded {
    pub(super) key: AttributeValue,
    pub(super) change: Change,
    pub(super) condition: &'static str,
}

impl Guarded {
    /// `before` absent: the item must not exist.
    pub(super) fn new(before: Option<&Connection>, after: &Connection) -> Result<Self, StoreError> {
        let mut after_item = to_item(after)?;
        let mut before_item = before.map(to_item).transpose()?.unwrap_or_default();
        before_item.remove(KEY);
        // The key is named by the request itself; an update expression must not touch it.
        let key = after_item.remove(KEY).unwrap_or(AttributeValue::S(after.connection.to_string()));
        // What follows from the item is written whole each time: an earlier release may have written it otherwise, or not.
        for name in DERIVED.iter().filter(|_| before.is_some()) {
            let stale = AttributeValue::Null(true);
            before_item.insert((*name).to_owned(), stale);
        }
        let mut change = change(&before_item, &after_item);
        let condition = if let Some(before) = before {
            change.names.insert("#revision".into(), "revision".into());
            change.values.insert(":seen".into(), AttributeValue::N(before.revision.to_string()));
            "#revision = :seen"
        } else {
            change.names.insert("#key".into(), KEY.into());
            "attribute_not_exists(#key)"
        };
        Ok(Self { key, change, condition })
    }

    pub(super) fn in_transaction(self, table: &str) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(table)
            .key(KEY, self.key)
            .update_expression(self.change.expression)
            .condition_expression(self.condition)
            .set_expression_attribute_names(Some(self.change.names))
            .set_expression_attribute_values(Some(self.change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| StoreError::Unavailable { operation: "build an update", code: error.to_string() })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
