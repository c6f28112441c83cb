//! `DynamoDB`: dynoxide-rs, embedded, behind a [`Front`].
//!
//! dynoxide's router is private, so the front passes calls on to it over a loopback connection; that
//! costs well under a millisecond.

mod asked;
mod names;

use std::{
    collections::HashMap,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use dynoxide::{Database, ImportOptions, actions::describe_table::DescribeTableRequest, server};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{
    front::{Front, Service, Subject},
    server::Server,
};

/// A running `DynamoDB`. Clones see the same tables.
#[derive(Clone)]
pub struct DynamoDb {
    server: Server,
    front: Front,
    database: Database,
}

impl DynamoDb {
    /// Starts with no tables, in memory.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        Self::serve(address, Database::memory().map_err(io::Error::other)?, Tokens::Heeded).await
    }

    /// Starts with no tables, in memory, for many calls: a transaction that is sent twice is done twice. dynoxide
    /// looks through the tokens of all transactions of the last ten minutes at each one, which costs milliseconds
    /// when there are a hundred thousand.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_for_load(address: SocketAddr) -> io::Result<Self> {
        Self::serve(address, Database::memory().map_err(io::Error::other)?, Tokens::Dropped).await
    }

    /// Starts with the tables in the file at `path`, which is made if it does not exist.
    ///
    /// # Errors
    /// When the address cannot be bound or the file is not a database.
    pub async fn start_at(address: SocketAddr, path: &Path) -> io::Result<Self> {
        let path = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        Self::serve(address, Database::new(path).map_err(io::Error::other)?, Tokens::Heeded).await
    }

    async fn serve(address: SocketAddr, database: Database, tokens: Tokens) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let behind = Behind {
            authority: listener.local_addr()?.to_string(),
            tokens,
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(30))
                .build()
                .map_err(io::Error::other)?,
        };
        let hash_keys = Arc::new(HashKeys { database: database.clone(), known: Mutex::default() });
        let of_asked = Arc::clone(&hash_keys);
        tokio::spawn(server::serve_on(listener, database.clone()));
        let front = Front::new(Service {
            name: "dynamodb",
            content_type: "application/x-amz-json-1.0",
            internal_error: "com.amazonaws.dynamodb.v20120810#InternalServerError",
            throttled: "com.amazon.coral.availability#ThrottlingException",
            subject: Arc::new(move |operation, input| subject(&hash_keys, operation, input)),
            asked: Arc::new(move |_, operation, input| asked::asked(&of_asked, operation, input)),
        });
        let router = front.before(Router::new().fallback(pass_on).with_state(behind));
        Ok(Self { server: Server::start(address, router).await?, front, database })
    }

    /// The listener.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// What stands before it: log, faults, pause points.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Where it listens, as the SDK's `endpoint_url` wants it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Writes items without a call, in DynamoDB's JSON: for the many that a benchmark begins with.
    ///
    /// # Errors
    /// What is wrong with the table or an item, in a line. Then none is written.
    pub fn import(&self, table: &str, items: Vec<Value>) -> Result<(), String> {
        let items = items.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
        let items = items.map_err(|error| error.to_string())?;
        let imported = self.database.import_items(table, items, ImportOptions::default());
        imported.map(drop).map_err(|error| error.to_string())
    }

    /// Makes the `Date` of every answer run `seconds` ahead of this machine's clock (behind it when
    /// negative). Only the header: what the tables do does not depend on time.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.front.set_clock_offset(seconds);
    }
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDb").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What becomes of the `ClientRequestToken` of a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tokens {
    Heeded,
    Dropped,
}

#[derive(Clone)]
struct Behind {
    authority: String,
    client: reqwest::Client,
    tokens: Tokens,
}

async fn pass_on(State(behind): State<Behind>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let body = if behind.tokens == Tokens::Dropped { without_token(body) } else { body };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = parts.headers;
    // Both belong to the client's connection; reqwest writes those of its own.
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    let answer = behind
        .client
        .request(parts.method, format!("http://{}{path}", behind.authority))
        .headers(headers)
        .body(body)
        .send()
        .await;
    let Ok(answer) = answer else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    match answer.bytes().await {
        Ok(body) => (status, headers, Body::from(body)).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn without_token(body: Bytes) -> Bytes {
    const TOKEN: &str = "ClientRequestToken";
    // Only a transaction has one; most bodies need no second look.
    if !body.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()) {
        return body;
    }
    let Ok(Value::Object(mut input)) = serde_json::from_slice(&body) else { return body };
    input.remove(TOKEN);
    Value::Object(input).to_string().into()
}

/// The hash key's attribute of each table, for `PutItem` does not say which attribute is the key.
struct HashKeys {
    database: Database,
    known: Mutex<HashMap<String, String>>,
}

impl HashKeys {
    fn of(&self, table: &str) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attribute) = known.get(table) {
            return Some(attribute.clone());
        }
        let request = DescribeTableRequest { table_name: table.to_owned() };
        let answer = self.database.describe_table(request).ok()?;
        let attribute = answer.table.key_schema.first()?.attribute_name.clone();
        known.insert(table.to_owned(), attribute.clone());
        Some(attribute)
    }
}

fn subject(hash_keys: &HashKeys, operation: &str, input: &Value) -> Subject {
    let mut subject = Subject::default();
    if let Some(items) = input["TransactItems"].as_array() {
        for part in items.iter().filter_map(Value::as_object).flat_map(|item| item.values()) {
            note(hash_keys, part, &mut subject);
        }
    } else if let Some(tables) = input["RequestItems"].as_object() {
        subject.resource = tables.keys().next().cloned();
        let read = tables.values().filter_map(|batch| batch["Keys"].as_array()).flatten().filter_map(Value::as_object);
        subject.keys.extend(read.flat_map(|key| key.values().filter_map(scalar).map(str::to_owned)));
    } else {
        note(hash_keys, input, &mut subject);
    }
    if operation == "CreateTable" || operation == "DeleteTable" {
        // A table of this name may come back with another key.
        hash_keys.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
    subject
}

fn note(hash_keys: &HashKeys, part: &Value, subject: &mut Subject) {
    let Some(table) = part["TableName"].as_str() else {
        return;
    };
    if let Some(key) = part["Key"].as_object() {
        let values: Vec<&str> = key.values().filter_map(scalar).collect();
        subject.keys.push(values.join("/"));
    } else if let Some(partition) = partition(part) {
        subject.keys.push(partition.to_owned());
    } else if let Some(item) = part["Item"].as_object()
        && let Some(key) = hash_keys.of(table).and_then(|attribute| scalar(item.get(&attribute)?))
    {
        subject.keys.push(key.to_owned());
    }
    subject.resource.get_or_insert_with(|| match part["IndexName"].as_str() {
        Some(index) => format!("{table}/index/{index}"),
        None => table.to_owned(),
    });
}

/// Of which partition a query is.
fn partition(query: &Value) -> Option<&str> {
    let mut words = query["KeyConditionExpression"].as_str()?.split_whitespace();
    scalar(&query["ExpressionAttributeValues"][words.find(|word| word.starts_with(':'))?])
}

fn scalar(attribute: &Value) -> Option<&str> {
    attribute["S"].as_str().or_else(|| attribute["N"].as_str())
}
