//! A browser of the simplest kind: it knows links by their text and forms by their button's.

use reqwest::header::{CONTENT_TYPE, LOCATION};
use simulators::temu::Simulator;
use url::{Url, form_urlencoded};

pub(crate) struct Page {
    http: reqwest::Client,
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Form fields that a person fills in.
pub(crate) type Filled<'a> = &'a [(&'a str, &'a str)];

impl Page {
    pub(crate) async fn open(http: &reqwest::Client, url: &str) -> Self {
        Self::receive(http, http.get(url)).await
    }

    /// Logged in as the account's main account, or not.
    pub(crate) async fn log_in(http: &reqwest::Client, simulator: &Simulator, role: &str, store: &str) -> Self {
        let start = Self::open(http, &simulator.seller_centre_url()).await;
        start.follow(role).await.follow(store).await
    }

    /// Follows redirects within the seller centre.
    async fn receive(http: &reqwest::Client, request: reqwest::RequestBuilder) -> Self {
        let mut response = request.send().await.unwrap();
        while response.status() == 303 {
            let next = response.url().join(response.headers()[LOCATION].to_str().unwrap()).unwrap();
            response = http.get(next).send().await.unwrap();
        }
        let (url, status) = (response.url().clone(), response.status().as_u16());
        Self { http: http.clone(), url, status, body: response.text().await.unwrap() }
    }

    pub(crate) async fn follow(&self, text: &str) -> Self {
        let end =
            self.body.find(&format!(r#"">{text}</a>"#)).unwrap_or_else(|| panic!("no link {text}: {}", self.body));
        let start = self.body[..end].rfind(r#"href=""#).unwrap() + 6;
        let url = self.url.join(&unescape(&self.body[start..end])).unwrap();
        Self::receive(&self.http, self.http.get(url)).await
    }

    /// Presses the first button with this text, its form's hidden fields and these others filled in.
    pub(crate) async fn press(&self, button: &str, filled: Filled<'_>) -> Self {
        let button = format!(">{button}</button>");
        let end = self.body.find(&button).unwrap_or_else(|| panic!("no button {button}: {}", self.body));
        let start = self.body[..end].rfind("<form").unwrap();
        let form = &self.body[start..end];
        let mut body = form_urlencoded::Serializer::new(String::new());
        for input in form.split(r#"<input type="hidden" "#).skip(1) {
            body.append_pair(&attribute(input, "name"), &attribute(input, "value"));
        }
        let body = body.extend_pairs(filled).finish();
        let url = self.url.join(&attribute(form, "action")).unwrap();
        let request = self.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        Self::receive(&self.http, request).await
    }

    pub(crate) fn access_token(&self) -> String {
        let (_, rest) = self.body.split_once(r#"<code id="access-token">"#).unwrap();
        rest.split_once("</code>").unwrap().0.to_owned()
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.body.contains(text)
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let (_, rest) = tag.split_once(&format!(r#"{name}=""#)).unwrap();
    unescape(rest.split_once('"').unwrap().0)
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
