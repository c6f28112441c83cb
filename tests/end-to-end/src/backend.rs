//! A vendor's web application, as small as it can be: connects shops, and shows what its services then get.
//!
//! Everything about connecting that a vendor has to build is in [`connect`] and [`connected`].

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{answer::Answer, schedule::Runs, stack::StartError, vendor_api::VendorApi};

/// The vendor's customer who is logged in. A real backend takes it from its own login.
pub const ACCOUNT_ID: &str = "customer-17";
const ACCOUNT_LABEL: &str = "Ann's Attic Ltd.";

/// Sweeps on the page.
const SHOWN: usize = 8;

/// The running web application. It ends when this is dropped.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    site: Arc<Site>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Site {
    vendor: VendorApi,
    runs: Runs,
    own_url: String,
    connections: Mutex<BTreeSet<String>>,
}

impl Backend {
    /// Listens on this port of 127.0.0.1. `RETURN_URLS` must allow [`return_url`] of it.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(port: u16, vendor: VendorApi, runs: Runs) -> Result<Self, StartError> {
        let failed = |why| StartError::listening("vendor", port, why);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let own_url = format!("http://{address}");
        let site = Arc::new(Site { vendor, runs, own_url, connections: Mutex::default() });
        let router = Router::new()
            .route("/", get(index))
            .route("/connect", post(connect))
            .route("/connected", get(connected))
            .with_state(Arc::clone(&site));
        let task = tokio::spawn(async move {
            // Documented never to fail.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, site, task })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Shows this connection from now on.
    pub fn remember(&self, connection: &str) {
        self.site.remember(connection);
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where sellers return to, for an application on this port.
pub fn return_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/connected")
}

/// `POST /connect`: the button. Opens a session for the customer who is logged in, and sends the seller there.
async fn connect(State(site): State<Arc<Site>>) -> Response {
    let opened = site
        .vendor
        .open_session(&json!({
            "account_id": ACCOUNT_ID,
            "account_label": ACCOUNT_LABEL,
            "return_url": format!("{}/connected", site.own_url),
        }))
        .await;
    match opened.status {
        201 => Redirect::to(opened.json()["connect_url"].as_str().unwrap_or("/")).into_response(),
        _ => page("This did not work", &[("What the keyring says", pretty(&opened))]),
    }
}

#[derive(Deserialize)]
struct Brought {
    session_id: String,
    status: Option<String>,
    result: Option<String>,
}

/// `GET /connected`: the seller is back. That this customer is logged in here is what makes the confirmation worth
/// something: whoever was sent a stranger's link comes back to another login.
async fn connected(State(site): State<Arc<Site>>, Query(brought): Query<Brought>) -> Response {
    let answer = match &brought.result {
        Some(result) => site.vendor.confirm_for(&brought.session_id, result, ACCOUNT_ID).await,
        None => site.vendor.session(&brought.session_id).await,
    };
    let connections = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    for connection in connections["connections"].as_array().into_iter().flatten() {
        if let Some(key) = connection["connection"].as_str() {
            site.remember(key);
        }
    }
    let brought_back = format!(
        "session_id  {}\nstatus      {}\nresult      {}",
        brought.session_id,
        brought.status.as_deref().unwrap_or("-"),
        brought.result.as_deref().unwrap_or("-"),
    );
    let title = if answer.status == 200 { "The seller is back" } else { "The seller is back, and something is wrong" };
    page(title, &[("What the seller brought back", brought_back), ("What the keyring says", pretty(&answer))])
}

/// `GET /`: the button, the connections with their tokens, the last sweeps.
async fn index(State(site): State<Arc<Site>>) -> Response {
    let known = site.connections.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut connections = Vec::new();
    for key in known {
        // As it stands: to look on shall not be what renews it.
        let answer = site.vendor.token_for(&key, 0).await;
        let version = serde_json::from_str::<Value>(&answer.body).unwrap_or_default()["version"].as_u64();
        connections.push(Shown { version, answer: pretty(&answer), key });
    }
    let runs = site.runs.after(0);
    let last = runs.iter().rev().find(|run| run.did_something()).or(runs.last());
    let mut sweeps: Vec<_> = runs.iter().filter(|run| run.did_something()).rev().take(SHOWN).collect();
    if sweeps.is_empty() {
        sweeps.extend(last);
    }
    let sweeps = sweeps.iter().map(|run| (run.at.elapsed().as_secs(), run.in_words())).collect();
    render(&Index { account: ACCOUNT_LABEL, connections, sweeps })
}

impl Site {
    fn remember(&self, connection: &str) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).insert(connection.to_owned());
    }
}

#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    account: &'a str,
    connections: Vec<Shown>,
    sweeps: Vec<(u64, String)>,
}

struct Shown {
    key: String,
    version: Option<u64>,
    answer: String,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    parts: &'a [(&'a str, String)],
}

fn page(title: &str, parts: &[(&str, String)]) -> Response {
    render(&Message { title, parts })
}

fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => ([("cache-control", "no-store")], Html(page)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn pretty(answer: &Answer) -> String {
    let json = serde_json::from_str::<Value>(&answer.body).and_then(|json| serde_json::to_string_pretty(&json));
    format!("{} {}\n{}", answer.asked, answer.status, json.as_ref().unwrap_or(&answer.body))
}
