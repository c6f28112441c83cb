//! A marketplace that knows two calls of TikTok Shop's and takes its time. It knows its sellers by number, so a hundred
//! thousand of them cost nothing, and it refuses a refresh token that was spent before. It knows one app.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::HeaderMap,
    routing::get,
    serve::ListenerExt,
};
use serde_json::{Value, json};
use shop_keyring::{marketplace::tiktok_shop::TOKEN_HEADER, time::Timestamp};
use tokio::net::TcpListener;

use crate::rows::{self, HEALTHY};

const DAY: i64 = 86_400;

/// The access token and the refresh token of a seller after so many refreshes.
pub(crate) fn tokens(seller: u32, refreshes: u32) -> (String, String) {
    // As long as real ones.
    let token =
        |kind: &str| format!("TTP_OPHSu4HHu3bAdwJjt4nfQgy7pZgH2P1nf2rmm0773d9EiU0bLKba.{kind}.{seller}.{refreshes}");
    (token("access"), token("refresh"))
}

fn parse(token: &str, kind: &str) -> Option<(u32, u32)> {
    let mut parts = token.rsplit('.');
    let (refreshes, seller) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next() == Some(kind)).then_some((seller, refreshes))
}

/// The running marketplace. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Marketplace {
    address: SocketAddr,
    state: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    latency: Duration,
    /// Refreshes of each seller who had any.
    refreshes: Mutex<HashMap<u32, u32>>,
    refreshed: AtomicU64,
    listed: AtomicU64,
    refused: AtomicU64,
    rejected: AtomicU64,
}

impl Marketplace {
    pub(crate) async fn start(latency: Duration) -> io::Result<Self> {
        let state = Arc::new(Inner {
            latency,
            refreshes: Mutex::default(),
            refreshed: AtomicU64::new(0),
            listed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        });
        let router = Router::new()
            .route("/api/v2/token/refresh", get(refresh))
            .route("/authorization/202309/shops", get(shops))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Small answers must not wait for the client's delayed acknowledgement.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, state })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Refreshes so far.
    pub(crate) fn refreshed(&self) -> u64 {
        self.state.refreshed.load(Ordering::Relaxed)
    }

    /// Lists of shops so far.
    pub(crate) fn listed(&self) -> u64 {
        self.state.listed.load(Ordering::Relaxed)
    }

    /// Calls with a token that was not the seller's last one.
    pub(crate) fn refused(&self) -> u64 {
        self.state.refused.load(Ordering::Relaxed)
    }

    /// Calls with an app secret that is wrong.
    pub(crate) fn rejected(&self) -> u64 {
        self.state.rejected.load(Ordering::Relaxed)
    }
}

async fn refresh(State(state): State<Arc<Inner>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    tokio::time::sleep(state.latency).await;
    if query.get("app_secret").is_none_or(|secret| secret != HEALTHY.secret) {
        state.rejected.fetch_add(1, Ordering::Relaxed);
        return Json(json!({ "code": 36_009_004, "message": "app_secret is invalid", "request_id": "bench" }));
    }
    let spent = query.get("refresh_token").and_then(|token| parse(token, "refresh"));
    let fresh = spent.filter(|(seller, refreshes)| {
        let mut known = state.refreshes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(*seller).or_default();
        let right = known == refreshes;
        *known += u32::from(right);
        right
    });
    let Some((seller, refreshes)) = fresh else {
        state.refused.fetch_add(1, Ordering::Relaxed);
        return Json(json!({ "code": 36_004_005, "message": "no such authorization", "request_id": "bench" }));
    };
    state.refreshed.fetch_add(1, Ordering::Relaxed);
    let (access_token, refresh_token) = tokens(seller, refreshes + 1);
    let now = Timestamp::local_now();
    Json(json!({ "code": 0, "message": "success", "request_id": "bench", "data": {
        "access_token": access_token,
        "access_token_expire_in": now.plus(7 * DAY).0,
        "refresh_token": refresh_token,
        "refresh_token_expire_in": now.plus(365 * DAY).0,
        "open_id": rows::seller(seller),
        "seller_name": format!("Attic {seller}"),
        "seller_base_region": "US",
        "user_type": 0,
        "granted_scopes": ["seller.authorization.info", "seller.order.info"],
    } }))
}

async fn shops(State(state): State<Arc<Inner>>, headers: HeaderMap) -> Json<Value> {
    tokio::time::sleep(state.latency).await;
    let token = headers.get(TOKEN_HEADER).and_then(|token| token.to_str().ok());
    // As at TikTok Shop, an access token works until its own end, whatever was refreshed since.
    let Some((seller, _)) = token.and_then(|token| parse(token, "access")) else {
        state.refused.fetch_add(1, Ordering::Relaxed);
        return Json(json!({ "code": 105_002, "message": "expired credentials", "request_id": "bench" }));
    };
    state.listed.fetch_add(1, Ordering::Relaxed);
    Json(json!({ "code": 0, "message": "Success", "request_id": "bench", "data": { "shops": [{
        "id": rows::shop(seller),
        "name": format!("Attic {seller}"),
        "region": "US",
        "seller_type": "LOCAL",
        "cipher": rows::cipher(seller),
        "code": "USLCBA4LLU8",
    }] } }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{App, STOPPED};

    /// Spends a refresh token; returns the response's code.
    async fn spend_as(app: App, token: &str, marketplace: &Marketplace) -> i64 {
        let url = format!("{}/api/v2/token/refresh", marketplace.url());
        let query = [("app_key", app.key), ("app_secret", app.secret), ("refresh_token", token)];
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = client.get(url).query(&query).send().await.unwrap().json::<Value>().await.unwrap();
        response["code"].as_i64().unwrap()
    }

    #[test]
    fn tokens_tell_whose_they_are() {
        let (access, refresh) = tokens(4_711, 2);
        assert_eq!(parse(&access, "access"), Some((4_711, 2)));
        assert_eq!(parse(&refresh, "refresh"), Some((4_711, 2)));
        assert_eq!(parse(&access, "refresh"), None);
    }

    #[tokio::test]
    async fn a_refresh_token_works_once() {
        let marketplace = Marketplace::start(Duration::ZERO).await.unwrap();
        let (_, token) = tokens(7, 0);
        let spend = async || spend_as(HEALTHY, &token, &marketplace).await;
        assert_eq!((spend().await, spend().await), (0, 36_004_005));
        assert_eq!((marketplace.refreshed(), marketplace.refused()), (1, 1));
    }

    #[tokio::test]
    async fn an_app_with_a_wrong_secret_is_rejected_before_its_token_is_spent() {
        let marketplace = Marketplace::start(Duration::ZERO).await.unwrap();
        let (_, token) = tokens(7, 0);
        assert_eq!(spend_as(STOPPED, &token, &marketplace).await, 36_009_004);
        assert_eq!(spend_as(HEALTHY, &token, &marketplace).await, 0);
        assert_eq!((marketplace.refreshed(), marketplace.rejected(), marketplace.refused()), (1, 1, 0));
    }
}
