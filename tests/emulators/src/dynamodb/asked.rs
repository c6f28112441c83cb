//! What a call needs to be allowed: as `DynamoDB` asks IAM, a transaction for each of its items.
//!
//! The keys of queries are not looked for: no policy here depends on them.

use serde_json::Value;

use super::{HashKeys, names::names, scalar};
use crate::roles::{Asked, Key};

pub(super) fn asked(hash_keys: &HashKeys, operation: &str, input: &Value) -> Vec<Asked> {
    if let Some(items) = input["TransactItems"].as_array() {
        let parts = items.iter().filter_map(Value::as_object).flatten();
        // `Put` is authorized as PutItem, and so on.
        return parts.map(|(kind, part)| of_item(hash_keys, &format!("{kind}Item"), part)).collect();
    }
    if let Some(tables) = input["RequestItems"].as_object() {
        return tables.iter().map(|(table, batch)| of_batch(hash_keys, operation, table, batch)).collect();
    }
    vec![of_item(hash_keys, operation, input)]
}

fn of_item(hash_keys: &HashKeys, operation: &str, part: &Value) -> Asked {
    let table = part["TableName"].as_str().unwrap_or_default();
    let resource = match part["IndexName"].as_str() {
        Some(index) => format!("table/{table}/index/{index}"),
        None => format!("table/{table}"),
    };
    let asked = Asked::new("dynamodb", operation, &resource).with(Key::Attributes, names(part));
    let keys = leading_keys(hash_keys, table, [&part["Key"], &part["Item"]]);
    if keys.is_empty() { asked } else { asked.with(Key::LeadingKeys, keys) }
}

fn of_batch(hash_keys: &HashKeys, operation: &str, table: &str, batch: &Value) -> Asked {
    let read = batch["Keys"].as_array().into_iter().flatten();
    let written = batch.as_array().into_iter().flatten();
    let written = written.flat_map(|it| [&it["PutRequest"]["Item"], &it["DeleteRequest"]["Key"]]);
    let keys = leading_keys(hash_keys, table, read.chain(written));
    Asked::new("dynamodb", operation, &format!("table/{table}")).with(Key::LeadingKeys, keys)
}

fn leading_keys<'a>(hash_keys: &HashKeys, table: &str, items: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    let Some(attribute) = hash_keys.of(table) else { return Vec::new() };
    items.into_iter().filter_map(|item| scalar(&item[&attribute]).map(str::to_owned)).collect()
}
