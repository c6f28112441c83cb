//! The seller with a browser: follows the way from a connect link to the vendor's return page, step by step.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use reqwest::{Client, Method};
use url::{Url, form_urlencoded};

use crate::{answer::Answer, page::Page, secrets::Seen};

/// More redirects are a loop.
const REDIRECTS: usize = 10;

/// A browser with cookies of its own. It follows no redirect unless told to.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    gateway: Url,
    cookies: Mutex<BTreeMap<(String, String), String>>,
    seen: Seen,
}

/// Where the seller ended up: the vendor's return address, or a page of ours.
#[derive(Debug, Clone)]
pub struct Returned {
    /// The last address.
    pub url: Url,
    /// The page there; none at the vendor's address, which is only read, not visited.
    pub page: Option<Answer>,
}

impl Returned {
    /// A parameter of the address.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.url, name)
    }

    /// The `result` for the vendor to confirm; panics if the seller has none.
    #[track_caller]
    pub fn result(&self) -> &str {
        let result = self.url.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("result="));
        let page = self.page.as_ref().map(|page| page.body.as_str()).unwrap_or_default();
        result.unwrap_or_else(|| panic!("the seller brings no `result` to {}: {page}", self.url))
    }
}

impl Browser {
    pub(crate) fn new(client: Client, gateway: &str, seen: Seen) -> Self {
        let gateway = gateway.parse().expect("the gateway's URL");
        Self { client, gateway, cookies: Mutex::default(), seen }
    }

    /// The whole way: opens the link, picks the app, authorizes as this seller, returns.
    pub async fn connect(&self, connect_url: &str, app: &str, seller: &str) -> Returned {
        self.open(connect_url).await.expect(200);
        let link = self.leave(connect_url, app).await;
        let callback = self.authorize(&link, seller).await;
        self.come_back(&callback).await
    }

    /// Opens a page. `url` may also be a path on the gateway.
    pub async fn open(&self, url: &str) -> Answer {
        self.send(Method::GET, self.resolve(url), None).await
    }

    /// Sends a form.
    pub async fn submit(&self, url: &str, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.submit_raw(url, body).await
    }

    /// Sends this as a form's body.
    pub async fn submit_raw(&self, url: &str, body: String) -> Answer {
        self.send(Method::POST, self.resolve(url), Some(body)).await
    }

    /// Picks the app on the connect page, agreeing to the account where that is asked for; gives the marketplace's
    /// authorization link.
    pub async fn leave(&self, connect_url: &str, app: &str) -> Url {
        let way_out = format!("{}/tiktok-shop/{app}", connect_url.trim_end_matches('/'));
        let mut answer = self.open(&way_out).await;
        if answer.status == 200 {
            answer = self.submit(&way_out, &[]).await;
        }
        answer.redirect()
    }

    /// Says yes on the marketplace's page; gives the callback, not yet visited.
    pub async fn authorize(&self, link: &Url, seller: &str) -> Url {
        self.decide(link, &[("seller", seller), ("decision", "authorize")]).await
    }

    /// Says no on the marketplace's page; gives the callback, not yet visited.
    pub async fn deny(&self, link: &Url) -> Url {
        self.decide(link, &[("decision", "deny")]).await
    }

    pub(crate) async fn decide(&self, link: &Url, decision: &[(&str, &str)]) -> Url {
        let page = self.open(link.as_str()).await.expect(200);
        assert!(page.body.contains("<form"), "no form on the authorization page: {}", page.body);
        let asked: Vec<(String, String)> = link.query_pairs().into_owned().collect();
        let mut form: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        form.extend(decision);
        let mut action = link.clone();
        action.set_query(None);
        self.submit(action.as_str(), &form).await.redirect()
    }

    /// Visits the callback and follows what redirects there are, up to a page or to the vendor's address.
    pub async fn come_back(&self, callback: &Url) -> Returned {
        let mut url = callback.clone();
        for _ in 0..REDIRECTS {
            if url.origin() != self.gateway.origin() {
                self.note(&url);
                return Returned { url, page: None };
            }
            let page = self.open(url.as_str()).await;
            match page.location() {
                Some(next) => url = next,
                None => return Returned { url, page: Some(page) },
            }
        }
        panic!("more than {REDIRECTS} redirects from the callback");
    }

    /// The cookies that it would send to the gateway, as `name=value`.
    pub fn cookies(&self) -> Vec<String> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let host = self.gateway.host_str().unwrap_or_default();
        cookies.iter().filter(|((of, _), _)| of == host).map(|((_, name), value)| format!("{name}={value}")).collect()
    }

    /// Gets a cookie that another host of the vendor's domain has set for the whole domain.
    pub fn receive_cookie(&self, name: &str, value: &str) {
        let host = self.gateway.host_str().unwrap_or_default().to_owned();
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).insert((host, name.into()), value.into());
    }

    /// Forgets all cookies.
    pub fn forget_cookies(&self) {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn resolve(&self, url: &str) -> Url {
        self.gateway.join(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    async fn send(&self, method: Method, url: Url, form: Option<String>) -> Answer {
        self.note(&url);
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut request = self.client.request(method, url);
        // As real browsers do: cookies do not tell ports apart.
        let cookies = self.cookie_header(&host);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        if let Some(form) = form {
            let fields = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
            request = fields.into_iter().fold(request, |request, (name, value)| request.header(name, value)).body(form);
        }
        let answer = Answer::to(request).await.unwrap_or_else(|error| panic!("no page: {error}"));
        for cookie in answer.set_cookies() {
            self.keep(&host, cookie);
        }
        if let Some(next) = answer.location() {
            self.note(&next);
        }
        answer
    }

    fn cookie_header(&self, host: &str) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let of_host = cookies.iter().filter(|((of, _), _)| of == host);
        of_host.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, host: &str, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let ended = parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0"));
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (host.to_owned(), name.to_owned());
        if ended {
            cookies.remove(&key);
        } else {
            self.seen.note(value);
            cookies.insert(key, value.to_owned());
        }
    }

    /// Takes note of what a page holds for its own reader only.
    pub(crate) fn keep_secrets_of(&self, page: &Answer) {
        let form_tokens = Page(&page.body).hidden_fields().into_iter().filter(|(name, _)| name == "form_token");
        form_tokens.for_each(|(_, form_token)| self.seen.note(&form_token));
        if let Some(way_back) = page.way_back() {
            self.note(&way_back);
        }
    }

    fn note(&self, url: &Url) {
        for name in ["state", "code", "result"] {
            if let Some(value) = parameter(url, name) {
                self.seen.note(&value);
            }
        }
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
