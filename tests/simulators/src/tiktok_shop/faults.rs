use std::time::Duration;

use tokio::sync::watch;

use super::answer::code;
use super::calls::Route;

/// On which side of the platform's own bookkeeping a fault strikes.
///
/// The caller sees the same thing either way; only the platform knows whether the code was used or
/// the token rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Nothing has happened at the platform, and nothing will.
    BeforeEffect,
    /// What was asked for has happened.
    AfterEffect,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The call takes longer. A caller that hangs up meanwhile does not stop it: with
    /// `BeforeEffect` the effect comes after the caller has gone.
    Latency(When, Duration),
    /// No answer, until the caller hangs up or the faults on the route are cleared.
    Hang(When),
    /// The connection closes without an answer.
    Drop(When),
    /// HTTP 500 with a page of text, as from a proxy in front.
    ServerError(When),
    /// Any envelope with any HTTP status.
    Answer {
        /// Whether the effect took place all the same.
        when: When,
        /// HTTP status.
        status: u16,
        /// The field `code`.
        code: i64,
        /// The field `message`.
        message: String,
    },
    /// HTTP 429, before any effect.
    RateLimited {
        /// Seconds in `Retry-After`; `None` leaves the header out.
        retry_after: Option<u32>,
    },
    /// After the effect, a complete HTTP answer whose JSON breaks off in the middle.
    Malformed,
    /// After the effect, an HTTP answer whose connection breaks off in the middle of the body.
    Truncated,
}

impl Trouble {
    /// An envelope with HTTP 200, as the token host words its errors.
    pub fn answer(when: When, code: i64, message: impl Into<String>) -> Self {
        Self::Answer { when, status: 200, code, message: message.into() }
    }

    /// The platform's own internal error, 36009003.
    pub fn internal(when: When) -> Self {
        Self::answer(when, code::INTERNAL, "Internal error, please try again later")
    }

    /// The platform's own time-out, 36009007.
    pub fn timed_out(when: When) -> Self {
        Self::answer(when, code::TIMED_OUT, "The request timed out, please try again later")
    }

    /// The answer to a caller whose IP address is not on the app's list, 36009033.
    pub fn ip_not_allowed() -> Self {
        Self::answer(When::BeforeEffect, code::IP_NOT_ALLOWED, "The IP address is not in the app's allow list")
    }

    pub(super) fn prevents_effect(&self) -> bool {
        match self {
            Self::Latency(..) | Self::Malformed | Self::Truncated => false,
            Self::RateLimited { .. } => true,
            Self::Hang(when) | Self::Drop(when) | Self::ServerError(when) | Self::Answer { when, .. } => {
                *when == When::BeforeEffect
            }
        }
    }
}

/// A trouble together with the calls that it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    trouble: Trouble,
    remaining: Option<u32>,
    seller: Option<String>,
}

impl Fault {
    /// Strikes every call until it is cleared.
    pub fn new(trouble: Trouble) -> Self {
        Self { trouble, remaining: None, seller: None }
    }

    /// Strikes only the next `calls` calls.
    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.remaining = Some(calls);
        self
    }

    /// Strikes only calls whose code or token belongs to this seller.
    #[must_use]
    pub fn for_seller(mut self, open_id: impl Into<String>) -> Self {
        self.seller = Some(open_id.into());
        self
    }

    fn strikes(&self, seller: Option<&str>) -> bool {
        self.remaining != Some(0) && (self.seller.is_none() || self.seller.as_deref() == seller)
    }
}

/// What one call has to suffer.
#[derive(Debug, Default)]
pub(super) struct Suffering {
    pub(super) latency_before: Duration,
    pub(super) latency_after: Duration,
    pub(super) trouble: Option<Trouble>,
}

/// The faults in store, by route.
#[derive(Debug)]
pub(super) struct Faults {
    pending: Vec<(Route, Fault)>,
    releases: [(Route, watch::Sender<()>); 3],
}

