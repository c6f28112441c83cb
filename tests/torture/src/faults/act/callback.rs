//! The seller comes back from the marketplace.

use std::time::{Duration, Instant};

use end_to_end::{Browser, Returned};
use url::Url;

use crate::faults::{
    job::Job,
    outcome::{Outcome, Word},
    scene::{Hit, LONG, Scene, arrived, must, told},
};

/// API Gateway cuts at 30 seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(29);

pub(super) async fn new_seller(scene: &Scene) -> Result<Outcome, String> {
    scene.opens_second_shop()?;
    come_back(scene, Job::NewSeller).await
}

pub(super) async fn known_seller(scene: &Scene) -> Result<Outcome, String> {
    scene.connect().await?;
    scene.opens_second_shop()?;
    scene.age(100).await;
    come_back(scene, Job::KnownSeller).await
}

async fn come_back(scene: &Scene, job: Job) -> Result<Outcome, String> {
    let (session, browser, callback) = scene.authorize().await;
    let armed = scene.strike()?;
    let began = Instant::now();
    let back = browser.come_back(&callback).await;
    let took = began.elapsed();
    if scene.cell.is_none() {
        scene.compare(job.steps(), &armed)?;
    }
    let hit = scene.over(armed).await?;
    must(took < ANSWER_WITHIN, || format!("the seller waited {} s", took.as_secs()))?;
    if arrived(&back) {
        confirm(scene, &session, &back).await?;
        return well(scene, hit).await;
    }
    let page = back.page.as_ref().ok_or_else(|| format!("the seller is led to {}", back.url))?;
    must(matches!(page.status, 200 | 503), || format!("the seller reads: {}", told(&back)))?;
    Ok(hit.with(failed(scene, job, &session, &browser, &callback).await?))
}

async fn confirm(scene: &Scene, session: &str, back: &Returned) -> Result<(), String> {
    let confirmed = scene.stack().vendor().confirm(session, back.result()).await;
    must(confirmed.status == 200, || format!("the vendor cannot confirm: {}", confirmed.body))
}

async fn well(scene: &Scene, hit: Hit) -> Result<Outcome, String> {
    let second = format!("tiktok-shop/us/{}", scene.second_shop());
    let listed = scene.stack().vendor().token_by_shop(&second).await.status == 200;
    scene.works().await?;
    let found = scene.stack().vendor().token_by_shop(&second).await;
    must(found.status == 200, || format!("its second shop is not found in the end: {}", found.body))?;
    Ok(if listed { hit.well() } else { hit.with(Word::ShopsLater) })
}

/// The seller reads that it went wrong.
async fn failed(scene: &Scene, job: Job, session: &str, browser: &Browser, callback: &Url) -> Result<Word, String> {
    let known = job == Job::KnownSeller;
    let renewed = known && scene.version().await == 2;
    let again = browser.come_back(callback).await;
    if arrived(&again) {
        confirm(scene, session, &again).await?;
        scene.works().await?;
        return Ok(Word::Reload);
    }
    if renewed {
        scene.works().await?;
        return Ok(Word::NotTold);
    }
    if known {
        scene.age(61).await;
        let swept = scene.bench.sweep().await?;
        if swept["healed"] == 1 {
            scene.works().await?;
            return Ok(Word::Healed);
        }
    } else if scene.round.gives_up {
        leaves_nothing_behind(scene).await?;
    }
    scene.connect().await?;
    scene.works().await?;
    Ok(Word::SellerRepeats)
}

/// A new seller who gives up is nowhere to be found two hours later.
async fn leaves_nothing_behind(scene: &Scene) -> Result<(), String> {
    for seconds in [61, LONG, LONG] {
        scene.age(seconds).await;
        scene.bench.sweep().await?;
    }
    let item = scene.stack().item(&scene.connection).await;
    must(item.is_none(), || format!("an item stays behind: {item:?}"))?;
    let secret = scene.stack().token_set(&scene.connection, None).await;
    must(secret.is_none(), || "a secret stays behind".into())
}
