//! Points at which a call is held until a test lets it go.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};

use super::Call;

/// Where on its way a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has arrived and done nothing yet.
    Arrived,
    /// The service has done it, and the client does not know. Calls that the service refuses are not
    /// held here.
    TakenEffect,
}

#[derive(Clone, Debug)]
enum State {
    Waiting,
    Holding(Call),
    Released,
    Discarded,
}

/// How long a test waits for a call that does not come.
const PATIENCE: Duration = Duration::from_secs(20);

type Predicate = Box<dyn Fn(&Call) -> bool + Send + Sync>;

pub(super) struct Point {
    operation: String,
    moment: Moment,
    predicate: Predicate,
    state: watch::Sender<State>,
}

impl Point {
    pub(super) fn is_waiting(&self) -> bool {
        matches!(*self.state.borrow(), State::Waiting)
    }

    pub(super) fn takes(&self, call: &Call, moment: Moment) -> bool {
        self.moment == moment && self.operation == call.operation && self.is_waiting() && (self.predicate)(call)
    }

    /// Holds the call. False if it is to be discarded.
    pub(super) async fn hold(&self, call: Call) -> bool {
        self.state.send_if_modified(|state| {
            let waiting = matches!(state, State::Waiting);
            if waiting {
                *state = State::Holding(call);
            }
            waiting
        });
        let mut changes = self.state.subscribe();
        let end = changes.wait_for(|state| matches!(state, State::Released | State::Discarded)).await;
        !matches!(end.as_deref(), Ok(State::Discarded))
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Point")
            .field("operation", &self.operation)
            .field("moment", &self.moment)
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}

/// A point that takes the next matching call, once. Dropping it lets the call go on, so that a
/// failed test leaves nothing hanging.
#[derive(Debug)]
pub struct PausePoint(Arc<Point>);

impl PausePoint {
    pub(super) fn new(operation: &str, moment: Moment, predicate: Predicate) -> (Arc<Point>, Self) {
        let point = Arc::new(Point {
            operation: operation.to_owned(),
            moment,
            predicate,
            state: watch::Sender::new(State::Waiting),
        });
        (Arc::clone(&point), Self(point))
    }

    /// Waits until a call is held here.
    ///
    /// # Panics
    /// When none has come within twenty seconds.
    #[expect(clippy::panic, reason = "test support: a test that waits for nothing has failed")]
    pub async fn reached(&self) -> Call {
        let mut changes = self.0.state.subscribe();
        let held = changes.wait_for(|state| matches!(state, State::Holding(_)));
        let held = timeout(PATIENCE, held).await.ok().and_then(Result::ok);
        match held.as_deref() {
            Some(State::Holding(call)) => call.clone(),
            _ => panic!("no {} is held here", self.0.operation),
        }
    }

    /// Whether a call is held here now.
    pub fn is_reached(&self) -> bool {
        matches!(*self.0.state.borrow(), State::Holding(_))
    }

    /// Lets the call go on: held at [`Moment::Arrived`] it takes effect now, however late, whether or
    /// not its client still lives.
    pub fn release(self) {
        drop(self);
    }

    /// Closes the call's connection without an answer: held at [`Moment::Arrived`] it never takes
    /// effect, as if it had been lost on its way.
    pub fn discard(self) {
        self.0.state.send_replace(State::Discarded);
    }
}

impl Drop for PausePoint {
    fn drop(&mut self) {
        self.0.state.send_if_modified(|state| {
            let open = !matches!(state, State::Discarded);
            if open {
                *state = State::Released;
            }
            open
        });
    }
}
