//! One round: the scene, the kill, and everything as usual afterwards.

use std::{sync::Arc, time::Duration};

use end_to_end::Stack;
use futures_util::future::join_all;
use simulators::tiktok_shop::Route;
use tokio::{
    task::{JoinError, JoinHandle},
    time::{sleep, timeout},
};

use super::{
    hook::Hook,
    plan::{Kill, Plan},
    scene::{Act, Prepared, Scene},
};
use crate::world::{self, BACK_OFF, CLAIM, DUE, Truth};

/// How long those may take who are not killed. A lookup gives up on a refresh after 16 seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// Sweeps until a failure that may pass has passed, or has been believed.
const SWEEPS: usize = 6;

const DAY: i64 = 86_400;

/// What came of a round.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// The kills, and whether it came to them: the step was reached.
    pub(super) killed: Vec<(Kill, bool)>,
    /// Codes and refresh tokens that were exchanged.
    pub(super) exchanges: usize,
    /// Connections whose only token set died with the process.
    pub(super) lost: u32,
    /// What did not hold.
    pub(super) broken: Vec<String>,
}

impl Played {
    /// A round that ended in a panic.
    pub(super) fn panicked(error: &JoinError) -> Self {
        Self { broken: vec![error.to_string()], ..Self::default() }
    }
}

/// Plays it.
pub(super) async fn play(stack: Arc<Stack>, plan: Plan) -> Played {
    let mut played = Played::default();
    if let Err(error) = play_through(&stack, &plan, &mut played).await {
        played.broken.push(error);
    }
    let tiktok_shop = stack.tiktok_shop();
    played.exchanges = tiktok_shop.effects(Route::TokenRefresh) + tiktok_shop.effects(Route::TokenGet);
    played
}

async fn play_through(stack: &Arc<Stack>, plan: &Plan, played: &mut Played) -> Result<(), String> {
    let sellers = plan.sellers();
    stack.begin_anew().await;
    stack.tiktok_shop().configure(|settings| {
        settings.rotation = plan.rotation;
        settings.new_grant_ends_old = plan.new_grant_ends_old;
    });
    for seller in &sellers {
        world::add_seller(stack, seller, plan.shops);
    }
    let mut prepared = plan.scene.prepare(stack, &sellers).await?;
    let before = Truth::of(stack, &sellers).await;

    let acts = plan.scene.acts(stack, &sellers, &mut prepared);
    played.killed.push((plan.kill, kill(stack, &plan.kill, &sellers, acts).await?));
    if let Some(second) = &plan.second {
        stack.age(CLAIM).await;
        let acts = Scene::Sweep.acts(stack, &sellers, &mut Prepared::default());
        played.killed.push((*second, kill(stack, second, &sellers, acts).await?));
    }
    let after = Truth::of(stack, &sellers).await;
    played.broken.extend(world::coherent(stack).await);
    played.broken.extend(served(stack, &after).await);
    for (session, result) in &prepared.confirmations {
        if plan.scene == Scene::Confirm {
            world::confirm(stack, session, result).await?;
        }
    }

    for _ in 0..2 {
        stack.age(CLAIM).await;
        world::sweep(stack).await?;
    }
    played.broken.extend(world::coherent(stack).await);
    let settled = prove(stack, &sellers).await?;
    played.broken.extend(world::coherent(stack).await);
    for seller in &sellers {
        let peak = stack.tiktok_shop().peak_in_flight_for(Route::TokenRefresh, seller);
        if peak > 1 {
            played.broken.push(format!("{peak} exchanges of {seller} at a time"));
        }
    }
    for ((before, after), end) in before.iter().zip(&after).zip(&settled) {
        played.broken.extend(world::settled(end));
        if end.text("account_id") == "another" {
            played.broken.push(format!("the connection is another account's now: {end:?}"));
        }
        let was_active =
            [before, after].iter().any(|then| then.text("status") == "active") || plan.scene == Scene::Confirm;
        played.lost += u32::from(was_active && !after.is_alive());
        played.broken.extend(judge(plan, was_active, after, end));
    }
    for (seller, end) in sellers.iter().zip(&settled) {
        if end.text("status") != "active" {
            world::connect(stack, seller).await?;
        }
        let end = &Truth::of(stack, std::slice::from_ref(seller)).await[0];
        played.broken.extend(world::settled(end).into_iter().chain(works(stack, end).await));
    }
    played.broken.extend(world::told(stack, &sellers).await?);
    Ok(())
}

