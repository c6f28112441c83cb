//! An app's own end: takes what is posted to it and answers as told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::time::sleep;
use url::Url;

use super::client::{APP_KEY, APP_SECRET, Client};

/// Time enough for what shall come, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// Time enough to see that nothing comes, and to do something in, on a busy machine.
pub(crate) const A_WHILE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Status(u16),
    /// To another path of this receiver, by which it would show.
    Redirect,
    /// Longer than the platform waits.
    Silence,
}

#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) content_type: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Post {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap().to_owned()
    }

    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(APP_KEY.as_bytes());
        mac.update(&self.body);
        self.authorization == Some(hex::encode(mac.finalize().into_bytes()))
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.is_signed_with(APP_SECRET)
    }
}

#[derive(Default)]
struct Inside {
    posts: Vec<Post>,
    answers: VecDeque<Answer>,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: Url,
    inside: Arc<Mutex<Inside>>,
}

impl Receiver {
    /// Answers 200 unless told otherwise.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks", listener.local_addr().unwrap()).parse().unwrap();
        let receiver = Self { url, inside: Arc::default() };
        let taking = receiver.clone();
        let take = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            taking.take(method, &uri, &headers, &body).await
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
        receiver
    }

    /// A client whose app's notices come here, and are soon posted again.
    pub(crate) async fn with_client() -> (Self, Client) {
        let (receiver, client) = (Self::start().await, Client::start().await);
        client.simulator.update_app(APP_KEY, |app| app.webhook_url = Some(receiver.url.clone())).unwrap();
        client.simulator.configure(|settings| settings.webhook_retries = vec![Duration::from_millis(20); 4]);
        (receiver, client)
    }

    /// What the next calls are answered.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.inside.lock().unwrap().answers.extend(answers);
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.inside.lock().unwrap().posts.clone()
    }

    async fn take(&self, method: Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let post = Post {
            method,
            path: uri.path().to_owned(),
            content_type: text(header::CONTENT_TYPE),
            authorization: text(header::AUTHORIZATION),
            body: body.to_vec(),
        };
        let answer = {
            let mut inside = self.inside.lock().unwrap();
            inside.posts.push(post);
            inside.answers.pop_front().unwrap_or(Answer::Status(200))
        };
        match answer {
            Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
            Answer::Redirect => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere")]).into_response(),
            Answer::Silence => {
                sleep(Duration::from_mins(1)).await;
                StatusCode::OK.into_response()
            }
        }
    }
}
