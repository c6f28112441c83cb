//! EventBridge's `PutEvents`, in memory, behind a [`Front`]: takes what the real one takes, and remembers it.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    front::{Front, Service, Subject},
    roles::Asked,
    server::Server,
};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// `PutEvents` takes so many entries.
const MOST_ENTRIES: usize = 10;

/// And so many bytes in one entry.
const LARGEST_ENTRY: usize = 256 * 1024;

/// Events that are remembered; the oldest go first.
const REMEMBERED: usize = 100_000;

/// A running EventBridge. Clones are the same one.
#[derive(Clone, Debug)]
pub struct EventBus {
    server: Server,
    front: Front,
    state: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    events: Mutex<Events>,
    refusing: AtomicU32,
}

#[derive(Debug, Default)]
struct Events {
    taken: VecDeque<PublishedEvent>,
    count: u64,
}

/// An event that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedEvent {
    /// Counts the events from 1, in the order in which they were taken.
    pub number: u64,
    /// The bus that it was published on.
    pub bus: String,
    /// Who published it.
    pub source: String,
    /// What it is.
    pub detail_type: String,
    /// When it happened, in seconds since 1970.
    pub time: Option<f64>,
    /// What it says.
    pub detail: Value,
}

#[derive(Deserialize)]
struct Input {
    #[serde(rename = "Entries")]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    event_bus_name: Option<String>,
    time: Option<f64>,
}

impl EventBus {
    /// Starts without events.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let front = Front::new(Service {
            name: "events",
            content_type: CONTENT_TYPE,
            internal_error: "InternalException",
            throttled: "ThrottlingException",
            subject: Arc::new(|_, input| subject(input)),
            asked: Arc::new(|_, operation, input| asked(operation, input)),
        });
        let state = Arc::new(Inner::default());
        let router = front.before(Router::new().fallback(answer).with_state(Arc::clone(&state)));
        Ok(Self { server: Server::start(address, router).await?, front, state })
    }

    /// What stands before it: log, faults, pause points.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Where it listens, as the SDK's `endpoint_url` wants it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What was taken after the event with this number, oldest first.
    pub fn events_after(&self, number: u64) -> Vec<PublishedEvent> {
        self.state.events().taken.iter().filter(|event| event.number > number).cloned().collect()
    }

    /// Refuses the next entries, so many of them: the call succeeds, the entry does not.
    pub fn refuse_entries(&self, entries: u32) {
        self.state.refusing.store(entries, Ordering::SeqCst);
    }
}

impl Inner {
    fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, entry: Entry) -> Value {
        if let Err(error) = check(&entry) {
            return error;
        }
        if self.refusing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return refused("InternalFailure", "Refused (injected)");
        }
        let mut events = self.events();
        events.count += 1;
        let number = events.count;
        if events.taken.len() == REMEMBERED {
            events.taken.pop_front();
        }
        events.taken.push_back(PublishedEvent {
            number,
            bus: entry.event_bus_name.unwrap_or_else(|| "default".into()),
            source: entry.source,
            detail_type: entry.detail_type,
            time: entry.time,
            detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        });
        json!({ "EventId": format!("event-{number}") })
    }
}

/// As the real one checks each entry.
fn check(entry: &Entry) -> Result<(), Value> {
    for (name, value) in [("Source", &entry.source), ("DetailType", &entry.detail_type), ("Detail", &entry.detail)] {
        if value.is_empty() {
            return Err(refused("InvalidArgument", &format!("Parameter {name} is not valid. Reason: it is required.")));
        }
    }
    if !serde_json::from_str::<Value>(&entry.detail).is_ok_and(|detail| detail.is_object()) {
        return Err(refused("MalformedDetail", "Detail is malformed."));
    }
    if entry.source.len() + entry.detail_type.len() + entry.detail.len() > LARGEST_ENTRY {
        return Err(refused("InvalidArgument", "The entry is too large."));
    }
    Ok(())
}

fn refused(code: &str, message: &str) -> Value {
    json!({ "ErrorCode": code, "ErrorMessage": message })
}

async fn answer(State(state): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if target != Some("AWSEvents.PutEvents") {
        return failed("UnknownOperationException", "only PutEvents is known here");
    }
    let entries = match serde_json::from_slice::<Input>(&body) {
        Ok(input) if (1..=MOST_ENTRIES).contains(&input.entries.len()) => input.entries,
        Ok(_) => return failed("ValidationException", "1 to 10 entries are needed"),
        Err(error) => return failed("SerializationException", &error.to_string()),
    };
    let answers: Vec<Value> = entries.into_iter().map(|entry| state.take(entry)).collect();
    let refused = answers.iter().filter(|answer| answer.get("ErrorCode").is_some()).count();
    respond(StatusCode::OK, &json!({ "FailedEntryCount": refused, "Entries": answers }))
}

fn failed(error_type: &str, message: &str) -> Response {
    respond(StatusCode::BAD_REQUEST, &json!({ "__type": error_type, "message": message }))
}

fn respond(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], Body::from(body.to_string())).into_response()
}

/// The ids in the details, where they have one.
fn subject(input: &Value) -> Subject {
    let details = input["Entries"].as_array().into_iter().flatten().filter_map(|entry| entry["Detail"].as_str());
    let ids =
        details.filter_map(|detail| serde_json::from_str::<Value>(detail).ok()?["id"].as_str().map(str::to_owned));
    Subject { resource: None, keys: ids.collect() }
}

/// Each entry on its bus.
fn asked(operation: &str, input: &Value) -> Vec<Asked> {
    let buses = input["Entries"].as_array().into_iter().flatten().map(|entry| entry["EventBusName"].as_str());
    buses.map(|bus| Asked::new("events", operation, &format!("event-bus/{}", bus.unwrap_or("default")))).collect()
}