/// Lets them begin and kills the victim at the step; says whether it came to that.
async fn kill(stack: &Arc<Stack>, kill: &Kill, sellers: &[String], acts: Vec<Act>) -> Result<bool, String> {
    let victim = kill.victim;
    let hook = Hook::set(stack, kill, sellers);
    let acts: Vec<_> = acts.into_iter().map(|(function, act)| (function, tokio::spawn(act))).collect();
    let done = async {
        while !acts.iter().all(|(_, act)| act.is_finished()) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let killed = tokio::select! {
        biased;
        () = hook.reached(stack) => true,
        () = done => false,
        () = sleep(PATIENCE) => return Err("the scene does not end".into()),
    };
    if killed {
        stack.kill(victim);
        stack.start_process(victim).map_err(|error| error.to_string())?;
    }
    let (victims, others): (Vec<_>, Vec<_>) = acts.into_iter().partition(|(function, _)| *function == victim);
    if killed {
        for (_, act) in &victims {
            act.abort();
        }
    }
    let others: Vec<_> = others.into_iter().map(|(_, act)| act).collect();
    if hook.outlasts_others(kill.fate) {
        // If it is one of theirs that is held, they ask again, and it comes as a late second one.
        finish(others).await?;
        world::sweep(stack).await?;
        hook.resolve(stack, kill.fate).await;
    } else {
        hook.resolve(stack, kill.fate).await;
        finish(others).await?;
    }
    let_work_end(stack, sellers).await;
    Ok(killed)
}

async fn finish(acts: Vec<JoinHandle<()>>) -> Result<(), String> {
    let ended = timeout(PATIENCE, join_all(acts)).await.map_err(|_| "who was not killed does not end".to_owned())?;
    ended.into_iter().collect::<Result<Vec<()>, _>>().map(drop).map_err(|error| error.to_string())
}

/// Somebody whom nobody waits for any more may still be at work: refresh-sweep, when the lookup that invoked it was killed.
async fn let_work_end(stack: &Stack, sellers: &[String]) {
    for _ in 0..20 {
        let truth = Truth::of(stack, sellers).await;
        let held = truth.iter().filter_map(|truth| truth.item.as_ref()).any(|item| item.get("attempt").is_some());
        if !held {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Whoever was served before is served now: a claim keeps nobody from the token that there is.
async fn served(stack: &Stack, truth: &[Truth]) -> Vec<String> {
    let mut active = truth.iter().filter(|truth| truth.text("status") == "active");
    let Some(truth) = active.next_back() else { return Vec::new() };
    let answer = stack.vendor().token(&truth.connection).await;
    let served = answer.status == 200;
    let not_served = (!served).then(|| format!("not served after the kill: {} {}", answer.status, answer.body));
    not_served.into_iter().collect()
}

/// Lets everything come due once more, so that what is stored has to prove itself.
async fn prove(stack: &Stack, sellers: &[String]) -> Result<Vec<Truth>, String> {
    stack.age(DUE).await;
    let mut truth = Vec::new();
    for sweep in 0..SWEEPS {
        world::sweep(stack).await?;
        truth = Truth::of(stack, sellers).await;
        if truth.iter().all(|truth| world::settled(truth).is_empty()) {
            break;
        }
        // A refusal that no other connection confirms is believed after a day.
        stack.age(if sweep + 2 < SWEEPS { BACK_OFF } else { DAY }).await;
    }
    Ok(truth)
}

/// Whether a connection has become what it may have become.
fn judge(plan: &Plan, was_active: bool, after: &Truth, end: &Truth) -> Option<String> {
    let scene = plan.scene;
    let (status, reason) = (end.text("status"), end.text("reason"));
    let gone = end.item.is_none() || status == "disconnected";
    let ended = scene.disconnects() && (status == "disconnected" || (gone && scene.authorizes()));
    let wrong = if !was_active {
        // Never confirmed: it goes; one that was disconnected may be as it was, or the callback was found in the vault.
        !(gone || (status == "active" && !scene.needs_confirmation()))
    } else if ended {
        false
    } else if after.is_alive() {
        status != "active"
    } else {
        let told = reason == "rotation_lost" || (scene.authorizes() && reason == "refused");
        !plan.may_lose() || status != "reauthorization_required" || !told
    };
    let alive = if after.is_alive() { "alive" } else { "lost" };
    wrong.then(|| {
        format!("{}: {alive} after the kill, {status} {reason} in the end: {:?} {:?}", end.connection, after, end)
    })
}

/// An active connection is served, and with what the marketplace takes.
async fn works(stack: &Stack, truth: &Truth) -> Option<String> {
    if truth.text("status") != "active" {
        return Some(format!("the seller cannot come back: {:?}", truth.item));
    }
    let answer = stack.vendor().token(&truth.connection).await;
    let token = answer.json();
    let works = token["access_token"].as_str().is_some_and(|token| stack.tiktok_shop().accepts(token));
    (answer.status != 200 || !works).then(|| format!("not served: {} {}", answer.status, answer.body))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use simulators::tiktok_shop::Rotation;

    use super::*;

    #[test]
    fn every_step_of_every_scene_is_drawn() {
        let plans: Vec<_> = (0..4_000).map(Plan::drawn).collect();
        let drawn: BTreeSet<_> = plans.iter().map(|plan| format!("{:?} {:?}", plan.scene, plan.kill.step)).collect();
        let all: BTreeSet<_> = plans
            .iter()
            .flat_map(|plan| plan.scene.steps().into_iter().map(|step| format!("{:?} {step:?}", plan.scene)))
            .collect();
        assert_eq!(drawn, all);
        for rotation in [Rotation::Unchanged, Rotation::KeepOld, Rotation::Grace, Rotation::OneTime] {
            assert!(plans.iter().any(|plan| plan.rotation == rotation));
        }
    }
}
