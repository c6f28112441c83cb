//! The webhooks that a marketplace sends per shop: which of them are registered, and when to register them. Pure.
//!
//! Registering changes no token and may be repeated, so it needs no claim: it never keeps a refresh waiting, and a second
//! registration changes nothing.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Connection, Status};
use crate::{names::ShopId, time::Timestamp};

/// First wait after a failure, in seconds; it doubles with each further one.
const FIRST_WAIT: i64 = 15 * 60;

/// Longest wait after a failure, in seconds, without its random addition of up to a half.
const LONGEST_WAIT: i64 = 86_400;

/// Shortest and longest wait, in seconds, of a connection for which a run has had no room or time.
const DEFERRED: std::ops::RangeInclusive<i64> = 15 * 60..=60 * 60;

/// Where the webhooks about an app's shops are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing is registered per shop: the vendor has entered our address for the whole app, or the marketplace sends no
    /// webhooks.
    ByApp,
    /// To this address, registered for each shop.
    PerShop(String),
}

/// What is registered for the shops of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Webhooks {
    /// The address that the webhooks are sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The shops that they are registered for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shops: Vec<ShopId>,
    /// When to register them; absent when nothing is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Failures since the last success.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub failures: u32,
}

impl Webhooks {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// When the webhooks are to be registered: for active connections only, because a connection that nobody has confirmed may
/// not be the vendor's.
pub(super) fn register_at(item: &Connection) -> Option<Timestamp> {
    item.webhooks.due_at.filter(|_| item.status == Status::Active)
}

/// The shops for which webhooks can be registered and are not, each with its `cipher`.
pub fn missing<'a>(item: &'a Connection, address: &str) -> Vec<(&'a ShopId, &'a str)> {
    let is_registered =
        |shop: &ShopId| item.webhooks.address.as_deref() == Some(address) && item.webhooks.shops.contains(shop);
    let shops = item.shops.iter().filter_map(|shop| Some((&shop.id, shop.cipher.as_deref()?)));
    shops.filter(|(shop, _)| !is_registered(shop)).collect()
}

/// The item with its registration due if something is missing. A wait after a failure goes on.
#[must_use]
pub fn plan(mut item: Connection, delivery: &Delivery, now: Timestamp) -> Connection {
    // A shop that leaves may lose its webhooks; when it comes back, they are registered again.
    let listed: HashSet<_> = item.shops.iter().map(|shop| &shop.id).collect();
    item.webhooks.shops.retain(|shop| listed.contains(shop));
    if item.webhooks.shops.is_empty() {
        item.webhooks.address = None;
    }
    let is_missing = match delivery {
        Delivery::ByApp => false,
        Delivery::PerShop(address) => !missing(&item, address).is_empty(),
    };
    if is_missing {
        item.webhooks.due_at.get_or_insert(now);
    } else {
        (item.webhooks.due_at, item.webhooks.failures) = (None, 0);
    }
    item
}

/// The item after an attempt that has registered these shops at `address`. What is missing all the same has failed, and is
/// due again after a wait that grows; `random` is in `0.0..1.0`.
#[must_use]
pub fn record(item: &Connection, address: &str, done: &[ShopId], random: f64, now: Timestamp) -> Connection {
    let mut item = item.clone();
    let webhooks = &mut item.webhooks;
    if webhooks.address.as_deref() != Some(address) {
        (webhooks.address, webhooks.shops) = (Some(address.to_owned()), Vec::new());
    }
    webhooks.shops.extend_from_slice(done);
    webhooks.shops.sort_unstable();
    webhooks.shops.dedup();
    let mut item = plan(item, &Delivery::PerShop(address.to_owned()), now);
    if item.webhooks.due_at.is_some() {
        let wait = wait(item.webhooks.failures);
        item.webhooks.due_at = Some(now.plus(wait + share(wait / 2, random)));
        item.webhooks.failures = item.webhooks.failures.saturating_add(1);
    }
    item.updated_at = now;
    item
}

