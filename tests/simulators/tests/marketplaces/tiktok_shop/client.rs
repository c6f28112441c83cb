//! A client that knows the protocol and nothing of the simulator's inside.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use sha2::Sha256;
use simulators::tiktok_shop::{App, Region, Seller, Shop, Simulator};
use tokio::time::{sleep, timeout};
use url::Url;

pub(crate) const APP_KEY: &str = "29a39d";
pub(crate) const APP_SECRET: &str = "e59af819cc";
pub(crate) const SERVICE_ID: &str = "7001";
pub(crate) const SELLER: &str = "ann";
pub(crate) const SHOPS_PATH: &str = "/authorization/202309/shops";
pub(crate) const WEBHOOKS_PATH: &str = "/event/202309/webhooks";

pub(crate) struct Client {
    pub(crate) simulator: Simulator,
    pub(crate) http: reqwest::Client,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> i64 {
        self.json()["code"].as_i64().unwrap()
    }

    pub(crate) fn data(&self, field: &str) -> String {
        self.json()["data"][field].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) async fn start() -> Self {
        Self::start_at([127, 0, 0, 1]).await
    }

    /// On a loopback address of its own, which Linux needs no set-up for: no other test is given the port that it frees.
    pub(crate) async fn start_at(address: [u8; 4]) -> Self {
        let simulator = Simulator::start((address, 0).into()).await.unwrap();
        let callback: Url = "http://localhost:9/callback".parse().unwrap();
        let app = App::new(APP_KEY, APP_SECRET, SERVICE_ID, Region::Us);
        simulator.add_app(app.with_redirect_url(callback));
        simulator.add_seller(Seller::new(SELLER).with_shop(Shop::new("s1", "US")));
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        Self { simulator, http }
    }

    pub(crate) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url: Url = self.simulator.base_url().parse().unwrap();
        url.set_path(path);
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    /// `Err` where no complete answer came.
    pub(crate) async fn get(&self, url: Url, token: Option<&str>) -> reqwest::Result<Answer> {
        let mut request = self.http.get(url);
        if let Some(token) = token {
            request = request.header("x-tts-access-token", token);
        }
        Self::send(request).await
    }

    pub(crate) async fn send(request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let retry_after = response.headers().get("retry-after");
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after.map(|value| value.to_str().unwrap().to_owned()),
            body: response.text().await?,
        })
    }

    pub(crate) fn code(&self) -> String {
        let callback = self.simulator.authorize(APP_KEY, SELLER, None).unwrap();
        parameter(&callback, "code").unwrap()
    }

    pub(crate) async fn exchange(&self, code: &str) -> reqwest::Result<Answer> {
        self.get(self.exchange_url(code), None).await
    }

    pub(crate) fn exchange_url(&self, code: &str) -> Url {
        let query =
            [("app_key", APP_KEY), ("app_secret", APP_SECRET), ("auth_code", code), ("grant_type", "authorized_code")];
        self.url("/api/v2/token/get", &query)
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> reqwest::Result<Answer> {
        let query = [
            ("app_key", APP_KEY),
            ("app_secret", APP_SECRET),
            ("refresh_token", refresh_token),
            ("grant_type", "refresh_token"),
        ];
        self.get(self.url("/api/v2/token/refresh", &query), None).await
    }

    pub(crate) async fn shops(&self, access_token: &str) -> reqwest::Result<Answer> {
        self.get(self.signed_url(SHOPS_PATH, &[], ""), Some(access_token)).await
    }

    /// The body counts in the signature.
    pub(crate) fn signed_url(&self, path: &str, query: &[(&str, &str)], body: &str) -> Url {
        let timestamp = self.simulator.now().to_string();
        let mut query = [&[("app_key", APP_KEY), ("timestamp", &timestamp)], query].concat();
        query.sort_unstable();
        let parameters: String = query.iter().flat_map(|(key, value)| [*key, *value]).collect();
        let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
        mac.update(format!("{APP_SECRET}{path}{parameters}{body}{APP_SECRET}").as_bytes());
        let sign = hex::encode(mac.finalize().into_bytes());
        query.push(("sign", &sign));
        self.url(path, &query)
    }

    /// A call to the webhooks of the shop with this cipher.
    pub(crate) async fn webhooks(
        &self,
        method: Method,
        access_token: &str,
        cipher: &str,
        body: &str,
    ) -> reqwest::Result<Answer> {
        let url = self.signed_url(WEBHOOKS_PATH, &[("shop_cipher", cipher)], body);
        Self::send(self.webhooks_request(method, url, access_token, body)).await
    }

    pub(crate) fn webhooks_request(&self, method: Method, url: Url, access_token: &str, body: &str) -> RequestBuilder {
        let request = self.http.request(method, url).header("x-tts-access-token", access_token);
        request.header("content-type", "application/json").body(body.to_owned())
    }

    /// A first pair: access token, refresh token.
    pub(crate) async fn tokens(&self) -> (String, String) {
        let answer = self.exchange(&self.code()).await.unwrap();
        (answer.data("access_token"), answer.data("refresh_token"))
    }
}

/// Waits for it, for ten seconds at most.
pub(crate) async fn until(holds: impl AsyncFn() -> bool) {
    let holds = async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), holds).await.unwrap();
}

pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
