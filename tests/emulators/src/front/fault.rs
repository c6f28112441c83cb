//! Faults: which calls fail, and how.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Call, lock};

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 500, and nothing has happened.
    ErrorBefore,
    /// 500, although it has happened.
    ErrorAfter,
    /// The connection closes without an answer, and nothing has happened.
    DropBefore,
    /// The connection closes without an answer, although it has happened.
    DropAfter,
    /// 400 with the service's throttling error; nothing has happened.
    Throttle,
    /// It goes well, but takes this much longer.
    Latency(Duration),
    /// It has happened, but the answer is 200 with something that is not JSON.
    Garbage,
    /// 400 with this error type, such as `AccessDeniedException`; nothing has happened.
    Refuse(&'static str),
}

type Predicate = Box<dyn Fn(&Call) -> bool + Send + Sync>;

/// A fault to [inject](super::Front::inject): by default it befalls the next call, whatever that is.
pub struct Fault {
    kind: FaultKind,
    operation: Option<String>,
    predicate: Option<Predicate>,
    skip: u64,
    times: u64,
    beyond: Option<usize>,
}

impl Fault {
    /// A fault of this kind on the next call.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, operation: None, predicate: None, skip: 0, times: 1, beyond: None }
    }

    /// Only calls of this operation.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only calls for which this is true.
    #[must_use]
    pub fn when(mut self, predicate: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        self.predicate = Some(Box::new(predicate));
        self
    }

    /// Lets this many matching calls through first.
    #[must_use]
    pub fn after(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// The next `calls` matching calls instead of one.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.times = calls;
        self
    }

    /// Every matching call until it is cleared.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u64::MAX)
    }

    /// Lets this many matching calls through in any second; only those beyond that rate fail, until the fault is cleared.
    /// With [`FaultKind::Throttle`] it is a service's limit on calls per second.
    #[must_use]
    pub fn beyond(mut self, calls_per_second: usize) -> Self {
        self.beyond = Some(calls_per_second);
        self.always()
    }

    pub(super) fn arm(self) -> (Arc<Armed>, Injected) {
        let left = Arc::new(AtomicU64::new(self.times));
        let injected = Injected { times: self.times, left: Arc::clone(&left), fired: Arc::default() };
        let (skip, rate) = (AtomicU64::new(self.skip), self.beyond.map(|most| Mutex::new(Rate::new(most))));
        (Arc::new(Armed { fault: self, skip, rate, left, fired: Arc::clone(&injected.fired) }), injected)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("kind", &self.kind)
            .field("operation", &self.operation)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// An injected fault.
#[derive(Clone, Debug)]
pub struct Injected {
    times: u64,
    left: Arc<AtomicU64>,
    fired: Arc<AtomicU64>,
}

impl Injected {
    /// How many calls it has befallen.
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::SeqCst)
    }

    /// Whether it has befallen all the calls it was meant for.
    pub fn is_spent(&self) -> bool {
        self.fired() == self.times
    }

    /// Disarms it.
    pub fn clear(&self) {
        self.left.store(0, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(super) struct Armed {
    fault: Fault,
    skip: AtomicU64,
    rate: Option<Mutex<Rate>>,
    left: Arc<AtomicU64>,
    fired: Arc<AtomicU64>,
}

impl Armed {
    pub(super) fn is_spent(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    pub(super) fn fire(&self, call: &Call) -> Option<FaultKind> {
        if self.fault.operation.as_ref().is_some_and(|operation| *operation != call.operation)
            || self.fault.predicate.as_ref().is_some_and(|predicate| !predicate(call))
            || count_down(&self.skip)
            || self.rate.as_ref().is_some_and(|rate| lock(rate).admits(Instant::now()))
            || !count_down(&self.left)
        {
            return None;
        }
        self.fired.fetch_add(1, Ordering::SeqCst);
        Some(self.fault.kind.clone())
    }
}

/// The calls that were let through in the last second.
#[derive(Debug)]
struct Rate {
    most: usize,
    admitted: VecDeque<Instant>,
}

impl Rate {
    const fn new(most: usize) -> Self {
        Self { most, admitted: VecDeque::new() }
    }

    /// Whether a call at `now` is within the rate. One that is not does not count towards it.
    fn admits(&mut self, now: Instant) -> bool {
        let is_past = |at: &Instant| now.saturating_duration_since(*at) >= Duration::from_secs(1);
        while self.admitted.front().is_some_and(is_past) {
            self.admitted.pop_front();
        }
        let is_within = self.admitted.len() < self.most;
        if is_within {
            self.admitted.push_back(now);
        }
        is_within
    }
}

/// Whether there was something left to count down.
fn count_down(counter: &AtomicU64) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_admits_so_many_calls_in_any_second() {
        let (mut rate, begin) = (Rate::new(2), Instant::now());
        let admitted = [0, 100, 200, 999, 1_000, 1_050, 1_100, 1_101].map(|millis| {
            let at = begin + Duration::from_millis(millis);
            rate.admits(at)
        });
        assert_eq!(admitted, [true, true, false, false, true, false, true, false]);
    }
}
