//! The secret of a connection that was ended.

use serde_json::Value;

use crate::faults::{
    job::Job,
    outcome::{Outcome, Word},
    scene::{Scene, must},
};

pub(super) async fn deletion(scene: &Scene) -> Result<Outcome, String> {
    scene.connect().await?;
    let ended = scene.stack().vendor().disconnect(&scene.connection).await;
    must(ended.status == 200, || ended.body.clone())?;
    let armed = scene.strike()?;
    let _ = scene.bench.sweep().await;
    if scene.cell.is_none() {
        scene.compare(Job::Deletion.steps(), &armed)?;
    }
    let hit = scene.over(armed).await?;
    let after = scene.item().await?;
    let word = match () {
        () if is_forgotten(&after) => None,
        () if after["last_error"].is_object() => Some(Word::Deferred),
        () => Some(Word::NextRun),
    };
    is_gone(scene).await?;
    scene.connect().await?;
    scene.works().await?;
    Ok(word.map_or_else(|| hit.well(), |word| hit.with(word)))
}

fn is_forgotten(item: &Value) -> bool {
    item["status"] == "disconnected" && item["secret_version"].is_null() && item["due_at"].is_null()
}

/// Nothing is served, and the secret goes.
pub(super) async fn is_gone(scene: &Scene) -> Result<(), String> {
    let refused = scene.token().await;
    must(refused.status == 410, || format!("still served: {}", refused.body))?;
    if !is_forgotten(&scene.item().await?) {
        scene.run_on(is_forgotten).await?;
    }
    let secret = scene.stack().token_set(&scene.connection, None).await;
    must(secret.is_none(), || "its secret stays behind".into())
}
