//! A shop's pointer as an item, and which of several connections that list a shop it names: of the active ones the one that was
//! authorized last.
//!
//! The pointer holds its connection's `granted_at`, so a condition alone decides in nearly every case. Only if the condition
//! fails is the pointer's connection read: it may have ended, or no longer have the shop.

use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};

use super::{
    StoreError,
    item::{Item, KEY},
};
use crate::{
    connection::{Connection, Status},
    names::{AppKeyPath, ConnectionKey, ShopId},
    time::Timestamp,
};

pub(super) const TARGET: &str = "points_to";

const GRANTED_AT: &str = "granted_at";

pub(super) fn pointer_key(app: &AppKeyPath, shop: &ShopId) -> AttributeValue {
    AttributeValue::S(format!("shop/{app}/{shop}"))
}

/// A pointer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) target: ConnectionKey,
    granted_at: Option<Timestamp>,
}

impl Pointer {
    /// `None` for an item that is not in a form that this release can read.
    pub(super) fn of(item: &Item) -> Option<Self> {
        let target = item.get(TARGET)?.as_s().ok()?.parse().ok()?;
        let granted_at = item.get(GRANTED_AT).and_then(|at| at.as_n().ok()?.parse().ok()).map(Timestamp);
        Some(Self { target, granted_at })
    }
}

/// What a put may replace, besides no pointer at all and one to the same connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Replaces {
    /// A pointer to a connection that was authorized earlier.
    Earlier,
    /// This pointer, whose connection no longer has a right to the shop.
    This(Pointer),
}

/// A pointer that is to be written for a connection.
#[derive(Debug, Clone)]
pub(super) struct PointerPut {
    pub(super) shop: ShopId,
    replaces: Replaces,
}

impl PointerPut {
    /// The puts for all shops of a connection.
    pub(super) fn for_shops(of: &Connection) -> Vec<Self> {
        of.shops.iter().map(|shop| Self { shop: shop.id.clone(), replaces: Replaces::Earlier }).collect()
    }

    /// Whether the put replaces pointers by their `granted_at` alone.
    pub(super) fn is_by_grant(&self) -> bool {
        self.replaces == Replaces::Earlier
    }

    /// The put to try next, after the condition failed: `found` was there, and `owner` is its connection as it is now.
    /// `None` if the pointer rightly names that connection.
    pub(super) fn after(self, found: Pointer, owner: Option<&Connection>, of: &Connection) -> Option<Self> {
        let keeps = owner.is_some_and(|owner| {
            owner.status == Status::Active
                && owner.granted_at >= of.granted_at
                && owner.shops.iter().any(|shop| shop.id == self.shop)
        });
        (!keeps).then_some(Self { replaces: Replaces::This(found), ..self })
    }

    pub(super) fn in_transaction(&self, table: &str, of: &Connection) -> Result<TransactWriteItem, StoreError> {
        let here = AttributeValue::S(of.connection.to_string());
        let granted_at = AttributeValue::N(of.granted_at.0.to_string());
        let mut put = Put::builder()
            .table_name(table)
            .item(KEY, pointer_key(&of.connection.app, &self.shop))
            .item(TARGET, here.clone())
            .item(GRANTED_AT, granted_at.clone())
            .expression_attribute_values(":here", here)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let other = match &self.replaces {
            Replaces::Earlier => {
                put = put.expression_attribute_values(":granted_at", granted_at);
                "granted_at < :granted_at"
            }
            Replaces::This(Pointer { target, granted_at }) => {
                put = put.expression_attribute_values(":owner", AttributeValue::S(target.to_string()));
                if let Some(seen) = granted_at {
                    put = put.expression_attribute_values(":seen", AttributeValue::N(seen.0.to_string()));
                    "(points_to = :owner AND granted_at = :seen)"
                } else {
                    "(points_to = :owner AND attribute_not_exists(granted_at))"
                }
            }
        };
        let put = put
            .condition_expression(format!("attribute_not_exists(points_to) OR points_to = :here OR {other}"))
            .build()
            .map_err(|error| StoreError::Unavailable { operation: "build a put", code: error.to_string() })?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{
        Reason, Shop,
        fixtures::{T0, active, key},
    };

    #[test]
    fn the_pointer_names_the_active_connection_with_the_latest_grant() {
        let shop = Shop { id: "7001".parse().unwrap(), cipher: None, name: None, region: None };
        let mine = Connection { shops: vec![shop], ..active() };
        let put = || PointerPut::for_shops(&mine).remove(0);
        let owner = Connection { connection: key("owner"), granted_at: mine.granted_at.plus(1), ..mine.clone() };
        let ended = Status::ReauthorizationRequired { reason: Reason::Refused };
        let found = Pointer { target: owner.connection.clone(), granted_at: Some(owner.granted_at) };
        for (keeps, owner) in [
            (true, Some(owner.clone())),
            (true, Some(Connection { granted_at: mine.granted_at, ..owner.clone() })),
            (false, Some(Connection { granted_at: mine.granted_at.plus(-1), ..owner.clone() })),
            (false, Some(Connection { status: ended, ..owner.clone() })),
            (false, Some(Connection { shops: Vec::new(), ..owner })),
            (false, None),
        ] {
            let next = put().after(found.clone(), owner.as_ref(), &mine);
            assert_eq!(next.map(|put| put.replaces), (!keeps).then(|| Replaces::This(found.clone())), "{owner:?}");
        }
    }

    #[test]
    fn a_pointer_of_an_earlier_release_has_no_grant() {
        let target = active().connection;
        let mut item = Item::from([(TARGET.to_owned(), AttributeValue::S(target.to_string()))]);
        assert_eq!(Pointer::of(&item), Some(Pointer { target: target.clone(), granted_at: None }));
        item.insert(GRANTED_AT.to_owned(), AttributeValue::N(T0.0.to_string()));
        assert_eq!(Pointer::of(&item), Some(Pointer { target, granted_at: Some(T0) }));
        assert_eq!(Pointer::of(&Item::new()), None);
    }
}
