//! What the emulators serve when nothing else is in the way: the same calls as a refresh makes, one after the other for
//! each connection, from a client that does nothing else. A sweep on this machine cannot be faster than this.

use std::time::{Duration, Instant};

use end_to_end::{Aws, stack::Table};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::{
    args::Scale,
    bed::Bed,
    rows::{self, HEALTHY, SECRET_PREFIX},
};

/// Connections that are played through.
const CONNECTIONS: u32 = 2_000;

/// Calls under way at a time.
const AT_ONCE: usize = 16;

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alone {
    pub(crate) connections: u32,
    pub(crate) took: Duration,
}

impl Alone {
    /// How many refreshes' calls a second.
    pub(crate) fn a_second(self) -> f64 {
        f64::from(self.connections) / self.took.as_secs_f64().max(0.001)
    }
}

pub(crate) async fn measure(bed: &Bed, scale: Scale) -> Result<Alone, String> {
    let client = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
    let table = Aws::dynamodb(client.clone(), bed.dynamodb.url());
    let vault = Aws::secrets_manager(client, bed.vault.url());
    let connections = CONNECTIONS.min(scale.due);
    let began = Instant::now();
    let (table, vault) = (&table, &vault);
    let due = (0..scale.rows).filter(|n| rows::is_due(*n, scale)).take(CONNECTIONS as usize);
    let mut plays = stream::iter(due).map(|n| play(table, vault, rows::seller(n))).buffer_unordered(AT_ONCE);
    while let Some(played) = plays.next().await {
        played.map_err(|error| format!("the emulators alone: {error}"))?;
    }
    Ok(Alone { connections, took: began.elapsed() })
}

/// Claim, look up, keep, commit.
async fn play(table: &Aws, vault: &Aws, seller: String) -> Result<(), Value> {
    let connection = format!("{}/{seller}", HEALTHY.path);
    let key = json!({ "connection": { "S": connection } });
    let update = json!({
        "TableName": Table::Connections.name(),
        "Key": key,
        "UpdateExpression": "SET #a = :a, #d = :d, #n = :n, #u = :u",
        "ConditionExpression": "attribute_exists(#c)",
        "ExpressionAttributeNames": { "#a": "attempt", "#d": "due_at", "#n": "attempts", "#u": "updated_at", "#c": "connection" },
        "ExpressionAttributeValues": {
            ":a": { "M": { "id": { "S": "00000000-0000-0000-0000-000000000002" }, "until": { "N": "1900000000" } } },
            ":d": { "N": "1900000000" },
            ":n": { "L": [{ "S": "00000000-0000-0000-0000-000000000002" }] },
            ":u": { "N": "1900000000" },
        },
    });
    table.try_call("UpdateItem", &update).await?;
    let id = format!("{SECRET_PREFIX}/connections/{connection}/tokens");
    let current = vault.try_call("GetSecretValue", &json!({ "SecretId": id })).await?;
    let put = json!({
        "SecretId": id,
        "SecretString": current["SecretString"],
        "ClientRequestToken": "00000000-0000-0000-0000-000000000003",
    });
    vault.try_call("PutSecretValue", &put).await?;
    let pointer = json!({
        "connection": { "S": format!("shop/{connection}") },
        "points_to": { "S": connection },
    });
    let commit = json!({ "TransactItems": [
        { "Update": update },
        { "Put": { "TableName": Table::Connections.name(), "Item": pointer } },
    ] });
    table.try_call("TransactWriteItems", &commit).await?;
    Ok(())
}
