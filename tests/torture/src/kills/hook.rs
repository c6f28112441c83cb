//! What holds a process at the step where it is killed.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use emulators::front::{Front, PausePoint};
use end_to_end::Stack;
use simulators::tiktok_shop::{Fault, Route, Trouble, When};
use tokio::time::sleep;

use super::plan::{Effect, Fate, Kill, Step};

/// How long a call takes that is to have its effect when its caller is dead.
const LATE: Duration = Duration::from_millis(150);

/// How often the marketplace is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// A trap that is set.
pub(super) enum Hook {
    /// At one of the fronts.
    Point(PausePoint),
    /// At the marketplace.
    Call(Route, Effect),
}

impl Hook {
    /// Sets it.
    pub(super) fn set(stack: &Stack, kill: &Kill, sellers: &[String]) -> Self {
        let nth = |front: &Front, operation, moment| {
            let passing = AtomicU64::new(kill.passing);
            let passes =
                move || passing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            Self::Point(front.pause_when(operation, moment, move |_| !passes()))
        };
        match kill.step {
            Step::Table(operation, moment) => nth(stack.dynamodb().front(), operation, moment),
            Step::Vault(operation, moment) => nth(stack.secrets_manager().front(), operation, moment),
            Step::Bus(operation, moment) => nth(stack.event_bus().front(), operation, moment),
            Step::Marketplace(route, effect) => {
                let trouble = match effect {
                    Effect::Never => Trouble::Hang(When::BeforeEffect),
                    Effect::Late => Trouble::Latency(When::BeforeEffect, LATE),
                    Effect::Done => Trouble::Hang(When::AfterEffect),
                };
                let seller = usize::try_from(kill.passing).unwrap_or_default() % sellers.len();
                stack.tiktok_shop().inject(route, Fault::new(trouble).times(1).for_seller(&sellers[seller]));
                Self::Call(route, effect)
            }
        }
    }

    /// Ends when somebody is held.
    pub(super) async fn reached(&self, stack: &Stack) {
        match self {
            Self::Point(point) => drop(point.reached().await),
            Self::Call(route, effect) => loop {
                let calls = stack.tiktok_shop().in_flight(*route);
                if calls.iter().any(|call| *effect != Effect::Done || call.effect.is_some()) {
                    return;
                }
                sleep(LOOK).await;
            },
        }
    }

    /// Whether what is held is to go on only when the others are done, and the next sweep.
    pub(super) fn outlasts_others(&self, fate: Fate) -> bool {
        matches!(self, Self::Point(_)) && fate == Fate::Later
    }

    /// Lets what is held meet its fate, and waits until all that was on its way has arrived.
    pub(super) async fn resolve(self, stack: &Stack, fate: Fate) {
        match self {
            Self::Point(point) if fate == Fate::Lost => point.discard(),
            Self::Point(point) => point.release(),
            Self::Call(route, Effect::Late) => {
                sleep(LATE).await;
                stack.tiktok_shop().clear_faults(route);
            }
            Self::Call(route, _) => stack.tiktok_shop().clear_faults(route),
        }
        sleep(Duration::from_millis(30)).await;
    }
}
