//! Normal running: from now on all is well and no process dies. Every breaker has to close in time, whichever process comes to
//! the gate.

use std::fmt::Arguments;

use super::{
    breakers::FRESH_FOR,
    config::{Config, Market},
    names::{HOST, VAULT},
    state::{Broken, State},
};

/// Time within which every breaker has to close, in seconds: the longest window, one exchange, and the age of two views.
const RECOVERY: i64 = 900 + 60 + 2 * FRESH_FOR;

/// A way in which normal running goes on.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// All is well, and this process always has a connection that is due.
    AllWell(usize),
    /// The observed app stays misconfigured and always comes before another app, which has to be served.
    OtherApp,
}

/// The rule that does not hold in the end. `watch` sees each state until then.
pub(super) fn broken(config: &Config, state: &State, mut watch: impl FnMut(&State, Arguments<'_>)) -> Option<Broken> {
    let ways = (0..state.processes.len()).map(Way::AllWell).chain(config.other_app.then_some(Way::OtherApp));
    for way in ways {
        if goes(config, state, way, &mut |_, _| ()).is_some() {
            return goes(config, state, way, &mut watch);
        }
    }
    None
}

fn goes(config: &Config, state: &State, way: Way, watch: &mut impl FnMut(&State, Arguments<'_>)) -> Option<Broken> {
    let (market, breakers, late): (_, &[usize], _) = match way {
        Way::AllWell(_) => (Market::Well, &[0, HOST, VAULT], Broken::StaysOpen),
        Way::OtherApp => (Market::Misconfigured, &[HOST, VAULT], Broken::OtherAppNotServed),
    };
    let mut s = State { market, vault_works: true, ..state.clone() };
    watch(&s, format_args!("{way:?}, from now on"));
    finish(config, &mut s, watch);
    loop {
        if s.broken.is_some() || breakers.iter().all(|at| s.table[*at].open_until().is_none()) {
            return s.broken;
        }
        if s.now.since(state.now) > RECOVERY {
            return Some(late);
        }
        match way {
            Way::AllWell(process) => comes(config, &mut s, process, false, watch),
            Way::OtherApp => {
                comes(config, &mut s, 0, false, watch);
                comes(config, &mut s, 0, true, watch);
            }
        }
        // Until a window ends, or the next run begins.
        let time = s.next_end().unwrap_or_else(|| s.now.plus(60));
        config.move_to(&mut s, time);
    }
}

fn comes(config: &Config, s: &mut State, process: usize, other: bool, watch: &mut impl FnMut(&State, Arguments<'_>)) {
    let came = config.comes(s, process, other);
    let (whose, what) = (if other { " of the other app" } else { "" }, if came { "comes" } else { "is turned away" });
    watch(s, format_args!("An exchange{whose} {what}"));
    finish(config, s, watch);
}

/// Lets all that is under way come to its end.
fn finish(config: &Config, s: &mut State, watch: &mut impl FnMut(&State, Arguments<'_>)) {
    while let Some(process) = s.processes.iter().position(|process| !process.works.is_empty()) {
        let work = &s.processes[process].works[0];
        let (number, step) = (work.number, work.step);
        let response = if work.of_other_app { Market::Well } else { s.market };
        config.step(s, process, 0, response);
        watch(s, format_args!("#{number} {step:?}"));
    }
}
