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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        connection::{
            Claim, LastError, Reason, Status, change,
            disconnect::disconnect,
            edit::{Edit, Expected, Patched, edit},
            event,
            fixtures::{T0, active, arbitrary, fault},
            grant::confirm,
            wanted::{Wanted, want},
        },
        names::{AccountId, AttemptId},
        time::Timestamp,
    };

    const NOW: Timestamp = T0.plus(7);

    /// `dynamodb:Attributes` in the role of token-lookup.
    fn listed() -> BTreeSet<String> {
        let roles = include_str!("../../../tests/end-to-end/roles.json");
        let roles: serde_json::Value = serde_json::from_str(roles).unwrap();
        let mut statements = roles["token-lookup"]["Statement"].as_array().unwrap().iter();
        let update = statements.find(|it| it["Sid"] == "ConfirmAssignAndEnd").unwrap();
        let names = update["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"].as_array().unwrap();
        names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    fn named(before: &Connection, mut after: Connection) -> BTreeSet<String> {
        after.revision += 1;
        if let Some(change) = change::Change::between(Some(before), &after) {
            event::record(&mut after, &change);
        }
        let guarded = Guarded::new(Some(before), &after).unwrap();
        // The key is named by the request beside the expressions.
        guarded.change.names.into_values().chain([KEY.to_owned()]).collect()
    }

    /// All that token-lookup writes to an item.
    fn named_by_token_lookup(item: &Connection) -> BTreeSet<String> {
        let other: AccountId = "other".parse().unwrap();
        let edits = [
            Edit { account_id: Patched::Clear, label: Patched::Clear },
            Edit { account_id: Patched::Set(other.clone()), label: Patched::Set("Other".parse().unwrap()) },
        ];
        let edited = edits.map(|wanted| edit(item, &wanted, &Expected::Any, NOW).ok());
        let waiting = Connection {
            status: Status::Pending,
            attempt: None,
            confirm_by: Some(NOW.plus(9)),
            secret_version: Some(AttemptId::random().version()),
            account_id: Some(other.clone()),
            ..item.clone()
        };
        let confirmed = confirm(&waiting, &other, waiting.granted_at, NOW).unwrap();
        let asked = Connection { attempt: None, not_before: None, refusals: 0, wanted: None, ..item.clone() };
        let asked = want(&asked, item.token_version, NOW).ok().map(|after| named(&asked, after));
        let on_item = edited.into_iter().flatten().chain([disconnect(item, NOW)]);
        on_item
            .flat_map(|after| named(item, after))
            .chain(named(&waiting, confirmed))
            .chain(asked.into_iter().flatten())
            .collect()
    }

    /// With everything that there can be.
    fn full(item: Connection) -> Connection {
        let attempt = AttemptId::random();
        Connection {
            fingerprint: Some("digest".into()),
            verified_at: Some(T0),
            announced_end: Some(T0),
            attempt: Some(Claim { id: attempt, until: T0.plus(60) }),
            attempts: vec![attempt],
            check_at: Some(T0),
            confirm_by: Some(T0),
            confirm_granted_at: Some(T0),
            refused_at: Some(T0),
            refusals: 1,
            failures: 3,
            wanted: Some(Wanted { version: item.token_version, at: T0 }),
            last_error: Some(LastError { at: T0, fault: fault() }),
            ..item
        }
    }

    proptest! {
        #[test]
        fn token_lookup_names_only_what_its_role_lists(item in arbitrary(), filled in any::<bool>()) {
            let item = if filled { full(item) } else { item };
            let unlisted: Vec<_> = named_by_token_lookup(&item).difference(&listed()).cloned().collect();
            prop_assert_eq!(unlisted, [""; 0]);
        }
    }

    #[test]
    fn its_role_lists_nothing_that_it_does_not_name() {
        let ended = Status::ReauthorizationRequired { reason: Reason::Refused };
        assert_eq!(named_by_token_lookup(&full(Connection { status: ended, ..active() })), listed());
    }
}
