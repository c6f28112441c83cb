//! An exchange under way, its steps, and its reports to the breakers.

use std::sync::Arc;

use shop_keyring::{health::State as Health, time::Timestamp};

use super::names::{HOST, LANE, VAULT};
use crate::vault::Number;

/// An exchange under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Work {
    pub(super) number: Number,
    /// When it came to the gate.
    pub(super) came_at: Timestamp,
    /// Whether it belongs to another app, whose own breaker is closed.
    pub(super) of_other_app: bool,
    pub(super) step: Step,
    /// Its turns, each with the state of the breaker before it was taken.
    pub(super) turns: [Option<Arc<Health>>; 3],
    /// Attempts that had written the windows before those turns.
    pub(super) writers: [Option<Number>; 3],
    /// Whether each breaker was opened after the call or put began whose result is still to be reported.
    pub(super) is_older: [bool; 3],
    /// Whether its first put failed before the last closing of the vault's breaker.
    pub(super) failed_earlier: bool,
}

/// The next step of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// It passes this breaker.
    Pass(usize),
    /// It gives its turns back.
    GiveBack,
    /// It has sent the request.
    Call,
    /// The first put has failed.
    PutAgain,
    /// It reports to these breakers, in order.
    Tell(&'static [Telling]),
}

/// A report to a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Telling {
    /// A success.
    Works(usize),
    /// A failure.
    Fails(usize),
    /// A later put has succeeded.
    VaultCloses,
    /// The marketplace has asked to wait.
    LaneWaits,
}

use Telling::{Fails, LaneWaits, VaultCloses, Works};

pub(super) const ACCEPTED: &[Telling] = &[Works(HOST), Works(LANE)];
pub(super) const STORED: &[Telling] = &[Works(VAULT), Works(HOST), Works(LANE)];
pub(super) const STORED_AFTER_ALL: &[Telling] = &[VaultCloses, Works(HOST), Works(LANE)];
pub(super) const NOT_STORED: &[Telling] = &[Fails(VAULT)];
pub(super) const OUTAGE: &[Telling] = &[Fails(HOST)];
pub(super) const MISCONFIGURED: &[Telling] = &[Works(HOST), Fails(LANE)];
pub(super) const ASKED_TO_WAIT: &[Telling] = &[Works(HOST), LaneWaits];

impl Work {
    /// Whether it has not sent its request yet.
    pub(super) const fn is_in_gate(&self) -> bool {
        matches!(self.step, Step::Pass(_) | Step::GiveBack)
    }

    /// A breaker whose turn it has.
    pub(super) fn next_turn(&self) -> Option<usize> {
        self.turns.iter().position(Option::is_some)
    }
}

impl Telling {
    /// Which breaker.
    pub(super) const fn breaker(self) -> usize {
        match self {
            Works(at) | Fails(at) => at,
            VaultCloses => VAULT,
            LaneWaits => LANE,
        }
    }
}
