//! Connections for the unit and property tests of this module.

use proptest::prelude::*;

use super::{
    Claim, Connection, FORMAT, Fault, LastError, Purpose, Reason, Status, UserType,
    change::{Cause, Change},
    claim::{Claimed, NotClaimed, Trigger, claim},
    due::Work,
    event::{self, EventKind},
    next::{Next, next},
    wanted::Wanted,
    watch,
    webhooks::Webhooks,
};
use crate::{
    api::Api,
    names::{AttemptId, ConnectionKey, VersionId},
    secret::Secret,
    time::Timestamp,
    token_set::TokenSet,
};

/// When everything begins.
pub(crate) const T0: Timestamp = Timestamp(1_800_000_000);

pub(crate) fn key(seller: &str) -> ConnectionKey {
    format!("tiktok-shop/us/{seller}").parse().unwrap()
}

/// Where tokens are used.
pub(crate) fn api() -> Api {
    Api::at("https://open-api.tiktokglobalshop.com".parse().unwrap())
}

/// Authorized and committed at [`T0`]: seven days of access, a year of authorization.
pub(crate) fn active() -> Connection {
    Connection {
        connection: key("seller-1"),
        format: FORMAT,
        revision: 3,
        app_key: "app-key".into(),
        seller_name: None,
        label: None,
        seller_base_region: None,
        user_type: UserType::Seller,
        purpose: Purpose::All,
        api: api(),
        account_id: Some("acme".parse().unwrap()),
        shops: Vec::new(),
        inactive_since: None,
        scopes: Vec::new(),
        status: Status::Active,
        token_version: 1,
        secret_version: Some(AttemptId::random().version()),
        access_expires_at: Some(T0.plus(7 * 86_400)),
        authorization_expires_at: Some(T0.plus(365 * 86_400)),
        end_unclear: false,
        announced_end: None,
        granted_at: T0,
        authorized_at: Some(T0),
        refreshed_at: Some(T0),
        verified_at: None,
        fingerprint: None,
        created_at: T0,
        updated_at: T0,
        attempt: None,
        attempts: Vec::new(),
        not_before: None,
        check_at: None,
        deauthorized_at: None,
        no_shops_since: None,
        ended_at: None,
        asked_again: 0,
        reminded: None,
        confirm_by: None,
        confirm_granted_at: None,
        refused_at: None,
        refusals: 0,
        failures: 0,
        last_error: None,
        events: Vec::new(),
        publish_at: None,
        wanted: None,
        webhooks: Webhooks::default(),
    }
}

/// A Temu connection, committed at [`T0`] for ninety days.
pub(crate) fn watched() -> Connection {
    let connection: ConnectionKey = "temu/us/634418211111".parse().unwrap();
    let end = Some(T0.plus(90 * 86_400));
    Connection {
        check_at: Some(watch::first_check(&connection, T0)),
        connection,
        access_expires_at: end,
        authorization_expires_at: end,
        scopes: vec!["bg.order.list.v2.get".into(), "bg.goods.list.get".into()],
        verified_at: Some(T0),
        ..active()
    }
}

pub(crate) fn token_set(parent: Option<VersionId>, granted_at: Timestamp, now: Timestamp) -> TokenSet {
    TokenSet {
        access_token: Secret::new("access"),
        refresh_token: Some(Secret::new("refresh")),
        access_expires_at: now.plus(7 * 86_400),
        authorization_expires_at: Some(now.plus(365 * 86_400)),
        end_unclear: false,
        scopes: Vec::new(),
        app_key: "app-key".into(),
        parent,
        granted_at,
    }
}

pub(crate) fn fault() -> Fault {
    Fault { message: "no such authorization".into(), code: Some("36004005".into()), request_id: None }
}

/// Items in every state, with lives, back-offs and claims of all lengths.
pub(crate) fn arbitrary() -> impl Strategy<Value = Connection> {
    let status = prop_oneof![
        1 => Just(Status::Pending),
        4 => Just(Status::Active),
        1 => Just(Status::ReauthorizationRequired { reason: Reason::Refused }),
        1 => Just(Status::Disconnected),
    ];
    let after = |longest: i64| proptest::option::of((0..longest).prop_map(|after| T0.plus(after)));
    (
        status,
        any::<bool>(),
        1_i64..86_400 * 30,
        after(86_400 * 400),
        after(86_400),
        after(3_600),
        after(120),
        after(86_400 * 400),
        (any::<bool>(), after(86_400), proptest::option::of(proptest::sample::select(&watch::REMINDERS[..])), 0_u32..2),
        (any::<bool>(), after(86_400), after(86_400)),
    )
        .prop_map(
            |(status, committed, life, authorization, not_before, confirm_by, claimed, failed, watched, told)| {
                let mut item = Connection {
                    connection: if watched.0 { self::watched().connection } else { key("seller-1") },
                    check_at: watched.1,
                    reminded: watched.2,
                    refused_at: (watched.3 > 0).then_some(T0),
                    refusals: watched.3,
                    status,
                    secret_version: (committed || status == Status::Active).then(|| AttemptId::random().version()),
                    access_expires_at: Some(T0.plus(life)),
                    authorization_expires_at: authorization,
                    not_before,
                    confirm_by,
                    attempt: claimed.map(|until| Claim { id: AttemptId::random(), until }),
                    last_error: failed.map(|at| LastError { at, fault: fault() }),
                    publish_at: told.1,
                    webhooks: Webhooks { due_at: told.2, ..Webhooks::default() },
                    ended_at: matches!(status, Status::ReauthorizationRequired { .. }).then(|| T0.plus(life % 86_400)),
                    asked_again: u32::try_from(life % 7).unwrap(),
                    announced_end: not_before.map(|at| at.plus(life)),
                    wanted: told.0.then_some(Wanted { version: 1, at: T0 }),
                    ..active()
                };
                if told.0 {
                    let change = Change { cause: Cause::Refresh, attempt: None, event: Some(EventKind::Refreshed) };
                    event::record(&mut item, &change);
                }
                item
            },
        )
}

/// What to do now, of either kind: a marketplace is asked first.
pub(crate) fn next_of_any(item: &Connection, now: Timestamp) -> Next {
    let nexts = Work::ALL.map(|work| next(item, now, work));
    nexts.into_iter().find(|next| *next != Next::Nothing).unwrap_or(Next::Nothing)
}

/// The schedule's claim, for work of either kind: a marketplace is asked first.
pub(crate) fn claim_any(item: &Connection, now: Timestamp, attempt: AttemptId) -> Result<Claimed, NotClaimed> {
    let [asked, done] = Work::ALL.map(|work| claim(item, Trigger::Schedule(work), now, attempt));
    asked.or(done)
}
