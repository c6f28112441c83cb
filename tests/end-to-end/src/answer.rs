//! What came back over HTTP.

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value;
use url::Url;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
    /// What was asked, for messages.
    pub asked: String,
    url: Url,
}

impl Answer {
    pub(crate) async fn to(request: reqwest::RequestBuilder) -> Result<Self, reqwest::Error> {
        let (client, request) = request.build_split();
        let request = request?;
        let (asked, url) = (format!("{} {}", request.method(), request.url().path()), request.url().clone());
        let response = client.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, body: response.text().await?, asked, url })
    }

    /// The same, if it has this status; panics otherwise.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.body);
        self
    }

    /// The body as JSON; panics if it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: not JSON: {}", self.asked, self.body))
    }

    /// The `code` of a problem.
    pub fn code(&self) -> Option<String> {
        let problem: Value = serde_json::from_str(&self.body).ok()?;
        problem["code"].as_str().map(str::to_owned)
    }

    /// A header, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where a redirect leads.
    pub fn location(&self) -> Option<Url> {
        self.url.join(self.header(LOCATION.as_str())?).ok()
    }

    /// Where a redirect leads; panics if it is none.
    #[track_caller]
    pub fn redirect(&self) -> Url {
        let redirected = (300..400).contains(&self.status);
        let location = self.location().filter(|_| redirected);
        location.unwrap_or_else(|| panic!("{}: no redirect but {}: {}", self.asked, self.status, self.body))
    }

    pub(crate) fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok())
    }
}
