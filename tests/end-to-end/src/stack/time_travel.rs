//! Lets time pass for what is stored.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use simulators::temu::Purpose;

/// Numbers in this range are times: from 2017 to 2160. Counters are far below.
const TIMES: std::ops::Range<i64> = 1_500_000_000..6_000_000_000;

/// Names of a grant rather than times that end: the token sets in the vault carry `granted_at` as well, their versions
/// cannot be changed, and a token set is only taken for one of its connection if both agree.
const NAMES_OF_GRANTS: [&str; 2] = ["granted_at", "authorized_at"];

/// Moves all times in an item back by so many seconds.
pub(crate) fn shift(value: &mut Value, seconds: i64) {
    match value {
        Value::Number(number) => {
            if let Some(time) = number.as_i64().filter(|time| TIMES.contains(time)) {
                *value = (time - seconds).into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| shift(value, seconds)),
        Value::Object(fields) => {
            let fields = fields.iter_mut().filter(|(name, _)| !NAMES_OF_GRANTS.contains(&name.as_str()));
            fields.for_each(|(_, value)| shift(value, seconds));
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Makes the periods of a shifted item of evidence begin at quarters of an hour again: as many of them lie between then and now
/// as would if time had really passed. And a process that has seen the item before sees that somebody has written it.
pub(crate) fn align_evidence(item: &mut Value, seconds: i64) {
    const PERIOD: i64 = 900;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let now = i64::try_from(now).expect("before the year 292 billion");
    let begin = |at: i64| at.div_euclid(PERIOD) * PERIOD;
    for counts in item["periods"].as_array_mut().expect("periods") {
        let age = begin(now + seconds) - (counts["begins_at"].as_i64().expect("a time") + seconds);
        counts["begins_at"] = (begin(now) - age).into();
    }
    see_as_written(item);
}

/// Whoever has seen the item before sees that somebody has written it.
pub(crate) fn see_as_written(item: &mut Value) {
    item["revision"] = (item["revision"].as_u64().expect("a revision") + 1).into();
}

/// What Temu knows the token of a connection by, and when it ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TokenAtTemu {
    pub(crate) app_key: String,
    pub(crate) mall: u64,
    pub(crate) purpose: Purpose,
    pub(crate) end: u64,
}

impl TokenAtTemu {
    /// As an item of the connections has it; `None` for other items.
    pub(crate) fn of(item: &Value) -> Option<Self> {
        let (_, mall) = item["connection"].as_str()?.strip_prefix("temu/")?.split_once('/')?;
        let purpose = match item["purpose"].as_str()? {
            "product" => Purpose::Product,
            "order" => Purpose::Order,
            "compliance" => Purpose::Compliance,
            _ => Purpose::All,
        };
        let app_key = item["app_key"].as_str()?.to_owned();
        Some(Self { app_key, mall: mall.parse().ok()?, purpose, end: item["authorization_expires_at"].as_u64()? })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_move_wherever_they_are_and_nothing_else_does() {
        let mut item = json!({
            "due_at": 1_800_000_100_i64, "token_version": 7, "seller": "1800000100", "due_lane": "temu/us#3",
            "attempt": { "until": 1_800_000_160_i64 }, "visits": [{ "at": 1_800_000_110_i64 }],
            "granted_at": 1_800_000_000_i64, "open": true, "note": null,
        });
        shift(&mut item, 100);
        let moved = json!({
            "due_at": 1_800_000_000_i64, "token_version": 7, "seller": "1800000100", "due_lane": "temu/us#3",
            "attempt": { "until": 1_800_000_060_i64 }, "visits": [{ "at": 1_800_000_010_i64 }],
            "granted_at": 1_800_000_000_i64, "open": true, "note": null,
        });
        assert_eq!(item, moved);
    }

    #[test]
    fn only_connections_at_temu_name_a_token_there() {
        let item = json!({
            "connection": "temu/global/77", "app_key": "key", "purpose": "order",
            "authorization_expires_at": 1_800_000_000_i64,
        });
        let token = TokenAtTemu { app_key: "key".into(), mall: 77, purpose: Purpose::Order, end: 1_800_000_000 };
        assert_eq!(TokenAtTemu::of(&item), Some(token));
        for key in ["tiktok-shop/us/77", "shop/temu/global/77", "temu/global/x"] {
            let mut other = item.clone();
            other["connection"] = json!(key);
            assert_eq!(TokenAtTemu::of(&other), None, "{key}");
        }
    }
}
