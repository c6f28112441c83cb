//! Circuit breakers that every process shares: when a marketplace's host, an app or the vault is left alone. Pure.
//!
//! A breaker opens after failures that concern more than one connection. While it is open, nothing is spent that it guards.
//! When its time has passed, one process at a time tries (*half open*): before the try it writes the next, longer opening, so
//! a process that dies in the middle leaves an open breaker and never one that nobody closes. If the try succeeds, the breaker
//! closes; otherwise it stays as it was written.
//!
//! The state lies in the item `health/{breaker}`. No item means that all is well, so deleting one is the operator's reset.

use std::{cmp::Reverse, fmt};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    names::{AppKeyPath, AttemptId},
    time::Timestamp,
};

/// How long a breaker is open, in seconds: the first time, and after each try that failed.
const LENGTHS: [i64; 5] = [60, 120, 240, 480, 900];

/// The longest wait that a marketplace may ask for, in seconds.
const LONGEST_WAIT: i64 = 15 * 60;

/// An end further ahead than this was written by a clock that is wrong, and counts as passed. In seconds.
const FURTHEST_AHEAD: i64 = 16 * 60;

/// After so many seconds closed, a breaker opens for the shortest time again.
const FORGIVEN_AFTER: i64 = 15 * 60;

/// Failures count together if they are no further apart than this, in seconds.
const WITHIN: i64 = 3 * 60;

/// A host of a marketplace, with its port where that is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

impl Host {
    /// The host of an address.
    pub fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        Self(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A breaker, by what it guards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breaker {
    /// A host, from calls while it does not respond. All apps of TikTok Shop share their token host.
    Host(Host),
    /// An app, from calls while its marketplace rejects its configuration or has asked for a pause.
    Lane(AppKeyPath),
    /// The vault, from new token sets while it does not store them. Reads and deletions go on.
    Vault,
}

impl Breaker {
    /// So many different connections in a row have to fail before it opens. Of the vault one, because each failure may cost
    /// a token.
    const fn failures(&self) -> usize {
        match self {
            Self::Host(_) => 5,
            Self::Lane(_) => 3,
            Self::Vault => 1,
        }
    }
}

impl fmt::Display for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => write!(f, "host/{host}"),
            Self::Lane(app) => write!(f, "lane/{app}"),
            Self::Vault => f.write_str("vault/secrets-manager"),
        }
    }
}

/// What a breaker says to somebody who wants to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is closed.
    Pass,
    /// Its time has passed: go on with a turn ([`State::with_turn`]), which one process gets.
    NeedsTurn,
    /// It is open.
    Refuse {
        /// For so many seconds.
        retry_after: i64,
    },
}

/// The state of one breaker. The default is that of a breaker without an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// The latest failures, latest first, one for each connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Failure>,
    /// When something succeeded that was known to follow failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    succeeded_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<Open>,
    /// How it was closed the last time, if it had been tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<Closed>,
}

/// One connection that met a failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Failure {
    /// Which one; for a callback, whose connection is not known yet, a name of its own.
    by: String,
    at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Open {
    until: Timestamp,
    /// Place in [`LENGTHS`].
    length: u8,
    /// Who wrote this: only they may close it.
    turn: AttemptId,
    /// Whether a marketplace has asked for it, so that nothing is wrong.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Closed {
    at: Timestamp,
    /// Place in [`LENGTHS`] of the next opening, unless that comes much later.
    length: u8,
}

