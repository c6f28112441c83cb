//! A client that knows the protocol and nothing of the simulator's inside.

use std::collections::BTreeMap;
use std::time::Duration;

use md5::{Digest, Md5};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use simulators::temu::{App, Mall, MallType, Purpose, Region, Router, Seller, Simulator};
use tokio::time::{sleep, timeout};
use url::Url;

pub(crate) const INFO: &str = "bg.open.accesstoken.info.get";
pub(crate) const INFO_AT_PA: &str = "bg.open.accesstoken.info.get.global";
pub(crate) const CREATE: &str = "bg.open.accesstoken.create";
pub(crate) const ORDERS: &str = "bg.order.list.get";
pub(crate) const GOODS: &str = "bg.goods.list.get";

pub(crate) const APP_KEY: &str = "us-app";
pub(crate) const SELLER: &str = "ann";
pub(crate) const MALL: u64 = 634_418_212;
/// Semi-managed, of the same seller.
pub(crate) const SEMI_MALL: u64 = 634_418_213;

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
        self.json()["errorCode"].as_i64().unwrap()
    }

    pub(crate) fn result(&self) -> Value {
        self.json()["result"].clone()
    }
}

pub(crate) fn secret(app_key: &str) -> String {
    format!("{app_key}-secret")
}

impl Client {
    /// An app in each region, and a seller with a local and a semi-managed mall.
    pub(crate) async fn start() -> Self {
        Self::start_at([127, 0, 0, 1]).await
    }

    /// On a loopback address of its own, which Linux needs no set-up for: no other test is given the ports that it frees.
    pub(crate) async fn start_at(address: [u8; 4]) -> Self {
        let simulator = Simulator::start((address, 0).into()).await.unwrap();
        let callback: Url = "http://localhost:9/callback".parse().unwrap();
        for region in Region::ALL {
            let app_key = format!("{}-app", region.name());
            let app = App::new(&app_key, secret(&app_key), region).with_name("Acme Listing");
            simulator.add_app(app.with_redirect_url(callback.clone()));
        }
        let seller = Seller::new(SELLER)
            .with_mall(Mall::new(MALL, MallType::Local).with_name("Ann's Attic"))
            .with_mall(Mall::new(SEMI_MALL, MallType::SemiManaged).with_name("Ann Abroad"));
        simulator.add_seller(seller);
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        Self { simulator, http }
    }

    pub(crate) fn token(&self) -> String {
        self.simulator.issue(APP_KEY, MALL, Purpose::All).unwrap()
    }

    /// `Err` where no complete answer came.
    pub(crate) async fn post(&self, router: Router, body: String) -> reqwest::Result<Answer> {
        let request = self.http.post(self.simulator.router_url(router));
        let response = request.header("content-type", "application/json").body(body).send().await?;
        let retry_after = response.headers().get("retry-after");
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after.map(|value| value.to_str().unwrap().to_owned()),
            body: response.text().await?,
        })
    }

    /// A signed call with flat members.
    pub(crate) async fn send(&self, router: Router, app_key: &str, members: Value) -> reqwest::Result<Answer> {
        let mut members: BTreeMap<String, Value> = serde_json::from_value(members).unwrap();
        members.insert("app_key".to_owned(), json!(app_key));
        members.insert("timestamp".to_owned(), json!(self.simulator.now()));
        members.insert("data_type".to_owned(), json!("JSON"));
        let mut text = secret(app_key);
        for (key, value) in &members {
            text += key;
            text += &value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        }
        text += &secret(app_key);
        members.insert("sign".to_owned(), json!(hex::encode_upper(Md5::digest(text))));
        self.post(router, json!(members).to_string()).await
    }

    pub(crate) async fn call(&self, router: Router, app_key: &str, call: &str, token: &str) -> reqwest::Result<Answer> {
        self.send(router, app_key, json!({ "type": call, "access_token": token })).await
    }

    /// Whose token it is, at the router of the United States.
    pub(crate) async fn info(&self, token: &str) -> reqwest::Result<Answer> {
        self.call(Router::Us, APP_KEY, INFO, token).await
    }

    pub(crate) fn code(&self) -> String {
        let callback = self.simulator.authorize(APP_KEY, SELLER, None).unwrap();
        parameter(&callback, "code").unwrap()
    }

    pub(crate) async fn create(&self, code: &str) -> reqwest::Result<Answer> {
        self.send(Router::Us, APP_KEY, json!({ "type": CREATE, "code": code, "access_token": code })).await
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
