//! Items of the table `connections` that are no connections, and that all processes change: written whole, each on the
//! condition that it is as it was read. They are in none of the indexes.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use super::{
    Connections, StoreError,
    item::{Item, KEY},
};

impl Connections {
    /// Writes these attributes, the new `revision` among them, if the item still has the revision `seen`, or for `None` no revision,
    /// as where there is no item. Returns what the table holds instead, if that is something else: an item or none.
    pub(super) async fn replace_shared(
        &self,
        key: AttributeValue,
        seen: Option<u64>,
        attributes: Item,
        operation: &'static str,
    ) -> Result<Option<Option<Item>>, StoreError> {
        let mut attributes: Vec<_> = attributes.into_iter().collect();
        attributes.sort_by(|(one, _), (two, _)| one.cmp(two));
        let sets: Vec<_> = attributes.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let mut update = self.client.update_item().table_name(&self.table).key(KEY, key);
        for (name, value) in attributes {
            update = update.expression_attribute_values(format!(":{name}"), value);
            update = update.expression_attribute_names(format!("#{name}"), name);
        }
        update = match seen {
            Some(revision) => update
                .condition_expression("#revision = :seen")
                .expression_attribute_values(":seen", AttributeValue::N(revision.to_string())),
            None => update.condition_expression("attribute_not_exists(#revision)"),
        };
        let update = update
            .update_expression(format!("SET {}", sets.join(", ")))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = update.send().await else { return Ok(None) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(Some(failed.item.clone())),
            _ => Err(StoreError::unavailable(operation, &error)),
        }
    }
}
