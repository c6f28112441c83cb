//! What must hold of what is stored, whatever has happened.

use end_to_end::{DueEntry, Stack, Table};
use serde_json::Value;
use shop_keyring::connection::{Connection, due};

use super::Truth;

/// The keys of the indexes `due` and `chores`.
const DUE_KEYS: [(&str, &str); 2] = [("due_lane", "due_at"), ("chores_shard", "chores_at")];

/// At any time: index, item and the decision whether it is due agree; no secret without an item, no active item without its
/// token set.
pub(crate) async fn coherent(stack: &Stack) -> Vec<String> {
    let mut broken = Vec::new();
    let items = stack.items(Table::Connections).await;
    let is_connection =
        |item: &Value| item.get("points_to").is_none() && !item["connection"].as_str().is_some_and(is_shared);
    let items: Vec<Value> = items.into_iter().filter(is_connection).collect();
    let mut expected = Vec::new();
    for item in &items {
        match serde_json::from_value::<Connection>(item.clone()) {
            // Not when: a test that lets time pass moves a refresh, but not the authorization before it, and of both
            // together follows whether it was the first one.
            Ok(connection) => {
                let part = due::part(&connection.connection);
                let lanes = [due::Lane::App(connection.connection.app.clone()), due::Lane::Chores];
                for (lane, (partition, at)) in lanes.iter().zip(DUE_KEYS) {
                    let decided = lane.work().due_at(&connection).map(|_| lane.partition_key(part));
                    let entry = DueEntry::of(item, partition, at);
                    if decided.as_ref() != entry.as_ref().map(|entry| &entry.partition) {
                        broken.push(format!("due otherwise than decided: {item}"));
                    }
                    expected.extend(entry);
                }
            }
            Err(error) => broken.push(format!("an item that cannot be read: {error}: {item}")),
        }
    }
    expected.sort();
    let indexes = stack.due_indexes().await;
    if indexes != expected {
        broken.push(format!("the indexes of what is due are {indexes:?} and should be {expected:?}"));
    }
    let secrets = stack.kept_tokens();
    for secret in secrets.iter().filter(|secret| !secret.deleted) {
        if !items.iter().any(|item| item["connection"] == secret.connection.as_str()) {
            broken.push(format!("{} has a secret and no item", secret.connection));
        }
    }
    for item in items.iter().filter(|item| item["status"] == "active") {
        let secret = secrets.iter().find(|secret| item["connection"] == secret.connection.as_str() && !secret.deleted);
        let has_it = secret.is_some_and(|secret| secret.versions.iter().any(|(id, _)| item["secret_version"] == **id));
        if !has_it {
            broken.push(format!("an active item without its token set: {item}"));
        }
    }
    broken
}

/// When everything has had its time: nothing is held, doubted or half done, and no older token set stands over a newer.
pub(crate) fn settled(truth: &Truth) -> Vec<String> {
    let Some(item) = &truth.item else { return Vec::new() };
    let mut broken = Vec::new();
    let mut note = |what: &str| broken.push(format!("{what}: {item}"));
    if item.get("attempt").is_some() {
        note("a claim is held for ever");
    }
    if item.get("attempts").is_some_and(|attempts| attempts.as_array().is_none_or(|left| !left.is_empty())) {
        note("attempts are never settled");
    }
    match truth.text("status") {
        "active" => {
            if item["refusals"] != 0 {
                note("a doubt stays");
            }
            let (current, newest) = (truth.current(), truth.newest());
            if current.map(|kept| &kept.version) != newest.map(|kept| &kept.version) {
                note(&format!("an older token set over a newer: {:?}", truth.kept));
            }
            if !current.is_some_and(|kept| kept.refreshes && kept.works) {
                note(&format!("active with a token set that the marketplace does not take: {:?}", truth.kept));
            }
        }
        "disconnected" => {
            if truth.has_secret || item.get("not_before").is_some() {
                note("disconnected, and its secret is still there");
            }
        }
        "reauthorization_required" => {}
        _ => note("it never leaves this state"),
    }
    broken
}

/// Whether the key is that of something that all processes share, not of a connection.
fn is_shared(key: &str) -> bool {
    ["evidence/", "health/", "count/"].iter().any(|prefix| key.starts_with(prefix))
}
