//! Refreshes: by the schedule, and on demand.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::says_unavailable;
use crate::faults::{
    outcome::{Outcome, Word},
    scene::{DUE, Hit, Scene, must},
};

/// A token's life and what is left of it when a caller wants more.
const LIFE: i64 = 7 * 86_400;
const LEFT: i64 = 300;
const WANTED: u32 = 1_200;

/// Every answer of token-lookup comes within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

pub(super) async fn scheduled(scene: &Scene) -> Result<Outcome, String> {
    scene.connect().await?;
    scene.opens_second_shop()?;
    scene.age(DUE).await;
    let armed = scene.strike()?;
    // A run that fails altogether is one of the outcomes.
    let _ = scene.bench.sweep().await;
    if scene.cell.is_none() {
        scene.compare(super::Job::Sweep.steps(), &armed)?;
    }
    let hit = scene.over(armed).await?;
    settle(scene, hit, Word::NextRun).await
}

pub(super) async fn on_demand(scene: &Scene) -> Result<Outcome, String> {
    scene.connect().await?;
    scene.opens_second_shop()?;
    scene.age(LIFE - LEFT).await;
    let armed = scene.strike()?;
    let asked = Instant::now();
    let answer = scene.stack().vendor().token_for(&scene.connection, WANTED).await;
    let took = asked.elapsed();
    if scene.cell.is_none() {
        scene.compare(super::Job::OnDemand.steps(), &armed)?;
    }
    let hit = scene.over(armed).await?;
    must(took < ANSWER_WITHIN, || format!("the answer took {} s", took.as_secs()))?;
    if answer.status != 200 {
        says_unavailable(&answer)?;
        let again = scene.stack().vendor().token_for(&scene.connection, WANTED).await;
        must(again.status == 200 && scene.accepts(&again), || format!("and again: {}", again.body))?;
        scene.run_on(is_refreshed).await?;
        scene.works().await?;
        return Ok(hit.with(Word::Unavailable));
    }
    must(scene.accepts(&answer), || "the token that was served does not work".into())?;
    let served: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
    if served["version"] == 1 && is_refreshed(&scene.item().await?) {
        // The refresh came when its caller had gone.
        scene.works().await?;
        return Ok(hit.with(Word::OldToken));
    }
    settle(scene, hit, Word::OldToken).await
}

fn is_refreshed(item: &Value) -> bool {
    item["token_version"] == 2
}

fn needs_the_seller(item: &Value) -> bool {
    item["status"] == "reauthorization_required"
}

/// What became of a refresh; `untouched`: if it did not even begin.
async fn settle(scene: &Scene, hit: Hit, untouched: Word) -> Result<Outcome, String> {
    let after = scene.item().await?;
    if is_refreshed(&after) {
        let second = scene.second_shop();
        let listed = after["shops"].as_array().is_some_and(|shops| shops.iter().any(|shop| shop["id"] == *second));
        scene.works().await?;
        let shop = scene.stack().vendor().token_by_shop(&format!("tiktok-shop/us/{second}")).await;
        must(shop.status == 200, || format!("its second shop is not found: {}", shop.body))?;
        return Ok(if listed { hit.well() } else { hit.with(Word::ShopsLater) });
    }
    let (noted, put_off) = (after["failures"] != 0, after["last_error"].is_object());
    let healed = scene.run_on(|item| is_refreshed(item) || needs_the_seller(item)).await?;
    let in_the_end = scene.item().await?;
    if needs_the_seller(&in_the_end) {
        must(in_the_end["reason"] == "rotation_lost", || format!("ended for another reason: {in_the_end}"))?;
        must(scene.round.is_strict(), || "lost, although the refresh token works more than once".into())?;
        let last = scene.token().await;
        let expired = in_the_end["access_expires_at"].as_i64() <= in_the_end["updated_at"].as_i64();
        must(expired || (last.status == 200 && scene.accepts(&last)), || format!("not served on: {}", last.body))?;
        scene.connect().await?;
        scene.works().await?;
        return Ok(hit.with(Word::RotationLost));
    }
    scene.works().await?;
    Ok(hit.with(match () {
        () if healed => Word::Healed,
        () if noted => Word::TriedAgain,
        () if put_off => Word::Deferred,
        () => untouched,
    }))
}
