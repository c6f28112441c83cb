//! The webhooks of a new connection.

use serde_json::Value;

use crate::faults::{
    job::Job,
    outcome::{Outcome, Word},
    scene::{Scene, must},
};

pub(super) async fn registration(scene: &Scene) -> Result<Outcome, String> {
    scene.connect_only().await?;
    scene.age(scene.until_due()).await;
    let armed = scene.strike()?;
    let _ = scene.bench.sweep().await;
    if scene.cell.is_none() {
        scene.compare(Job::Webhooks.steps(), &armed)?;
    }
    let hit = scene.over(armed).await?;
    let after = scene.item().await?;
    let word = match () {
        () if is_registered(&after) => None,
        () if after["webhooks"]["failures"] == 1 => Some(Word::Deferred),
        () => Some(Word::NextRun),
    };
    must(after["failures"] == 0 && after["last_error"].is_null(), || format!("it counts against tokens: {after}"))?;
    if word.is_some() {
        scene.run_on(is_registered).await?;
    }
    must(scene.has_webhooks(), || "the item says so, and TikTok Shop does not".into())?;
    scene.works().await?;
    Ok(word.map_or_else(|| hit.well(), |word| hit.with(word)))
}

fn is_registered(item: &Value) -> bool {
    item["webhooks"]["shops"].is_array() && item["webhooks"]["due_at"].is_null()
}
