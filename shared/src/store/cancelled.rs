//! Why DynamoDB cancelled a transaction: one reason for each of its items, in their order.

use aws_sdk_dynamodb::types::CancellationReason;

use super::Item;

/// What follows from the reasons.
#[derive(Debug, PartialEq)]
pub(super) enum Cancelled {
    /// The first item's condition did not hold; this is the item as it is.
    Condition(Option<Item>),
    /// Another write was going on, or the table is throttled: the same transaction may succeed in a moment.
    Passing(String),
    /// It will not succeed as it is.
    Lasting(String),
}

/// Codes that a repetition can help against.
const PASSING: [&str; 5] = [
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "InternalServerError",
];

/// Reads the reasons. Only the first item of our transactions has a condition.
pub(super) fn cancelled(reasons: &[CancellationReason]) -> Cancelled {
    let condition = reasons.first().filter(|reason| reason.code() == Some("ConditionalCheckFailed"));
    if let Some(reason) = condition {
        return Cancelled::Condition(reason.item.clone());
    }
    let codes: Vec<_> = reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None").collect();
    match codes.iter().find(|code| !PASSING.contains(code)) {
        Some(code) => Cancelled::Lasting((*code).to_owned()),
        None => Cancelled::Passing(codes.first().copied().unwrap_or("no reason").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    #[test]
    fn each_reason_has_its_consequence() {
        let passing = |code: &str| Cancelled::Passing(code.to_owned());
        let lasting = |code: &str| Cancelled::Lasting(code.to_owned());
        for (codes, expected) in [
            (&["None", "TransactionConflict"][..], passing("TransactionConflict")),
            (&["ThrottlingError", "None"], passing("ThrottlingError")),
            (&["None", "ProvisionedThroughputExceeded"], passing("ProvisionedThroughputExceeded")),
            (&["ValidationError", "None"], lasting("ValidationError")),
            (&["TransactionConflict", "ValidationError"], lasting("ValidationError")),
            (&["None", "ItemCollectionSizeLimitExceeded"], lasting("ItemCollectionSizeLimitExceeded")),
            (&["None", "ConditionalCheckFailed"], lasting("ConditionalCheckFailed")),
            (&[], passing("no reason")),
        ] {
            assert_eq!(cancelled(&reasons(codes)), expected, "{codes:?}");
        }
    }

    #[test]
    fn a_condition_that_failed_tells_the_item() {
        let item = Item::from([("revision".to_owned(), AttributeValue::N("7".into()))]);
        let mut failed = reasons(&["ConditionalCheckFailed", "ThrottlingError"]);
        assert_eq!(cancelled(&failed), Cancelled::Condition(None));
        failed[0].item = Some(item.clone());
        assert_eq!(cancelled(&failed), Cancelled::Condition(Some(item)));
    }
}
