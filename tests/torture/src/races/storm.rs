//! The round itself: all actions, each at its time.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use end_to_end::{Browser, Function, Stack, VendorApi};
use futures_util::future::join_all;
use serde_json::json;
use simulators::tiktok_shop::{Fault, Route, Trouble, When};
use tokio::time::{sleep, timeout};
use url::Url;

use super::plan::{Action, Lookup, Plan};
use crate::world::{self, connection};

/// A sweep may take Lambda's time; nobody waits longer for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// What there was before.
#[derive(Debug)]
pub(super) struct Before {
    /// Each seller's `token_version`.
    pub(super) versions: BTreeMap<String, u64>,
    callbacks: tokio::sync::Mutex<BTreeMap<String, (Browser, Url)>>,
}

/// How a caller was answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) seller: String,
    pub(super) lookup: Lookup,
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) took: Duration,
}

/// Brings the fleet to where the round begins.
pub(super) async fn prepare(stack: &Stack, plan: &Plan) -> Result<Before, String> {
    let tiktok_shop = stack.tiktok_shop();
    tiktok_shop.configure(|settings| {
        settings.rotation = plan.rotation;
        settings.new_grant_ends_old = plan.new_grant_ends_old;
    });
    stack.age(plan.age).await;
    let mut callbacks = BTreeMap::new();
    for seller in plan.coming_back() {
        let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
        let browser = stack.browser();
        drop(browser.open(&session.connect_url).await.expect(200));
        let link = browser.leave(&session.connect_url, "us").await;
        let callback = browser.authorize(&link, seller).await;
        callbacks.insert(seller.clone(), (browser, callback));
    }
    let truth = world::Truth::of(stack, &plan.sellers).await;
    let mut versions = BTreeMap::new();
    for (seller, truth) in plan.sellers.iter().zip(truth) {
        let version = truth.item.as_ref().and_then(|item| item["token_version"].as_u64());
        let version = version.filter(|_| truth.text("status") == "active");
        versions.insert(seller.clone(), version.ok_or_else(|| format!("{seller} is not connected: {:?}", truth.item))?);
    }
    tiktok_shop.forget_calls();
    for route in [Route::TokenRefresh, Route::TokenGet] {
        for (when, latency) in [When::BeforeEffect, When::AfterEffect].into_iter().zip(plan.latency) {
            tiktok_shop.inject(route, Fault::new(Trouble::Latency(when, latency)));
        }
    }
    Ok(Before { versions, callbacks: callbacks.into() })
}

/// Lets everything happen; gives how the lookups were answered.
pub(super) async fn rage(stack: &Arc<Stack>, plan: &Plan, before: &Before) -> Result<Vec<Answered>, String> {
    let begun = Instant::now();
    let acts = plan.actions.iter().map(|(delay, action)| async {
        sleep(delay.saturating_sub(begun.elapsed())).await;
        act(stack, action, before).await
    });
    let acted = timeout(PATIENCE, join_all(acts)).await;
    for route in [Route::TokenRefresh, Route::TokenGet] {
        stack.tiktok_shop().clear_faults(route);
    }
    let acted: Result<Vec<_>, _> = acted.map_err(|_| "the round does not end".to_owned())?.into_iter().collect();
    Ok(acted?.into_iter().flatten().collect())
}

async fn act(stack: &Stack, action: &Action, before: &Before) -> Result<Option<Answered>, String> {
    match action {
        Action::Sweep(input) => {
            let answer = stack.invoke(Function::RefreshSweep, input).await.map_err(|error| error.to_string())?;
            // On a busy machine a call may take too long; the next tick does the work.
            if answer.status != 200 && !answer.body.contains("(no answer)") {
                return Err(format!("a sweep failed: {} {}", answer.status, answer.body));
            }
            Ok(None)
        }
        Action::Lookup(seller, lookup) => {
            let version = before.versions.get(seller).copied().unwrap_or_default();
            Ok(Some(look_up(&stack.vendor(), seller, *lookup, version).await))
        }
        Action::ComeBack(seller) => {
            let Some((browser, callback)) = before.callbacks.lock().await.remove(seller) else { return Ok(None) };
            let back = browser.come_back(&callback).await;
            if back.parameter("result").is_none() {
                return Err(format!("{seller} was not connected anew: {:?}", back.page.map(|page| page.body)));
            }
            Ok(None)
        }
        Action::Disconnect(seller) => {
            let answer = stack.vendor().disconnect(&connection(seller)).await;
            if answer.status == 200 { Ok(None) } else { Err(format!("{seller}: {} {}", answer.status, answer.body)) }
        }
    }
}

async fn look_up(vendor: &VendorApi, seller: &str, lookup: Lookup, version: u64) -> Answered {
    let (begun, connection) = (Instant::now(), connection(seller));
    let answer = match lookup {
        Lookup::Token => vendor.token(&connection).await,
        Lookup::ByShop => vendor.token_by_shop(&format!("tiktok-shop/us/{seller}-shop-0")).await,
        Lookup::LongLived => vendor.token_for(&connection, 86_400).await,
        Lookup::Rejected => vendor.refresh(&connection, version).await,
        Lookup::RejectedNext => vendor.refresh(&connection, version + 1).await,
    };
    Answered { seller: seller.to_owned(), lookup, status: answer.status, code: answer.code(), took: begun.elapsed() }
}
