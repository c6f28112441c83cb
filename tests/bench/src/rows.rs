//! What is there before a sweep: connections as the product writes them, and the token sets of those that are due.

use std::ops::Range;

use emulators::secrets_manager::SecretsManager;
use end_to_end::stack::{Table, attributes};
use serde_json::Value;
use shop_keyring::{
    api::Api,
    connection::{Connection, FORMAT, Purpose, Shop, Status, UserType, webhooks::Webhooks},
    names::AttemptId,
    secret::Secret,
    store::to_item,
    time::Timestamp,
    token_set::TokenSet,
};

use crate::{args::Scale, bed::Bed, marketplace::tokens};

/// An app as the registry and its secret have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct App {
    pub(crate) path: &'static str,
    pub(crate) key: &'static str,
    pub(crate) secret: &'static str,
}

/// The app that the marketplace knows.
pub(crate) const HEALTHY: App =
    App { path: "tiktok-shop/us", key: "6us7a1k3q9", secret: "us-app-secret-5d41402abc4b2a76" };

/// An app whose secret is wrong, so that its circuit breaker opens.
pub(crate) const STOPPED: App =
    App { path: "tiktok-shop/stopped", key: "6st0pp3dk2", secret: "replaced-app-secret-7d793037a076" };

pub(crate) const SECRET_PREFIX: &str = "shop-keyring";

const DAY: i64 = 86_400;

/// Rows in one import: as JSON they take ten times the room that they take in the table.
const CHUNK: u32 = 5_000;

/// Writes these connections of an app to table and vault; tells how many rows are there.
pub(crate) fn load(
    app: App,
    rows: Range<u32>,
    is_due: impl Fn(u32) -> bool,
    bed: &Bed,
    progress: impl Fn(u32),
) -> Result<(), String> {
    let now = Timestamp::local_now();
    let Range { start: mut from, end } = rows;
    while from < end {
        let to = end.min(from + CHUNK);
        let mut items = Vec::with_capacity(CHUNK as usize);
        for n in from..to {
            let is_due = is_due(n);
            let connection = connection(app, n, is_due, now)?;
            if is_due {
                keep(n, &connection, &bed.vault)?;
            }
            items.push(item(&connection)?);
        }
        bed.dynamodb.import(Table::Connections.name(), items)?;
        if to.is_multiple_of(50_000) || to == end {
            progress(to);
        }
        from = to;
    }
    Ok(())
}

/// Spread evenly over all rows.
pub(crate) fn is_due(n: u32, scale: Scale) -> bool {
    let share = |n: u32| u64::from(n) * u64::from(scale.due) / u64::from(scale.rows);
    share(n + 1) > share(n)
}

/// A seller with one shop, whose token lives seven days: six of them are over, or four at most.
fn connection(app: App, n: u32, is_due: bool, now: Timestamp) -> Result<Connection, String> {
    let refreshed_at = now.plus(if is_due { -6 * DAY } else { -i64::from(n % 4) * DAY });
    let parse = |error: shop_keyring::names::InvalidName| error.to_string();
    Ok(Connection {
        connection: format!("{}/{}", app.path, seller(n)).parse().map_err(parse)?,
        format: FORMAT,
        revision: u64::from(n) + 3,
        app_key: app.key.into(),
        seller_name: Some(format!("Attic {n}")),
        label: None,
        seller_base_region: Some("US".into()),
        user_type: UserType::Seller,
        purpose: Purpose::All,
        api: Api::at("https://open-api.tiktokglobalshop.com".parse().map_err(|_| "no URL")?),
        account_id: Some(format!("customer-{}", n / 3).parse().map_err(parse)?),
        shops: vec![Shop {
            id: shop(n).parse().map_err(parse)?,
            cipher: Some(cipher(n)),
            name: Some(format!("Attic {n}")),
            region: Some("US".into()),
        }],
        inactive_since: None,
        scopes: vec!["seller.authorization.info".into(), "seller.order.info".into()],
        status: Status::Active,
        token_version: 1,
        secret_version: Some(AttemptId::random().version()),
        access_expires_at: Some(refreshed_at.plus(7 * DAY)),
        authorization_expires_at: Some(refreshed_at.plus(365 * DAY)),
        end_unclear: false,
        announced_end: None,
        granted_at: refreshed_at,
        authorized_at: Some(refreshed_at),
        refreshed_at: Some(refreshed_at),
        verified_at: None,
        fingerprint: None,
        created_at: refreshed_at,
        updated_at: refreshed_at,
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
    })
}

/// The seller's id at the marketplace.
pub(crate) fn seller(n: u32) -> String {
    format!("seller-{n:07}")
}

/// Their shop's.
pub(crate) fn shop(n: u32) -> String {
    format!("7001{n:07}")
}

pub(crate) fn cipher(n: u32) -> String {
    format!("GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3{n:07}")
}

/// The item with its place in the indexes, in DynamoDB's JSON.
fn item(connection: &Connection) -> Result<Value, String> {
    let item = to_item(connection).map_err(|error| error.to_string())?;
    let item: Value = serde_dynamo::from_item(item).map_err(|error| error.to_string())?;
    Ok(Value::Object(attributes(&item)))
}

fn keep(n: u32, connection: &Connection, vault: &SecretsManager) -> Result<(), String> {
    let (access_token, refresh_token) = tokens(n, 0);
    let set = TokenSet {
        access_token: Secret::new(access_token),
        refresh_token: Some(Secret::new(refresh_token)),
        access_expires_at: connection.access_expires_at.ok_or("no end")?,
        authorization_expires_at: connection.authorization_expires_at,
        end_unclear: false,
        scopes: connection.scopes.clone(),
        app_key: connection.app_key.clone(),
        parent: None,
        granted_at: connection.granted_at,
    };
    let text = serde_json::to_string(&set).map_err(|error| error.to_string())?;
    let name = format!("{SECRET_PREFIX}/connections/{}/tokens", connection.connection);
    vault.create(&name, connection.secret_version.as_ref().ok_or("no version")?.as_str(), &text)
}

#[cfg(test)]
mod tests {
    use shop_keyring::connection::due::due_at;

    use super::*;

    #[test]
    fn as_many_are_due_as_there_should_be_and_the_others_are_not() {
        for scale in [Scale { rows: 1_000, due: 100 }, Scale { rows: 1_000, due: 333 }, Scale { rows: 10, due: 10 }] {
            assert_eq!((0..scale.rows).filter(|n| is_due(*n, scale)).count(), scale.due as usize);
        }
        let now = Timestamp::local_now();
        for n in 0..1_000 {
            assert!(due_at(&connection(HEALTHY, n, true, now).unwrap()).unwrap() < now);
            assert!(due_at(&connection(HEALTHY, n, false, now).unwrap()).unwrap() > now.plus(3_600), "{n}");
        }
    }

    #[test]
    fn an_item_has_its_place_in_the_index() {
        let item = item(&connection(HEALTHY, 7, true, Timestamp::local_now()).unwrap()).unwrap();
        assert_eq!(item["connection"]["S"], "tiktok-shop/us/seller-0000007");
        assert!(item["due_at"]["N"].is_string() && item["due_lane"]["S"].is_string());
        assert!(item["list_shard"]["N"].is_string() && item.get("attention_shard").is_none());
        assert_eq!(item["status"]["S"], "active");
    }
}
