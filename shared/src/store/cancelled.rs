//! Why DynamoDB cancelled a transaction: one reason for each of its items, in their order.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::CancellationReason;

use super::Item;

/// What follows from the reasons.
#[derive(Debug, PartialEq)]
pub(super) enum Cancelled {
    /// The condition of the connection's item did not hold; this is the item as it is.
    Condition(Option<Item>),
    /// The conditions of these pointers did not hold, by position among the pointers, with the items as they are.
    Pointers(HashMap<usize, Option<Item>>),
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

/// Reads the reasons. `has_item`: the transaction's first item is the connection's own; all others are pointers.
pub(super) fn cancelled(reasons: &[CancellationReason], has_item: bool) -> Cancelled {
    let failed = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let (item, pointers) = reasons.split_at(reasons.len().min(usize::from(has_item)));
    // Before all else: what is to be written was decided on another item.
    if let Some(reason) = item.iter().find(|reason| failed(reason)) {
        return Cancelled::Condition(reason.item.clone());
    }
    let codes: Vec<_> = reasons
        .iter()
        .filter(|reason| !failed(reason))
        .filter_map(CancellationReason::code)
        .filter(|code| *code != "None")
        .collect();
    if let Some(code) = codes.iter().find(|code| !PASSING.contains(code)) {
        return Cancelled::Lasting((*code).to_owned());
    }
    let failed: HashMap<_, _> = pointers
        .iter()
        .enumerate()
        .filter(|(_, reason)| failed(reason))
        .map(|(position, reason)| (position, reason.item.clone()))
        .collect();
    if failed.is_empty() {
        Cancelled::Passing(codes.first().copied().unwrap_or("no reason").to_owned())
    } else {
        Cancelled::Pointers(failed)
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
            (&["ValidationError", "ConditionalCheckFailed"], lasting("ValidationError")),
            (&[], passing("no reason")),
        ] {
            assert_eq!(cancelled(&reasons(codes), true), expected, "{codes:?}");
        }
    }

    #[test]
    fn a_condition_that_failed_tells_the_item() {
        let item = Item::from([("revision".to_owned(), AttributeValue::N("7".into()))]);
        let mut failed = reasons(&["ConditionalCheckFailed", "ThrottlingError"]);
        assert_eq!(cancelled(&failed, true), Cancelled::Condition(None));
        failed[0].item = Some(item.clone());
        assert_eq!(cancelled(&failed, true), Cancelled::Condition(Some(item)));
    }

    #[test]
    fn a_condition_of_a_pointer_is_told_by_its_position() {
        let failed = |codes: &[&str], has_item| match cancelled(&reasons(codes), has_item) {
            Cancelled::Pointers(failed) => {
                let mut positions: Vec<_> = failed.into_keys().collect();
                positions.sort_unstable();
                positions
            }
            other => panic!("{other:?}"),
        };
        let one = ["None", "ConditionalCheckFailed"];
        assert_eq!(failed(&one, true), [0]);
        assert_eq!(failed(&one, false), [1]);
        assert_eq!(
            failed(&["TransactionConflict", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"], true),
            [0, 2]
        );
        assert_eq!(cancelled(&reasons(&["ConditionalCheckFailed"; 2]), true), Cancelled::Condition(None));
    }
}