impl Default for Faults {
    fn default() -> Self {
        Self { pending: Vec::new(), releases: Route::ALL.map(|route| (route, watch::Sender::new(()))) }
    }
}

impl Faults {
    pub(super) fn inject(&mut self, route: Route, fault: Fault) {
        self.pending.push((route, fault));
    }

    /// Every latency in store adds up; of the other troubles the oldest wins and the rest wait for
    /// later calls, so that a sequence can be queued.
    pub(super) fn strike(&mut self, route: Route, seller: Option<&str>) -> Suffering {
        let mut suffering = Suffering::default();
        for (on, fault) in &mut self.pending {
            if *on != route || !fault.strikes(seller) {
                continue;
            }
            match &fault.trouble {
                Trouble::Latency(When::BeforeEffect, time) => suffering.latency_before += *time,
                Trouble::Latency(When::AfterEffect, time) => suffering.latency_after += *time,
                trouble if suffering.trouble.is_none() => suffering.trouble = Some(trouble.clone()),
                _ => continue,
            }
            if let Some(remaining) = &mut fault.remaining {
                *remaining -= 1;
            }
        }
        self.pending.retain(|(_, fault)| fault.remaining != Some(0));
        suffering
    }

    pub(super) fn clear(&mut self, route: Route) {
        self.pending.retain(|(on, _)| *on != route);
        for (on, release) in &self.releases {
            if *on == route {
                release.send_replace(());
            }
        }
    }

    /// Resolves the wait of a hanging call once the route's faults are cleared.
    pub(super) fn release_of(&self, route: Route) -> watch::Receiver<()> {
        let [first, rest @ ..] = &self.releases;
        rest.iter().find(|(on, _)| *on == route).unwrap_or(first).1.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_add_up_and_troubles_queue() {
        let mut faults = Faults::default();
        let second = Duration::from_secs(1);
        faults.inject(Route::Shops, Fault::new(Trouble::Latency(When::BeforeEffect, second)).times(1));
        faults.inject(Route::Shops, Fault::new(Trouble::Latency(When::BeforeEffect, second)));
        faults.inject(Route::Shops, Fault::new(Trouble::Malformed).times(1));
        faults.inject(Route::Shops, Fault::new(Trouble::Truncated).times(1));

        let first = faults.strike(Route::Shops, None);
        assert_eq!(first.latency_before, 2 * second);
        assert_eq!(first.trouble, Some(Trouble::Malformed));
        let next = faults.strike(Route::Shops, None);
        assert_eq!(next.latency_before, second);
        assert_eq!(next.trouble, Some(Trouble::Truncated));
        assert_eq!(faults.strike(Route::Shops, None).trouble, None);
        assert_eq!(faults.strike(Route::TokenGet, None).latency_before, Duration::ZERO);
    }

    #[test]
    fn a_fault_can_be_for_one_seller() {
        let mut faults = Faults::default();
        faults.inject(Route::TokenRefresh, Fault::new(Trouble::Malformed).for_seller("a").times(1));
        assert_eq!(faults.strike(Route::TokenRefresh, Some("b")).trouble, None);
        assert_eq!(faults.strike(Route::TokenRefresh, None).trouble, None);
        assert!(faults.strike(Route::TokenRefresh, Some("a")).trouble.is_some());
        assert!(faults.strike(Route::TokenRefresh, Some("a")).trouble.is_none());
    }

    #[test]
    fn clearing_is_by_route() {
        let mut faults = Faults::default();
        faults.inject(Route::TokenGet, Fault::new(Trouble::Malformed));
        faults.inject(Route::Shops, Fault::new(Trouble::Malformed));
        faults.clear(Route::TokenGet);
        assert!(faults.strike(Route::TokenGet, None).trouble.is_none());
        assert!(faults.strike(Route::Shops, None).trouble.is_some());
    }
}
