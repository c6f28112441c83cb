//! The store's rules that need a clock, or that the contract suite cannot see.

use std::time::{Duration, SystemTime};

use super::{
    refusal::{Kind, Refusal},
    secret::SecretValue,
    store::{NewSecret, Store, name_of},
    versions::MOST_VERSIONS,
};

const DAY: Duration = Duration::from_hours(24);

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

fn token(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn text(value: &str) -> SecretValue {
    SecretValue::String(value.to_owned())
}

fn new_secret(name: &str) -> NewSecret {
    NewSecret {
        name: name.to_owned(),
        description: None,
        kms_key_id: None,
        version_id: token(0),
        value: Some(text("zero")),
    }
}

fn store_with(name: &str) -> Store {
    let mut store = Store::default();
    store.create(new_secret(name), start()).unwrap();
    store
}

fn put(store: &mut Store, number: usize, now: SystemTime) -> Result<(), Refusal> {
    store.put("s", &token(number), text(&number.to_string()), &[], now).map(drop)
}

fn ids(store: &mut Store, now: SystemTime) -> Vec<String> {
    let secret = store.find_mut("s", now).unwrap();
    secret.versions.iter().map(|version| version.id.clone()).collect()
}

#[test]
fn young_versions_fill_the_quota_and_then_puts_are_refused() {
    let mut store = store_with("s");
    for number in 1..MOST_VERSIONS {
        put(&mut store, number, start() + Duration::from_mins(1)).unwrap();
    }
    let refusal = put(&mut store, MOST_VERSIONS, start() + DAY / 2).unwrap_err();
    assert_eq!(refusal.kind, Kind::LimitExceeded);
    // The same put again is still a no-op, not a refusal.
    put(&mut store, 7, start() + DAY / 2).unwrap();
}

#[test]
fn old_versions_without_a_label_are_dropped_oldest_first() {
    let mut store = store_with("s");
    let keep = ["KEEP".to_owned()];
    store.put("s", &token(1), text("1"), &keep, start()).unwrap();
    for number in 2..MOST_VERSIONS {
        put(&mut store, number, start()).unwrap();
    }
    // Version 0 had AWSCURRENT until 2 came, then AWSPREVIOUS until 3 came.
    put(&mut store, MOST_VERSIONS, start() + DAY).unwrap();
    let left = ids(&mut store, start() + DAY);
    assert_eq!(left.len(), MOST_VERSIONS);
    assert!(!left.contains(&token(0)));
    put(&mut store, MOST_VERSIONS + 1, start() + DAY).unwrap();
    let left = ids(&mut store, start() + DAY);
    assert!(left.contains(&token(1)), "a label protects");
    assert!(!left.contains(&token(2)));
}

#[test]
fn the_secret_goes_when_its_recovery_window_ends() {
    let mut store = store_with("s");
    let deleted = store.delete("s", Some(7), false, start()).unwrap();
    assert_eq!(deleted.window_end, start() + 7 * DAY);
    let last_moment = deleted.window_end - Duration::from_secs(1);
    assert_eq!(store.get("s", None, None, last_moment).unwrap_err().kind, Kind::InvalidRequest);
    let refusal = store.create(new_secret("s"), last_moment).unwrap_err();
    assert_eq!(refusal.kind, Kind::InvalidRequest);
    let gone = deleted.window_end;
    assert_eq!(store.restore("s", gone).unwrap_err().kind, Kind::ResourceNotFound);
    assert_ne!(store.create(new_secret("s"), gone).unwrap().arn, deleted.arn);
}

#[test]
fn nothing_prints_a_value() {
    let mut store = store_with("s");
    store.put("s", &token(1), SecretValue::Binary(b"zero".to_vec()), &[], start()).unwrap();
    let (secret, version) = store.get("s", None, None, start()).unwrap();
    for printed in [format!("{secret:?}"), format!("{version:?}")] {
        assert!(!printed.contains("zero") && !printed.contains("122, 101"), "{printed}");
    }
    assert!(!format!("{store:?}").contains("zero"));
}

#[test]
fn names_in_arns() {
    let mut store = store_with("prefix/connections/temu/us/1-2/tokens");
    let arn = store.find_mut("prefix/connections/temu/us/1-2/tokens", start()).unwrap().arn.clone();
    assert_eq!(name_of(&arn), "prefix/connections/temu/us/1-2/tokens");
    assert_eq!(name_of(arn.rsplit_once('-').unwrap().0), "prefix/connections/temu/us/1-2/tokens");
    assert_eq!(name_of("a/b-abcdef"), "a/b-abcdef");
    assert!(store.get(&arn, None, None, start()).is_ok());
    assert!(store.get(&format!("{arn}x"), None, None, start()).is_err());
}
