//! When nobody is at work: normal running follows, scheduled and without troubles, until it is seen how it ends.

use shop_keyring::{
    connection::{Connection, Reason, Status, due::due_at},
    time::Timestamp,
};

use crate::{
    config::Beginning,
    explore::{HORIZON, Protocol},
    market::Rotation,
    state::{Broken, State, T0},
    vault::{Newest, number_of},
};

/// Sweeps that have to be enough.
const MOST: usize = 30;

/// From one sweep to the next, in seconds.
const EVERY: i64 = 60;

/// Within how many seconds a true notice is looked into, twice.
const SOON: i64 = 2 * 3_600;

/// The rule that does not hold in the end. `watch` sees the state after each sweep.
pub(crate) fn verdict(protocol: &Protocol, state: &State, mut watch: impl FnMut(&State)) -> Option<Broken> {
    let protocol = Protocol { quiet: true, ..protocol.clone() };
    let mut s = state.clone();
    let mut lasts = false;
    for _ in 0..MOST {
        let Some(due) = s.item.as_deref().and_then(due_at) else {
            lasts = true;
            break;
        };
        s.now = s.now.plus(EVERY).max(due);
        let (before, issued) = (s.item.clone(), s.market.clone());
        s = match protocol.sweep(&s) {
            Some(after) if after.item != before => after,
            // Due, and nothing to do or nothing done.
            _ => return Some(Broken::Stuck),
        };
        watch(&s);
        if let Some(broken) = s.broken {
            return Some(broken);
        }
        let version = |item: Option<&Connection>| item.map(|item| item.token_version);
        // What ends soon is not seen to last.
        let ends = s.market.ends_at().is_some_and(|end| end.since(T0) < HORIZON);
        if !ends && s.market != issued && version(s.item.as_deref()) != version(before.as_deref()) {
            lasts = true;
            break;
        }
    }
    ending(&protocol, state.now, &s, lasts)
}

fn ending(protocol: &Protocol, quiet_since: Timestamp, s: &State, lasts: bool) -> Option<Broken> {
    let secret = !s.vault.deleted && !s.vault.sets.is_empty();
    let Some(item) = s.item.as_deref() else {
        return nothing_left(protocol, s, secret);
    };
    match item.status {
        Status::Active if s.vault.deleted => {
            (!s.past.died_deleting && !s.past.restored).then_some(Broken::SecretDeleted)
        }
        Status::Active if s.past.restored && s.vault.newest(item, &[]) == Newest::AnotherAuthorization => None,
        _ if !lasts => Some(Broken::Stuck),
        Status::Pending => Some(Broken::Stuck),
        Status::Active => {
            let current = item.secret_version.as_ref().and_then(|version| s.vault.get(number_of(version)));
            let works = current.is_some_and(|set| s.market.takes(set.token, s.now));
            (!works).then_some(Broken::SilentlyDead)
        }
        Status::ReauthorizationRequired { reason } => lost(protocol, quiet_since, s, reason),
        // What was given after the backup of an ended connection is the operator's to look for.
        Status::Disconnected => (secret && !s.past.restored).then_some(Broken::SecretLeft),
    }
}

fn nothing_left(protocol: &Protocol, s: &State, secret: bool) -> Option<Broken> {
    if secret {
        return Some(Broken::SecretLeft);
    }
    // The first of a line, which was to become a connection.
    let due = protocol.config.beginning == Beginning::Due;
    let kept = s.vault.sets.iter().filter(|set| set.parent.is_none() && !(due && set.attempt == 0));
    let lost = !protocol.config.confirm
        && !s.past.died_deleting
        && kept.into_iter().any(|set| s.market.takes(set.token, s.now));
    lost.then_some(Broken::LostThoughKept)
}

fn lost(protocol: &Protocol, quiet_since: Timestamp, s: &State, reason: Reason) -> Option<Broken> {
    let rotation = reason == Reason::RotationLost;
    let over = s.market.ends_at().is_some_and(|end| end <= s.now);
    // We cannot know that the seller renewed before taking it back: at the known end a refusal is the end.
    let at_known_end = s.item.as_ref().is_some_and(|item| item.is_at_end(s.now));
    let expired = at_known_end && reason == Reason::AuthorizationExpired;
    if over && !s.market.left {
        return (!(expired || rotation && s.past.unknown)).then_some(Broken::NotSaidExpired);
    }
    if s.market.left {
        let said = matches!(reason, Reason::Deauthorized | Reason::Refused) || rotation && s.past.unknown || expired;
        return if !said {
            Some(Broken::NotSaidLeft)
        } else if s.past.told && (reason == Reason::Refused || s.now.since(quiet_since) > SOON) {
            Some(Broken::NoticeLost)
        } else {
            None
        };
    }
    // Nobody goes back to what is older than the current one, even if it should work still.
    let current = s.item.as_ref().and_then(|item| item.secret_version.as_ref()).map(number_of);
    let current = s.vault.sets.iter().find(|set| Some(set.attempt) == current).map(|set| s.market.age(set.token));
    let kept = || s.vault.sets.iter().filter(|set| Some(s.market.age(set.token)) >= current);
    if kept().any(|set| s.market.takes(set.token, s.now)) {
        return Some(Broken::LostThoughKept);
    }
    // A grant that nobody lived to keep is the seller's to repeat: the marketplace has ended the one before.
    let stood = kept().any(|set| s.market.stands(set.token, s.now));
    match protocol.config.rotation {
        Rotation::Strict => (stood && !rotation).then_some(Broken::NotSaidRotationLost),
        Rotation::Stays | Rotation::Grace => stood.then_some(Broken::LostWithoutRotation),
    }
}
