//! Normal running without an incident, until the observed connection works or has ended for good reason.

use shop_keyring::connection::{Status, ended::has_ended};

use super::{
    explore::Lanes,
    state::{Broken, State},
};

/// Looks that have to be enough: one every hour and a half for seven days, and some more.
const MOST: usize = 150;

/// The rule that does not hold in the end. `watch` sees the state after each look.
pub(super) fn broken(lanes: &Lanes, state: &State, mut watch: impl FnMut(&State)) -> Option<Broken> {
    let mut s = state.clone();
    lanes.calm(&mut s);
    for _ in 0..MOST {
        let ended = has_ended(&s.item);
        if (ended && !s.alive) || (s.alive && s.item.status == Status::Active && s.item.refusals == 0 && !due_now(&s)) {
            return None;
        }
        let asked = if ended && !lanes.asks_again() { None } else { lanes.quiet_look(&s) };
        let Some(after) = asked else {
            return Some(if ended { Broken::NotHealed } else { Broken::Stuck });
        };
        s = after;
        watch(&s);
        if s.broken.is_some() {
            return s.broken;
        }
        if ended && s.item.status != Status::Active {
            return Some(Broken::NotHealed);
        }
    }
    Some(Broken::Stuck)
}

/// Whether a look is due that may change something.
fn due_now(s: &State) -> bool {
    shop_keyring::connection::due::due_at(&s.item).is_some_and(|due| due <= s.now)
}
