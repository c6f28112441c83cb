//! The two tables, and raw access to their items. By operations which no function uses, such as `Scan`:
//! counts of calls and faults for the functions' own operations stay theirs.

use serde_json::{Map, Value, json};

use crate::aws::Aws;

/// `BatchWriteItem` takes no more.
const LARGEST_BATCH: usize = 25;

/// One of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// One item a connection, and the pointers from shops.
    Connections,
    /// Sessions and visits.
    ConnectSessions,
}

impl Table {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Connections, Self::ConnectSessions];

    /// As it is created.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectSessions => "connect-sessions",
        }
    }

    /// The name of the attribute that is its key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Connections => "connection",
            Self::ConnectSessions => "key",
        }
    }

    fn definition(self) -> Value {
        let key = |hash: &str| json!({ "AttributeName": hash, "KeyType": "HASH" });
        let range = |range: &str| json!({ "AttributeName": range, "KeyType": "RANGE" });
        let attribute = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
        match self {
            Self::ConnectSessions => json!({
                "TableName": self.name(),
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [attribute("key", "S")],
                "KeySchema": [key("key")],
            }),
            Self::Connections => json!({
                "TableName": self.name(),
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    attribute("connection", "S"), attribute("account_id", "S"),
                    attribute("due_lane", "S"), attribute("due_at", "N"),
                    attribute("chores_shard", "S"), attribute("chores_at", "N"),
                    attribute("list_shard", "N"), attribute("attention_shard", "N"),
                ],
                "KeySchema": [key("connection")],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "due",
                        "KeySchema": [key("due_lane"), range("due_at")],
                        "Projection": { "ProjectionType": "KEYS_ONLY" },
                    },
                    {
                        "IndexName": "chores",
                        "KeySchema": [key("chores_shard"), range("chores_at")],
                        "Projection": { "ProjectionType": "KEYS_ONLY" },
                    },
                    {
                        "IndexName": "account",
                        "KeySchema": [key("account_id"), range("connection")],
                        "Projection": { "ProjectionType": "KEYS_ONLY" },
                    },
                    {
                        "IndexName": "listing",
                        "KeySchema": [key("list_shard"), range("connection")],
                        "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"] },
                    },
                    {
                        "IndexName": "attention",
                        "KeySchema": [key("attention_shard"), range("connection")],
                        "Projection": { "ProjectionType": "KEYS_ONLY" },
                    },
                ],
            }),
        }
    }
}

/// Both tables in one `DynamoDB`.
#[derive(Debug, Clone)]
pub struct Tables(Aws);

impl Tables {
    /// Through this client.
    pub const fn new(dynamodb: Aws) -> Self {
        Self(dynamodb)
    }

    /// Creates both.
    pub async fn create(&self) {
        for table in Table::ALL {
            self.0.call("CreateTable", &table.definition()).await;
        }
    }

    pub(crate) async fn try_call(&self, operation: &str, input: &Value) -> Result<Value, Value> {
        self.0.try_call(operation, input).await
    }

    pub(crate) async fn item(&self, table: Table, key: &str) -> Option<Value> {
        let get = json!({ "Get": { "TableName": table.name(), "Key": { table.key(): { "S": key } } } });
        let answer = self.0.call("TransactGetItems", &json!({ "TransactItems": [get] })).await;
        answer["Responses"][0].get("Item").map(plain_item)
    }

    pub(crate) async fn items(&self, table: Table) -> Vec<Value> {
        self.scan(json!({ "TableName": table.name(), "ConsistentRead": true })).await
    }

    /// What an index of the connections holds.
    pub(crate) async fn index(&self, name: &str) -> Vec<Value> {
        self.scan(json!({ "TableName": Table::Connections.name(), "IndexName": name })).await
    }

    async fn scan(&self, mut scan: Value) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let page = self.0.call("Scan", &scan).await;
            items.extend(page["Items"].as_array().into_iter().flatten().map(plain_item));
            match page.get("LastEvaluatedKey") {
                Some(last) if !last.is_null() => scan["ExclusiveStartKey"] = last.clone(),
                _ => return items,
            }
        }
    }

    pub(crate) async fn put(&self, table: Table, item: &Value) {
        self.put_all(table, std::slice::from_ref(item)).await;
    }

    pub(crate) async fn put_all(&self, table: Table, items: &[Value]) {
        self.write(table, items, |item| json!({ "PutRequest": { "Item": attributes(item) } })).await;
    }

    pub(crate) async fn delete(&self, table: Table, key: &str) {
        self.delete_all(table, &[key.to_owned()]).await;
    }

    pub(crate) async fn delete_all(&self, table: Table, keys: &[String]) {
        self.write(table, keys, |key| json!({ "DeleteRequest": { "Key": { table.key(): { "S": key } } } })).await;
    }

    async fn write<T>(&self, table: Table, all: &[T], request: impl Fn(&T) -> Value) {
        for batch in all.chunks(LARGEST_BATCH) {
            let requests: Vec<Value> = batch.iter().map(&request).collect();
            self.0.call("BatchWriteItem", &json!({ "RequestItems": { table.name(): requests } })).await;
        }
    }
}

fn plain_item(attributes: &Value) -> Value {
    plain(&json!({ "M": attributes }))
}

/// `{"S":"x"}` as `"x"`.
fn plain(attribute: &Value) -> Value {
    let Some((kind, value)) = attribute.as_object().and_then(|attribute| attribute.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), value) {
        ("N", Value::String(number)) => serde_json::from_str(number).expect("a number"),
        ("S" | "BOOL", value) => value.clone(),
        ("NULL", _) => Value::Null,
        ("L", Value::Array(values)) => values.iter().map(plain).collect(),
        ("M", Value::Object(fields)) => fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        (kind, _) => panic!("an attribute of type {kind}, which the keyring does not write"),
    }
}

/// A plain item in DynamoDB's JSON; panics if it is no object.
pub fn attributes(item: &Value) -> Map<String, Value> {
    let fields = item.as_object().expect("an item is an object");
    fields.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// `"x"` as `{"S":"x"}`.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(value) => json!({ "BOOL": value }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(values) => json!({ "L": values.iter().map(attribute).collect::<Vec<_>>() }),
        Value::Object(_) => json!({ "M": attributes(value) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_read_back_as_they_were_written() {
        let item = json!({
            "connection": "tiktok-shop/us/7", "due_at": 1_800_000_000_i64, "shops": [{ "id": "1", "open": true }],
            "attempts": [], "attempt": { "until": 1_800_000_060_i64 }, "reason": null, "share": 0.6,
        });
        assert_eq!(plain_item(&Value::Object(attributes(&item))), item);
    }
}
