//! What goes wrong with a call, in the words of the fronts and of the simulators.

use std::time::Duration;

use emulators::front::FaultKind;
use simulators::tiktok_shop::{Trouble as AtMarketplace, When};

/// Longer than the functions wait for one answer of AWS (three seconds), so that the call takes effect when its caller
/// has gone.
const TOO_LATE: Duration = Duration::from_millis(3_500);

/// The same for an invocation, which is waited for longer (fourteen seconds).
const INVOCATION_TOO_LATE: Duration = Duration::from_secs(15);

/// Slow, but in time.
const SLOW: Duration = Duration::from_secs(1);

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// An error, and nothing has happened.
    ErrorBefore,
    /// An error, although it has happened.
    ErrorAfter,
    /// No answer in time. It happens all the same.
    TimeOut,
    /// Too many calls.
    Throttled,
    /// It happens, and the answer cannot be read.
    Garbage,
    /// It takes a second.
    Slow,
}

impl Trouble {
    /// All of them, in the order of the table's columns.
    pub(crate) const ALL: [Self; 6] =
        [Self::ErrorBefore, Self::ErrorAfter, Self::TimeOut, Self::Throttled, Self::Garbage, Self::Slow];

    /// As the column is called.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ErrorBefore => "error before",
            Self::ErrorAfter => "error after",
            Self::TimeOut => "time-out",
            Self::Throttled => "throttled",
            Self::Garbage => "garbage",
            Self::Slow => "slow",
        }
    }

    /// Whether it is worth while to have it last: what is slow is slow.
    pub(crate) const fn may_last(self) -> bool {
        !matches!(self, Self::Slow)
    }

    /// How it looks at AWS; `cut`: connections that break in place of errors.
    pub(super) const fn at_aws(self, is_invocation: bool, cut: bool) -> FaultKind {
        match self {
            Self::ErrorBefore if cut => FaultKind::DropBefore,
            Self::ErrorAfter if cut => FaultKind::DropAfter,
            Self::ErrorBefore => FaultKind::ErrorBefore,
            Self::ErrorAfter => FaultKind::ErrorAfter,
            Self::TimeOut => FaultKind::Latency(Self::too_late(is_invocation)),
            Self::Throttled => FaultKind::Throttle,
            Self::Garbage => FaultKind::Garbage,
            Self::Slow => FaultKind::Latency(SLOW),
        }
    }

    /// How it looks at a marketplace.
    pub(super) const fn at_marketplace(self, cut: bool) -> AtMarketplace {
        match self {
            Self::ErrorBefore if cut => AtMarketplace::Drop(When::BeforeEffect),
            Self::ErrorAfter if cut => AtMarketplace::Drop(When::AfterEffect),
            Self::ErrorBefore => AtMarketplace::ServerError(When::BeforeEffect),
            Self::ErrorAfter => AtMarketplace::ServerError(When::AfterEffect),
            Self::TimeOut => AtMarketplace::Hang(When::AfterEffect),
            Self::Throttled => AtMarketplace::RateLimited { retry_after: None },
            Self::Garbage => AtMarketplace::Malformed,
            Self::Slow => AtMarketplace::Latency(When::BeforeEffect, SLOW),
        }
    }

    /// After what time nothing of a late call is under way any more.
    pub(super) const fn too_late(is_invocation: bool) -> Duration {
        if is_invocation { INVOCATION_TOO_LATE } else { TOO_LATE }
    }
}