/// A change that somebody has seen reason for. It may be applied twice, and to a state that others have changed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// [`State::succeeded`].
    Succeeded {
        /// When.
        at: Timestamp,
    },
    /// [`State::failed`].
    Failed {
        /// Which connection met it.
        by: String,
        /// Under which claim.
        turn: AttemptId,
        /// When.
        at: Timestamp,
    },
    /// [`State::failed_for_all`].
    FailedForAll {
        /// Under which claim.
        turn: AttemptId,
        /// When.
        at: Timestamp,
    },
    /// [`State::asked_to_wait`].
    AskedToWait {
        /// Seconds.
        wait: i64,
        /// Under which claim.
        turn: AttemptId,
        /// When.
        at: Timestamp,
    },
    /// [`State::closed_by`].
    Closed {
        /// Whose turn it was.
        turn: AttemptId,
        /// When.
        at: Timestamp,
    },
    /// [`State::given_back`].
    GivenBack {
        /// Whose turn it was.
        turn: AttemptId,
        /// The state before the turn was taken.
        before: State,
        /// When.
        at: Timestamp,
    },
}

impl Change {
    /// What the state becomes by it; `None` if it changes nothing.
    pub fn apply(&self, breaker: &Breaker, state: &State) -> Option<State> {
        match self {
            Self::Succeeded { at } => state.succeeded(*at),
            Self::Failed { by, turn, at } => state.failed(breaker, by, *turn, *at),
            Self::FailedForAll { turn, at } => state.failed_for_all(*turn, *at),
            Self::AskedToWait { wait, turn, at } => state.asked_to_wait(*wait, *turn, *at),
            Self::Closed { turn, at } => state.closed_by(*turn, *at),
            Self::GivenBack { turn, before, .. } => state.given_back(*turn, before),
        }
    }

    /// Whether it is so old at `now` that it says nothing any more.
    pub fn is_outdated(&self, now: Timestamp) -> bool {
        let (Self::Succeeded { at }
        | Self::Failed { at, .. }
        | Self::FailedForAll { at, .. }
        | Self::AskedToWait { at, .. }
        | Self::Closed { at, .. }
        | Self::GivenBack { at, .. }) = self;
        now.since(*at) > FURTHEST_AHEAD
    }
}

impl State {
    /// What it says at `now`.
    pub fn admission(&self, now: Timestamp) -> Admission {
        let Some(open) = self.open else { return Admission::Pass };
        let left = open.until.since(now);
        if (1..=FURTHEST_AHEAD).contains(&left) {
            Admission::Refuse { retry_after: left }
        } else {
            Admission::NeedsTurn
        }
    }

    /// Until when it is open, if it is; past while nobody has tried yet.
    pub fn open_until(&self) -> Option<Timestamp> {
        self.open.map(|open| open.until)
    }

    /// Whether a success would be worth writing down: there are failures that it answers.
    pub fn has_failures(&self) -> bool {
        self.open.is_none() && !self.failures.is_empty()
    }

    /// Takes the turn to try: the breaker is open for the next length, whatever becomes of the one who tries. `None` if it
    /// is not there to be taken.
    #[must_use]
    pub fn with_turn(&self, turn: AttemptId, now: Timestamp) -> Option<Self> {
        let open = self.open.filter(|_| self.admission(now) == Admission::NeedsTurn)?;
        let length = longer(open.length);
        Some(Self { open: Some(Open { until: now.plus(seconds(length)), length, turn, ..open }), ..self.clone() })
    }

    /// Gives a turn back that could not be used: it is open as it was `before`. `None` if somebody else has changed that.
    #[must_use]
    pub fn given_back(&self, turn: AttemptId, before: &Self) -> Option<Self> {
        self.open.filter(|open| open.turn == turn)?;
        Some(Self { open: before.open, ..self.clone() })
    }

    /// Closes it, after a success of the one who opened it or took the turn. `None` if somebody else has changed it since.
    #[must_use]
    pub fn closed_by(&self, turn: AttemptId, now: Timestamp) -> Option<Self> {
        let open = self.open.filter(|open| open.turn == turn)?;
        // Open for the shortest time means that nobody has tried: a single put that succeeded after all. And nothing was wrong
        // where a marketplace had asked to wait.
        let closed = Some(Closed { at: now, length: open.length }).filter(|_| open.length > 0 && !open.asked);
        Some(Self { closed, ..Self::default() })
    }

