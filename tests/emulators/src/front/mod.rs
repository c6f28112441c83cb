//! What stands before an emulated AWS service: it logs and counts calls, injects [`Fault`]s, and
//! holds calls at [`PausePoint`]s, so that a test can kill a process at an exact step.
//!
//! A call passes these stations: it is logged; denied, if its caller's role does not allow it; held, if
//! a point waits at [`Moment::Arrived`]; failed, if a fault says so; it takes effect; held, if a point
//! waits at [`Moment::TakenEffect`]; answered, or failed after the effect. From arrival on it no longer
//! depends on its client: what a killed process had sent takes effect all the same, as it would in AWS.

mod call;
mod fault;
mod handle;
mod pause;
mod service;

pub use call::Call;
pub use fault::{Fault, FaultKind, Injected};
pub use pause::{Moment, PausePoint};
pub(crate) use service::{Service, Subject};

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use axum::{Router, middleware};

use crate::{roles::Roles, times};

/// The handle of one service's front. Clones see the same front.
#[derive(Clone, Debug)]
pub struct Front(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    service: Service,
    clock_offset: AtomicI64,
    log: Mutex<call::Log>,
    roles: Mutex<Arc<Roles>>,
    denied: Mutex<Vec<String>>,
    faults: Mutex<Vec<Arc<fault::Armed>>>,
    points: Mutex<Vec<Arc<pause::Point>>>,
}

impl Front {
    pub(crate) fn new(service: Service) -> Self {
        Self(Arc::new(Inner {
            service,
            clock_offset: AtomicI64::new(0),
            log: Mutex::default(),
            roles: Mutex::default(),
            denied: Mutex::default(),
            faults: Mutex::default(),
            points: Mutex::default(),
        }))
    }

    /// `service`, with this front before it.
    pub(crate) fn before(&self, service: Router) -> Router {
        service.layer(middleware::from_fn_with_state(self.clone(), handle::handle))
    }

    /// The calls so far, oldest first, at most the last ten thousand.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.0.log).calls()
    }

    /// The calls of one operation among [`Front::calls`].
    pub fn calls_of(&self, operation: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.operation == operation);
        calls
    }

    /// How many calls of `operation` have arrived since the start or [`Front::forget_calls`].
    pub fn count(&self, operation: &str) -> u64 {
        lock(&self.0.log).counters.get(operation).copied().unwrap_or(0)
    }

    /// The same for the queries on one table, or on one index: `table/index/name`.
    pub fn queries_on(&self, resource: &str) -> u64 {
        lock(&self.0.log).queries.get(resource).copied().unwrap_or(0)
    }

    /// The same as [`Front::count`] for every operation that was called.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        lock(&self.0.log).counters.clone()
    }

    /// Empties the log and sets the counters to zero.
    pub fn forget_calls(&self) {
        lock(&self.0.log).clear();
    }

    /// From now on callers with a role may do what it allows, and nothing else.
    pub fn authorize_with(&self, roles: Roles) {
        *lock(&self.0.roles) = Arc::new(roles);
    }

    /// What was denied to callers for their role, and not taken from here yet.
    pub fn take_denied(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0.denied))
    }

    /// Arms a fault. Of several that match a call, the one injected first applies.
    pub fn inject(&self, fault: Fault) -> Injected {
        let (armed, injected) = fault.arm();
        lock(&self.0.faults).push(armed);
        injected
    }

    /// Disarms every fault.
    pub fn clear_faults(&self) {
        lock(&self.0.faults).clear();
    }

    /// Holds the next call of `operation` at `moment`.
    pub fn pause(&self, operation: &str, moment: Moment) -> PausePoint {
        self.pause_when(operation, moment, |_| true)
    }

    /// Holds the next call of `operation` for which `predicate` is true at `moment`.
    pub fn pause_when(
        &self,
        operation: &str,
        moment: Moment,
        predicate: impl Fn(&Call) -> bool + Send + Sync + 'static,
    ) -> PausePoint {
        let (point, handle) = PausePoint::new(operation, moment, Box::new(predicate));
        let mut points = lock(&self.0.points);
        points.retain(|point| point.is_waiting());
        points.push(point);
        handle
    }

    /// Makes the header `Date` of every answer run `seconds` ahead of this machine's clock, or behind
    /// it when negative.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.0.clock_offset.store(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> SystemTime {
        times::shifted(SystemTime::now(), self.0.clock_offset.load(Ordering::SeqCst))
    }

    fn fault_for(&self, call: &Call) -> Option<FaultKind> {
        let mut faults = lock(&self.0.faults);
        faults.retain(|fault| !fault.is_spent());
        faults.iter().find_map(|fault| fault.fire(call))
    }

    fn point_for(&self, call: &Call, moment: Moment) -> Option<Arc<pause::Point>> {
        let mut points = lock(&self.0.points);
        let at = points.iter().position(|point| point.takes(call, moment))?;
        Some(points.remove(at))
    }
}

/// A test that panicked while it held a lock has nothing to say about the other tests' calls.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
