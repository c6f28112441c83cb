//! Reading what platforms write in more than one way: anything of another shape counts as absent.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A body as a struct. A list is refused, which serde would take for the fields in their order.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    if body.trim_ascii_start().starts_with(b"{") { serde_json::from_slice(body).ok() } else { None }
}

/// The same for what is inside of a body.
pub(super) fn object_of<T: DeserializeOwned>(value: Value) -> Option<T> {
    if value.is_object() { serde_json::from_value(value).ok() } else { None }
}

/// For `#[serde(deserialize_with)]`: a value, or nothing if it is of another shape.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// A marketplace's id of a request. It stands in logs and items, so what does not look like an id counts as absent.
pub(super) fn lenient_request_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let id: Option<String> = lenient(deserializer)?;
    Ok(id.filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())))
}

/// Longest name that is taken from a marketplace, in characters.
const LONGEST_NAME: usize = 256;

/// A seller's or a shop's name, for people. A blank one counts as absent, and of one without an end its beginning is taken.
pub(super) fn lenient_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name: Option<String> = lenient(deserializer)?;
    let name = name.map(|name| name.trim().chars().take(LONGEST_NAME).collect::<String>());
    Ok(name.filter(|name| !name.is_empty()))
}

/// An id that some samples have as a number. JSON readers that round numbers would make another id of a long one, so only
/// whole numbers count.
pub(super) fn lenient_id<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        Value::String(text) => Some(text),
        _ => None,
    };
    Ok(text.and_then(|text| text.parse().ok()))
}