/// The item after a run that had no room or time for it, or could not use its token: due again within the hour, without a
/// failure. It must not stay at the head of what is due.
#[must_use]
pub fn defer(item: &Connection, random: f64, now: Timestamp) -> Connection {
    let mut item = item.clone();
    let (shortest, longest) = DEFERRED.into_inner();
    item.webhooks.due_at = item.webhooks.due_at.map(|_| now.plus(shortest + share(longest - shortest, random)));
    item.updated_at = now;
    item
}

/// Seconds to wait after so many failures before.
fn wait(failures: u32) -> i64 {
    (FIRST_WAIT << failures.min(10)).min(LONGEST_WAIT)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a day is far below 2^52 s")]
fn share(seconds: i64, random: f64) -> i64 {
    (seconds as f64 * random) as i64
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::connection::{
        Shop,
        due::due_at,
        fixtures::{T0, active, next_of_any as next},
        next::Next,
    };

    const ADDRESS: &str = "https://connect.example/webhooks/tiktok-shop/us";

    fn shop(id: &str, cipher: Option<&str>) -> Shop {
        Shop { id: id.parse().unwrap(), cipher: cipher.map(str::to_owned), name: None, region: None }
    }

    fn here() -> Delivery {
        Delivery::PerShop(ADDRESS.into())
    }

    fn ids(ids: &[&str]) -> Vec<ShopId> {
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    fn with_shops() -> Connection {
        Connection { shops: vec![shop("1", Some("c1")), shop("2", Some("c2")), shop("3", None)], ..active() }
    }

    #[test]
    fn what_is_missing_is_due_once_and_at_once() {
        let planned = plan(with_shops(), &here(), T0);
        assert_eq!((due_at(&planned), next(&planned, T0)), (Some(T0), Next::RegisterWebhooks));
        assert_eq!(plan(planned.clone(), &here(), T0.plus(9)), planned, "it has been due since then");
        let registered = record(&planned, ADDRESS, &ids(&["1", "2"]), 0.0, T0.plus(1));
        assert_eq!(registered.webhooks.shops, ids(&["1", "2"]), "a shop without cipher cannot be registered");
        assert_eq!(next(&registered, T0.plus(1)), Next::Nothing);
        assert_eq!(plan(registered.clone(), &here(), T0.plus(9)), registered);
        for delivery in [Delivery::ByApp, here()] {
            let nothing = plan(active(), &delivery, T0);
            assert!(nothing.webhooks.is_empty(), "{delivery:?}");
        }
        assert_eq!(plan(planned, &Delivery::ByApp, T0).webhooks.due_at, None);
    }

    #[test]
    fn other_shops_and_another_address_are_registered_again() {
        let registered = record(&with_shops(), ADDRESS, &ids(&["1", "2"]), 0.0, T0);
        let more = Connection { shops: vec![shop("2", Some("c2")), shop("4", Some("c4"))], ..registered.clone() };
        let planned = plan(more, &here(), T0.plus(5));
        assert_eq!(planned.webhooks.due_at, Some(T0.plus(5)));
        assert_eq!(missing(&planned, ADDRESS), [(&"4".parse().unwrap(), "c4")], "only the new one");
        let both = record(&planned, ADDRESS, &ids(&["4"]), 0.0, T0.plus(6));
        assert_eq!(both.webhooks.shops, ids(&["2", "4"]), "a shop that has left is forgotten");

        let alone = plan(Connection { shops: vec![shop("1", Some("c1"))], ..registered.clone() }, &here(), T0.plus(7));
        assert_eq!((&alone.webhooks.shops, alone.webhooks.due_at), (&ids(&["1"]), None));
        let back = plan(Connection { shops: registered.shops.clone(), ..alone }, &here(), T0.plus(8));
        assert_eq!(missing(&back, ADDRESS), [(&"2".parse().unwrap(), "c2")], "it may have lost its webhooks");

        let elsewhere = Delivery::PerShop("https://other.example/".into());
        let moved = plan(registered, &elsewhere, T0.plus(5));
        assert_eq!(missing(&moved, "https://other.example/").len(), 2);
        let moved = record(&moved, "https://other.example/", &ids(&["1"]), 0.0, T0.plus(6));
        assert_eq!(moved.webhooks.shops, ids(&["1"]), "what was registered elsewhere does not count");
    }

    #[test]
    fn a_failure_keeps_what_was_done_and_waits_longer_each_time() {
        let mut item = plan(with_shops(), &here(), T0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            item = record(&item, ADDRESS, &ids(&["1"]), 0.0, T0);
            waits.push(item.webhooks.due_at.unwrap().since(T0));
        }
        assert_eq!(waits, [900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 86_400]);
        assert_eq!((item.webhooks.failures, &item.webhooks.shops), (9, &ids(&["1"])));
        assert_eq!(plan(item.clone(), &here(), T0.plus(1)), item, "a refresh does not shorten the wait");
        assert_eq!((item.failures, &item.last_error), (0, &None), "no refresh is delayed by it");
        let spread = record(&with_shops(), ADDRESS, &[], 0.5, T0);
        assert_eq!(spread.webhooks.due_at, Some(T0.plus(900 + 225)), "a fleet that fails together comes apart");
    }

    #[test]
    fn a_late_failure_does_not_undo_the_success_of_another_run() {
        let registered = record(&with_shops(), ADDRESS, &ids(&["1", "2"]), 0.0, T0);
        let late = record(&registered, ADDRESS, &[], 0.0, T0.plus(20));
        assert_eq!(late.webhooks, registered.webhooks);
    }

    #[test]
    fn a_deferred_one_is_not_the_oldest_of_the_next_run() {
        let planned = plan(with_shops(), &here(), T0);
        let deferred = defer(&planned, 0.5, T0.plus(60));
        assert_eq!(deferred.webhooks.due_at, Some(T0.plus(60 + 900 + 1_350)));
        assert_eq!(deferred.webhooks.failures, 0);
        assert_eq!(defer(&active(), 0.5, T0).webhooks.due_at, None);
    }

    proptest! {
        #[test]
        fn what_is_registered_is_listed_and_what_is_missing_is_due(
            shops in vec((0_u8..6, any::<bool>()), 0..6), done in vec(0_u8..6, 0..6), random in 0.0_f64..1.0,
            elsewhere in any::<bool>(),
        ) {
            let shops = shops.into_iter().map(|(id, cipher)| shop(&id.to_string(), cipher.then_some("c"))).collect();
            let before = record(&with_shops(), if elsewhere { "https://other.example/" } else { ADDRESS }, &ids(&["1"]), random, T0);
            let item = plan(Connection { shops, ..before }, &here(), T0.plus(1));
            prop_assert_eq!(&plan(item.clone(), &here(), T0.plus(2)), &item);
            let done: Vec<ShopId> = done.into_iter().map(|id| id.to_string().parse().unwrap()).collect();
            let after = record(&item, ADDRESS, &done, random, T0.plus(3));
            prop_assert_eq!(after.webhooks.due_at.is_some(), !missing(&after, ADDRESS).is_empty());
            prop_assert!(after.webhooks.due_at.is_none_or(|due_at| due_at > T0.plus(3)), "never due again at once");
            let listed = |id: &ShopId| after.shops.iter().any(|shop| shop.id == *id);
            prop_assert!(after.webhooks.shops.iter().all(listed));
            prop_assert_eq!(Connection { webhooks: item.webhooks.clone(), updated_at: item.updated_at, ..after }, item);
        }
    }

    #[test]
    fn only_an_active_connection_is_registered() {
        let planned = plan(with_shops(), &here(), T0);
        for status in [Status::Pending, Status::Disconnected] {
            let item = Connection { status, confirm_by: Some(T0.plus(3_600)), ..planned.clone() };
            assert_eq!(next(&item, T0), Next::Nothing, "{status:?}");
        }
    }
}