    /// Adds that something succeeded at `at`: failures until then are no longer in a row. `None` if there are none.
    #[must_use]
    pub fn succeeded(&self, at: Timestamp) -> Option<Self> {
        let is_news = self.has_failures() && self.succeeded_at.is_none_or(|known| known < at);
        let mut state = Self { succeeded_at: Some(at), ..self.clone() };
        state.failures.retain(|failure| failure.at > at);
        is_news.then_some(state)
    }

    /// Adds a failure that `by` met under the claim `turn`. `None` if it changes nothing.
    #[must_use]
    pub fn failed(&self, breaker: &Breaker, by: &str, turn: AttemptId, now: Timestamp) -> Option<Self> {
        if let Some(open) = self.open {
            return self.grown(breaker, open, by, turn, now);
        }
        let is_late = self.succeeded_at.is_some_and(|at| now <= at);
        if is_late {
            return None;
        }
        let mut state = self.clone();
        state.failures.retain(|failure| failure.by != by && now.since(failure.at).abs() <= WITHIN);
        state.failures.push(Failure { by: by.to_owned(), at: now });
        state.failures.sort_by_key(|failure| Reverse(failure.at));
        state.failures.truncate(breaker.failures());
        if state.failures.len() == breaker.failures() { Some(state.opened(turn, now)) } else { Some(state) }
    }

    /// A second connection whose token set the vault does not store: that is more than one lost packet.
    fn grown(&self, breaker: &Breaker, open: Open, by: &str, turn: AttemptId, now: Timestamp) -> Option<Self> {
        let is_second = self.failures.first().is_some_and(|first| first.by != by);
        if *breaker != Breaker::Vault || open.length > 0 || open.turn == turn || !is_second {
            return None;
        }
        let length = longer(open.length);
        let until = open.until.max(now.plus(seconds(length)));
        Some(Self { open: Some(Open { until, length, turn, ..open }), ..self.clone() })
    }

    /// Opens it at once, or for the next length if its time has passed: what was met concerns everybody.
    #[must_use]
    pub fn failed_for_all(&self, turn: AttemptId, now: Timestamp) -> Option<Self> {
        match self.admission(now) {
            Admission::Pass => Some(self.opened(turn, now)),
            Admission::NeedsTurn => self.with_turn(turn, now),
            Admission::Refuse { .. } => None,
        }
    }

    /// Opens it for as long as the marketplace has asked for, in seconds. `None` if it is open longer than that, unless by
    /// this very turn: the one who tried has got a response, so the time does not grow.
    #[must_use]
    pub fn asked_to_wait(&self, wait: i64, turn: AttemptId, now: Timestamp) -> Option<Self> {
        let until = now.plus(wait.clamp(1, LONGEST_WAIT));
        let mine = self.open.filter(|open| open.turn == turn && open.until != until);
        if let Some(open) = mine {
            let open = Open { until, length: open.length.saturating_sub(1), turn, asked: true };
            return Some(Self { open: Some(open), ..self.clone() });
        }
        let is_longer = self.open.is_none_or(|open| open.until < until || open.until.since(now) > FURTHEST_AHEAD);
        let length = self.open.map_or(0, |open| open.length);
        let open = Open { until, length, turn, asked: true };
        is_longer.then(|| Self { open: Some(open), ..self.clone() })
    }

    fn opened(&self, turn: AttemptId, now: Timestamp) -> Self {
        let again = self.closed.filter(|closed| now.since(closed.at) < FORGIVEN_AFTER);
        let length = again.map_or(0, |closed| closed.length);
        let open = Some(Open { until: now.plus(seconds(length)), length, turn, asked: false });
        Self { open, closed: None, ..self.clone() }
    }
}

fn longer(length: u8) -> u8 {
    let last = u8::try_from(LENGTHS.len() - 1).unwrap_or(u8::MAX);
    length.saturating_add(1).min(last)
}

fn seconds(length: u8) -> i64 {
    LENGTHS.get(usize::from(length)).copied().unwrap_or(LENGTHS[LENGTHS.len() - 1])
}

#[cfg(test)]
mod tests;
