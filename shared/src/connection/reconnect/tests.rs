//! What a session for one connection can do to this one and to every other, over all states and accounts.

use proptest::prelude::*;

use super::*;
use crate::{
    connection::{
        Purpose, Reason,
        fixtures::{T0, active, api, arbitrary, key, token_set},
        grant::{Origin, claim_for_grant},
        settle::{Kept, Right, commit},
    },
    names::AccountId,
};

/// What the seller gave by a session of the account `acme` that is for `wanted` alone.
fn grant(seller: &ConnectionKey, wanted: &ConnectionKey, confirm: bool) -> Grant {
    Grant {
        connection: seller.clone(),
        app_key: "app-key".into(),
        seller_name: Some("Seller".into()),
        seller_base_region: None,
        purpose: Purpose::All,
        api: api(),
        shops: None,
        fingerprint: None,
        origin: Origin::Session { account_id: acme(), confirm, reconnect: Some(wanted.clone()) },
    }
}

fn claim_at(
    existing: Option<&Connection>,
    grant: &Grant,
    now: Timestamp,
) -> Result<(GrantClaimed, AttemptId), GrantRefused> {
    let attempt = AttemptId::random();
    claim_for_grant(existing, grant, attempt, now).map(|claimed| (claimed, attempt))
}

fn acme() -> AccountId {
    "acme".parse().unwrap()
}

/// Items of every state, of this account, of another and of none, some with a token that is pasted once more.
fn of_any_account() -> impl Strategy<Value = Connection> {
    let account = prop_oneof![Just(Some("acme")), Just(Some("other")), Just(None)];
    (arbitrary(), account, any::<bool>()).prop_map(|(item, account, fingerprint)| Connection {
        account_id: account.map(|account| account.parse().unwrap()),
        fingerprint: fingerprint.then(|| "digest".into()),
        ..item
    })
}

proptest! {
    #[test]
    fn another_seller_is_always_refused(
        item in of_any_account(), confirm: bool, same_token: bool, after in -10_i64..86_400 * 60,
    ) {
        let mut grant = grant(&item.connection, &key("wanted"), confirm);
        grant.fingerprint = same_token.then(|| "digest".into());
        let Ok((GrantClaimed { item: held, refused, secret_may_go }, attempt)) = claim_at(Some(&item), &grant, T0.plus(after))
        else { return Ok(()) };
        prop_assert_eq!(refused, Some(GrantRefused::OtherSeller));
        prop_assert!(!secret_may_go);
        // Stored where it belongs: as it stood, for its own account, on top of the token set that it had.
        prop_assert!(item.status != Status::Pending && item.status != Status::Disconnected);
        let ended = item.status != Status::Active;
        prop_assert!(!ended || item.account_id == Some(acme()), "another account's seller is not revived");
        prop_assert_eq!(
            (held.status, &held.account_id, &held.secret_version, held.confirm_by),
            (item.status, &item.account_id, &item.secret_version, item.confirm_by)
        );
        let right = Right::Grant { granted_at: held.granted_at, token_version: held.token_version };
        let kept = Kept::new(&token_set(held.secret_version.clone(), held.granted_at, T0), attempt.version());
        let stored = commit(&held, right, kept, None, T0.plus(after)).unwrap();
        prop_assert_eq!((&stored.account_id, stored.secret_version), (&item.account_id, Some(attempt.version())));
    }

    #[test]
    fn no_account_is_ever_changed(
        item in of_any_account(), own: bool, confirm: bool, same_token: bool, after in -10_i64..86_400 * 60,
    ) {
        let wanted = if own { item.connection.clone() } else { key("wanted") };
        let mut grant = grant(&item.connection, &wanted, confirm);
        grant.fingerprint = same_token.then(|| "digest".into());
        if let Ok((claimed, _)) = claim_at(Some(&item), &grant, T0.plus(after)) {
            prop_assert_eq!(&claimed.item.account_id, &item.account_id);
            if claimed.refused.is_none() {
                prop_assert!(own && item.account_id == Some(acme()));
            }
        }
    }

    #[test]
    fn the_seller_that_is_waited_for_comes_back_as_by_any_session(
        item in of_any_account(), confirm: bool, after in -10_i64..86_400 * 60,
    ) {
        prop_assume!(item.account_id == Some(acme()));
        let reconnecting = grant(&item.connection, &item.connection, confirm);
        let Origin::Session { account_id, confirm, .. } = reconnecting.origin.clone() else { unreachable!() };
        let plain = Grant { origin: Origin::Session { account_id, confirm, reconnect: None }, ..reconnecting.clone() };
        let attempt = AttemptId::random();
        let now = T0.plus(after);
        prop_assert_eq!(
            claim_for_grant(Some(&item), &reconnecting, attempt, now),
            claim_for_grant(Some(&item), &plain, attempt, now)
        );
    }
}

#[test]
fn nothing_new_comes_of_it() {
    let (wanted, other) = (key("wanted"), key("other"));
    let unknown = claim_at(None, &grant(&other, &wanted, true), T0.plus(9));
    assert_eq!(unknown.unwrap_err(), GrantRefused::OtherSeller);
    let gone = claim_at(None, &grant(&wanted, &wanted, true), T0.plus(9));
    assert_eq!(gone.unwrap_err(), GrantRefused::NothingToReconnect);
}

#[test]
fn another_seller_is_refused_in_every_state() {
    let reason = Reason::Refused;
    let ended = Status::ReauthorizationRequired { reason };
    for (status, account, stored) in [
        (Status::Active, "acme", true),
        (ended, "acme", true),
        (Status::Pending, "acme", false),
        (Status::Disconnected, "acme", false),
        (Status::Active, "other", true),
        (ended, "other", false),
        (Status::Pending, "other", false),
        (Status::Disconnected, "other", false),
    ] {
        let item = Connection { status, account_id: Some(account.parse().unwrap()), ..active() };
        let said = claim_at(Some(&item), &grant(&item.connection, &key("wanted"), true), T0.plus(9));
        let refused = said.as_ref().map_or_else(|why| Some(*why), |(claimed, _)| claimed.refused);
        assert_eq!((refused, said.is_ok()), (Some(GrantRefused::OtherSeller), stored), "{status:?} {account}");
    }
}

#[test]
fn a_connection_that_went_to_another_account_meanwhile_stays_there() {
    let reason = Reason::Refused;
    for (status, renewed) in [
        (Status::Active, true),
        (Status::ReauthorizationRequired { reason }, false),
        (Status::Pending, false),
        (Status::Disconnected, false),
    ] {
        for account in [Some("other"), None] {
            let account_id = account.map(|account| account.parse().unwrap());
            let item = Connection { account_id, status, ..active() };
            let said = claim_at(Some(&item), &grant(&item.connection, &item.connection, true), T0.plus(9));
            let refused = said.as_ref().map_or_else(|why| Some(*why), |(claimed, _)| claimed.refused);
            assert_eq!(
                (refused, said.is_ok()),
                (Some(GrantRefused::AccountConflict), renewed),
                "{status:?} {account:?}"
            );
        }
    }
}
