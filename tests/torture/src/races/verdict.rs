//! What must hold when everybody is done.

use std::{collections::BTreeSet, time::Duration};

use end_to_end::Stack;
use futures_util::future::join_all;
use simulators::tiktok_shop::Route;

use super::{
    Tally,
    plan::{Action, Lookup, Plan},
    storm::{Answered, Before},
};
use crate::world::{self, CLAIM, Truth, connection};

/// Every caller has an answer within this time.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// The sellers that these failures are about.
pub(super) fn named_in(sellers: &[String], broken: &[String]) -> Vec<String> {
    sellers.iter().filter(|seller| broken.iter().any(|broken| broken.contains(seller.as_str()))).cloned().collect()
}

/// Judges a round; whatever the disconnects have left to do is done then.
pub(super) async fn pass(
    stack: &Stack,
    plan: &Plan,
    before: &Before,
    answered: &[Answered],
    tally: &mut Tally,
) -> Result<Vec<String>, String> {
    let mut broken: Vec<String> = answered.iter().filter_map(|answered| bad_answer(plan, answered)).collect();
    world::sweep(stack).await?;
    broken.extend(exchanges(stack, plan));
    broken.extend(one_version_for_all(stack, plan, before).await);
    broken.extend(world::coherent(stack).await);
    count(stack, plan, answered, tally);
    // A refresh that was under way when its connection ended may keep something until its claim is over.
    stack.age(CLAIM).await;
    world::sweep(stack).await?;
    broken.extend(Truth::of(stack, &plan.sellers).await.iter().flat_map(world::settled));
    Ok(broken)
}

fn count(stack: &Stack, plan: &Plan, answered: &[Answered], tally: &mut Tally) {
    tally.sweeps += plan.actions.iter().filter(|(_, action)| matches!(action, Action::Sweep(_))).count();
    tally.lookups += answered.len();
    tally.authorizations += plan.coming_back().count();
    tally.disconnects += plan.disconnecting().count();
    tally.refreshes += stack.tiktok_shop().effects(Route::TokenRefresh);
    tally.postponed += answered.iter().filter(|answered| answered.status == 503).count();
    let slowest = answered.iter().map(|answered| answered.took.as_secs_f64());
    tally.slowest = slowest.fold(tally.slowest, f64::max);
}

fn bad_answer(plan: &Plan, answered: &Answered) -> Option<String> {
    let ended = plan.disconnecting().any(|seller| *seller == answered.seller);
    let documented = match (answered.status, answered.code.as_deref()) {
        (200, _) | (503, Some("refresh_failed" | "storage_unavailable")) => true,
        // Nobody had seen that version yet.
        (400, Some("bad_request")) => matches!(answered.lookup, Lookup::RejectedNext),
        // The shop of a disconnected seller is nobody's, once the secret is deleted.
        (410, Some("disconnected")) | (404, Some("connection_not_found")) => ended,
        _ => false,
    };
    (!documented || answered.took > ANSWERED_WITHIN).then(|| format!("a lookup was answered so: {answered:?}"))
}

/// Once for each connection that was due; at most once where a new authorization or the end came between.
fn exchanges(stack: &Stack, plan: &Plan) -> Vec<String> {
    let between: BTreeSet<_> = plan.coming_back().chain(plan.disconnecting()).collect();
    let (refreshes, codes) =
        (stack.tiktok_shop().calls_to(Route::TokenRefresh), stack.tiktok_shop().calls_to(Route::TokenGet));
    let mut broken = Vec::new();
    for seller in &plan.sellers {
        let of = |calls: &[simulators::tiktok_shop::Call]| {
            calls.iter().filter(|call| call.seller.as_deref() == Some(seller)).count()
        };
        let (count, least) = (of(&refreshes), usize::from(!between.contains(seller)));
        if !(least..=1).contains(&count) {
            broken.push(format!("{seller} was refreshed {count} times"));
        }
        let redeemed = usize::from(plan.coming_back().any(|coming| coming == seller));
        if of(&codes) != redeemed {
            broken.push(format!("{seller}: {} codes were exchanged instead of {redeemed}", of(&codes)));
        }
        let peak = stack.tiktok_shop().peak_in_flight_for(Route::TokenRefresh, seller);
        if peak > 1 {
            broken.push(format!("{peak} exchanges of {seller} at a time"));
        }
    }
    broken
}

/// Nobody is doubted, and everybody is served the newest token, by whatever route.
async fn one_version_for_all(stack: &Stack, plan: &Plan, before: &Before) -> Vec<String> {
    let ended: BTreeSet<_> = plan.disconnecting().collect();
    let truths = Truth::of(stack, &plan.sellers).await;
    let judged = plan.sellers.iter().zip(&truths).map(|(seller, truth)| {
        let ended = ended.contains(seller);
        async move { if ended { still_served(stack, seller).await } else { served(stack, seller, truth, before).await } }
    });
    join_all(judged).await.into_iter().flatten().collect()
}

async fn still_served(stack: &Stack, seller: &str) -> Option<String> {
    let answer = stack.vendor().token(&connection(seller)).await;
    (answer.status != 410).then(|| format!("{seller} was disconnected and is answered {}", answer.status))
}

async fn served(stack: &Stack, seller: &str, truth: &Truth, before: &Before) -> Option<String> {
    let Some(item) = &truth.item else { return Some(format!("{seller} is gone")) };
    if truth.text("status") != "active" || item["refusals"] != 0 || item["failures"] != 0 {
        return Some(format!("{seller} is in doubt for having lost a race: {item}"));
    }
    let newest = stack.tiktok_shop().newest_access_token(stack.app_key("us"), seller);
    let by_shop = format!("tiktok-shop/us/{seller}-shop-0");
    let vendor = stack.vendor();
    for answer in [vendor.token(&connection(seller)).await, vendor.token_by_shop(&by_shop).await] {
        if answer.status != 200 {
            return Some(format!("{seller} is not served: {} {}", answer.status, answer.body));
        }
        let token = answer.json();
        let moved = token["version"].as_u64() > before.versions.get(seller).copied();
        if !moved || token["version"] != item["token_version"] || token["access_token"].as_str() != newest.as_deref() {
            let version = &token["version"];
            return Some(format!("{seller} is served version {version}, not the newest: {item}"));
        }
    }
    None
}
