//! What is asked once and may be asked again: the vendor's calls, and the seller's way out.

use std::time::{Duration, Instant};

use end_to_end::Answer;
use serde_json::json;

use super::says_unavailable;
use crate::faults::{
    job::Job,
    outcome::{Outcome, Word},
    scene::{Armed, Scene, arrived, must, told},
};

/// Every answer of token-lookup comes within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Asks while something goes wrong, and once more if the answer was 503.
async fn asked<F: Future<Output = Answer>>(
    scene: &Scene,
    job: Job,
    armed: Armed,
    good: u16,
    ask: impl Fn() -> F,
) -> Result<(Outcome, Answer), String> {
    let began = Instant::now();
    let answer = ask().await;
    let took = began.elapsed();
    if scene.cell.is_none() {
        scene.compare(job.steps(), &armed)?;
    }
    let hit = scene.over(armed).await?;
    must(took < ANSWER_WITHIN, || format!("the answer took {} s", took.as_secs()))?;
    if answer.status == good {
        return Ok((hit.well(), answer));
    }
    says_unavailable(&answer)?;
    let again = ask().await;
    must(again.status == good, || format!("the same call again: {} {}", again.status, again.body))?;
    Ok((hit.with(Word::Unavailable), again))
}

pub(super) async fn open_session(scene: &Scene) -> Result<Outcome, String> {
    let body = json!({ "account_id": "acme", "account_label": "Acme", "confirm": false });
    let armed = scene.strike()?;
    let (outcome, opened) =
        asked(scene, Job::OpenSession, armed, 201, async || scene.stack().vendor().open_session(&body).await).await?;
    let link = opened.json()["connect_url"].as_str().unwrap_or_default().to_owned();
    let page = scene.stack().browser().open(&link).await;
    must(page.status == 200, || format!("its link does not open: {}", page.body))?;
    Ok(outcome)
}

pub(super) async fn way_out(scene: &Scene) -> Result<Outcome, String> {
    let session = scene.stack().vendor().connect_session(json!({ "account_id": "acme" })).await;
    let browser = scene.stack().browser();
    let out = format!("{}/tiktok-shop/us", session.connect_url);
    let armed = scene.strike()?;
    let mut word = None;
    for (url, good) in [(&session.connect_url, 200), (&out, 302)] {
        let page = browser.open(url).await;
        if page.status != good {
            must(page.status == 503, || format!("neither a page nor 503: {} {}", page.status, page.body))?;
            word = Some((url.clone(), good));
        }
    }
    if scene.cell.is_none() {
        scene.compare(Job::WayOut.steps(), &armed)?;
    }
    let hit = scene.over(armed).await?;
    if let Some((url, good)) = &word {
        let again = browser.open(url).await;
        must(again.status == *good, || format!("the same page again: {} {}", again.status, again.body))?;
    }
    let link = browser.leave(&session.connect_url, "us").await;
    must(link.query().is_some_and(|query| query.contains("state=")), || format!("no `state` in {link}"))?;
    Ok(if word.is_some() { hit.with(Word::Reload) } else { hit.well() })
}

pub(super) async fn confirm(scene: &Scene) -> Result<Outcome, String> {
    let (session, browser, callback) = scene.authorize().await;
    let back = browser.come_back(&callback).await;
    must(arrived(&back), || format!("the seller cannot connect: {}", told(&back)))?;
    let armed = scene.strike()?;
    let ask = async || scene.stack().vendor().confirm(&session, back.result()).await;
    let (outcome, _) = asked(scene, Job::Confirm, armed, 200, ask).await?;
    scene.works().await?;
    Ok(outcome)
}

pub(super) async fn lookup(scene: &Scene, warm: bool) -> Result<Outcome, String> {
    scene.connect().await?;
    let armed = if warm { scene.strike_after(async || scene.token().await).await? } else { scene.strike()? };
    let job = if warm { Job::WarmLookup } else { Job::ColdLookup };
    let (outcome, answer) = asked(scene, job, armed, 200, async || scene.token().await).await?;
    must(scene.accepts(&answer), || "the token does not work".into())?;
    Ok(outcome)
}

pub(super) async fn shop_lookup(scene: &Scene) -> Result<Outcome, String> {
    scene.connect().await?;
    let shop = scene.connection.replace("us/", "us/shop-of-");
    let ask = async || scene.stack().vendor().token_by_shop(&shop).await;
    let armed = scene.strike_after(ask).await?;
    let (outcome, answer) = asked(scene, Job::ShopLookup, armed, 200, ask).await?;
    must(scene.accepts(&answer), || "the token does not work".into())?;
    Ok(outcome)
}

pub(super) async fn disconnect(scene: &Scene) -> Result<Outcome, String> {
    scene.connect().await?;
    let armed = scene.strike()?;
    let ask = async || scene.stack().vendor().disconnect(&scene.connection).await;
    let (outcome, _) = asked(scene, Job::Disconnect, armed, 200, ask).await?;
    super::deletion::is_gone(scene).await?;
    Ok(outcome)
}
