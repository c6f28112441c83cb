//! What a token may do, against what the vendor needs: pure.
//!
//! A token's permissions are the names of the calls that it may use (`apiScopeList`). Sellers see labels instead, so the
//! configuration says which label stands for which calls.

use crate::connection::Purpose;

/// A permission as the seller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// As it stands beside the box that the seller ticks.
    pub label: String,
    /// The calls that it stands for.
    pub calls: Vec<String>,
    /// Whether the vendor can do without.
    pub optional: bool,
}

impl Permission {
    fn is_in(&self, scopes: &[String]) -> bool {
        self.calls.iter().all(|call| scopes.contains(call))
    }
}

/// Permissions that a token does not have, by their labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// The vendor needs these.
    pub needed: Vec<String>,
    /// These only add something.
    pub optional: Vec<String>,
}

/// What of the vendor's permissions a token does not have.
pub fn missing(permissions: &[Permission], scopes: &[String]) -> Missing {
    let labels = |optional| {
        let missing = permissions.iter().filter(|it| it.optional == optional && !it.is_in(scopes));
        missing.map(|it| it.label.clone()).collect()
    };
    Missing { needed: labels(false), optional: labels(true) }
}

/// The needed permissions that were there before and are not any more. What was never there is the configuration's
/// affair, not the seller's: a permission that the vendor comes to need ends no connection.
pub fn lost(permissions: &[Permission], before: &[String], now: &[String]) -> Vec<String> {
    let lost = permissions.iter().filter(|it| !it.optional && it.is_in(before) && !it.is_in(now));
    lost.map(|it| it.label.clone()).collect()
}

/// What a cross-border token is for, as the names of its calls say: those of products speak of `goods`, those of orders
/// of `order`. `None` if they name both or neither.
pub fn purpose_of_calls(scopes: &[String]) -> Option<Purpose> {
    let name = |part: &str| scopes.iter().any(|call| call.split('.').any(|word| word == part));
    match (name("goods"), name("order")) {
        (true, false) => Some(Purpose::Product),
        (false, true) => Some(Purpose::Order),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(label: &str, calls: &[&str], optional: bool) -> Permission {
        Permission { label: label.into(), calls: calls.iter().map(|call| (*call).to_owned()).collect(), optional }
    }

    fn scopes(calls: &[&str]) -> Vec<String> {
        calls.iter().map(|call| (*call).to_owned()).collect()
    }

    fn wanted() -> [Permission; 3] {
        [
            permission("Orders", &["bg.order.list.v2.get", "bg.order.detail.v2.get"], false),
            permission("Shipping", &["bg.logistics.shipment.confirm"], false),
            permission("Local Advertising Management", &["bg.ads.list.get"], true),
        ]
    }

    #[test]
    fn a_permission_is_there_when_all_its_calls_are() {
        let half = scopes(&["bg.order.list.v2.get", "bg.logistics.shipment.confirm"]);
        let missing = missing(&wanted(), &half);
        assert_eq!((missing.needed, missing.optional), (vec!["Orders".into()], vec![wanted()[2].label.clone()]));
        assert_eq!(super::missing(&[], &half), Missing::default());
    }

    #[test]
    fn only_what_was_there_and_is_needed_can_be_lost() {
        let all = scopes(&["bg.order.list.v2.get", "bg.order.detail.v2.get", "bg.ads.list.get"]);
        assert_eq!(lost(&wanted(), &all, &scopes(&["bg.order.list.v2.get"])), ["Orders"]);
        assert!(lost(&wanted(), &scopes(&["bg.ads.list.get"]), &[]).is_empty());
        assert!(lost(&wanted(), &all, &all).is_empty());
    }

    #[test]
    fn product_and_order_tokens_are_told_apart_by_their_calls() {
        let purpose = |calls: &[&str]| purpose_of_calls(&scopes(calls));
        assert_eq!(purpose(&["bg.goods.add", "bg.goods.list.get"]), Some(Purpose::Product));
        assert_eq!(purpose(&["bg.order.list.v2.get", "bg.logistics.shipment.confirm"]), Some(Purpose::Order));
        assert_eq!(purpose(&["bg.order.list.v2.get", "bg.goods.add"]), None);
        assert_eq!(purpose(&["bg.open.accesstoken.info.get"]), None);
        assert_eq!(purpose(&["bg.goodsorder.x"]), None, "whole words only");
    }
}
