use std::time::Duration;

use tokio::sync::watch;

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

/// An error that every platform knows, and words in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// The platform's own internal error.
    Internal,
    /// The platform's own time-out.
    TimedOut,
    /// Too many calls.
    RateLimited,
    /// The caller's IP address is not on the app's list.
    IpNotAllowed,
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
        /// The error's code.
        code: i64,
        /// The error's message.
        message: String,
    },
    /// An error that every platform knows, in this one's words.
    Complaint(When, Complaint),
    /// Too many calls, before any effect.
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
    /// An envelope with HTTP 200, as most hosts word their errors.
    pub fn answer(when: When, code: i64, message: impl Into<String>) -> Self {
        Self::Answer { when, status: 200, code, message: message.into() }
    }

    /// The platform's own internal error.
    pub fn internal(when: When) -> Self {
        Self::Complaint(when, Complaint::Internal)
    }

    /// The platform's own time-out.
    pub fn timed_out(when: When) -> Self {
        Self::Complaint(when, Complaint::TimedOut)
    }

    /// The answer to a caller whose IP address is not on the app's list.
    pub fn ip_not_allowed() -> Self {
        Self::Complaint(When::BeforeEffect, Complaint::IpNotAllowed)
    }

    pub(crate) fn prevents_effect(&self) -> bool {
        match self {
            Self::Latency(..) | Self::Malformed | Self::Truncated => false,
            Self::RateLimited { .. } => true,
            Self::Hang(when)
            | Self::Drop(when)
            | Self::ServerError(when)
            | Self::Complaint(when, _)
            | Self::Answer { when, .. } => *when == When::BeforeEffect,
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

    /// Strikes only calls whose code or token belongs to this seller: TikTok Shop's `open_id`,
    /// Temu's mall id.
    #[must_use]
    pub fn for_seller(mut self, seller: impl Into<String>) -> Self {
        self.seller = Some(seller.into());
        self
    }

    fn strikes(&self, seller: Option<&str>) -> bool {
        self.remaining != Some(0) && (self.seller.is_none() || self.seller.as_deref() == seller)
    }
}

/// What one call has to suffer.
#[derive(Debug, Default)]
pub(crate) struct Suffering {
    pub(crate) latency_before: Duration,
    pub(crate) latency_after: Duration,
    pub(crate) trouble: Option<Trouble>,
}

/// The faults in store, by route.
#[derive(Debug)]
pub(crate) struct Faults<R> {
    pending: Vec<(R, Fault)>,
    /// For calls that hang; a route gets one with its first call.
    releases: Vec<(R, watch::Sender<()>)>,
}

impl<R> Default for Faults<R> {
    fn default() -> Self {
        Self { pending: Vec::new(), releases: Vec::new() }
    }
}

impl<R: Copy + PartialEq> Faults<R> {
    pub(crate) fn inject(&mut self, route: R, fault: Fault) {
        self.pending.push((route, fault));
    }

    /// Every latency in store adds up; of the other troubles the oldest wins and the rest wait for
    /// later calls, so that a sequence can be queued.
    pub(crate) fn strike(&mut self, route: R, seller: Option<&str>) -> Suffering {
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

    pub(crate) fn clear(&mut self, route: R) {
        self.pending.retain(|(on, _)| *on != route);
        for (_, release) in self.releases.iter().filter(|(on, _)| *on == route) {
            release.send_replace(());
        }
    }

    pub(crate) fn clear_all(&mut self) {
        self.pending.clear();
        for (_, release) in &self.releases {
            release.send_replace(());
        }
    }

    /// Resolves the wait of a hanging call once the route's faults are cleared.
    pub(crate) fn release_of(&mut self, route: R) -> watch::Receiver<()> {
        if let Some((_, release)) = self.releases.iter().find(|(on, _)| *on == route) {
            return release.subscribe();
        }
        let (release, released) = watch::channel(());
        self.releases.push((route, release));
        released
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_add_up_and_troubles_queue() {
        let mut faults = Faults::default();
        let second = Duration::from_secs(1);
        faults.inject("shops", Fault::new(Trouble::Latency(When::BeforeEffect, second)).times(1));
        faults.inject("shops", Fault::new(Trouble::Latency(When::BeforeEffect, second)));
        faults.inject("shops", Fault::new(Trouble::Malformed).times(1));
        faults.inject("shops", Fault::new(Trouble::Truncated).times(1));

        let first = faults.strike("shops", None);
        assert_eq!(first.latency_before, 2 * second);
        assert_eq!(first.trouble, Some(Trouble::Malformed));
        let next = faults.strike("shops", None);
        assert_eq!(next.latency_before, second);
        assert_eq!(next.trouble, Some(Trouble::Truncated));
        assert_eq!(faults.strike("shops", None).trouble, None);
        assert_eq!(faults.strike("get", None).latency_before, Duration::ZERO);
    }

    #[test]
    fn a_fault_can_be_for_one_seller() {
        let mut faults = Faults::default();
        faults.inject("refresh", Fault::new(Trouble::Malformed).for_seller("a").times(1));
        assert_eq!(faults.strike("refresh", Some("b")).trouble, None);
        assert_eq!(faults.strike("refresh", None).trouble, None);
        assert!(faults.strike("refresh", Some("a")).trouble.is_some());
        assert!(faults.strike("refresh", Some("a")).trouble.is_none());
    }

    #[test]
    fn clearing_is_by_route() {
        let mut faults = Faults::default();
        faults.inject("get", Fault::new(Trouble::Malformed));
        faults.inject("shops", Fault::new(Trouble::Malformed));
        faults.clear("get");
        assert!(faults.strike("get", None).trouble.is_none());
        assert!(faults.strike("shops", None).trouble.is_some());
    }
}
