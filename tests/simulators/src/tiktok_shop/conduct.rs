//! One call from arrival to answer: logged, made to suffer what is in store for it, carried out.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{Response, header};
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::answer::{ApiError, Reply, code};
use super::calls::{CallLog, Outcome, Route, Subject};
use super::faults::{Faults, Suffering, Trouble};
use super::wire::Wire;
use super::world::World;

/// Everything that the routes and the handle share.
#[derive(Default)]
pub(super) struct State {
    pub(super) world: World,
    pub(super) faults: Faults,
    pub(super) calls: CallLog,
    /// Seconds by which the simulator's clock is ahead of the machine's.
    pub(super) ahead: u64,
}

impl State {
    pub(super) fn now(&self) -> u64 {
        machine_time() + self.ahead
    }
}

#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<State>>);

impl Shared {
    /// A test that panicked while it held the lock must not hide its message behind others.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn machine_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// A call that has arrived. Dropping it, as happens when the caller hangs up, ends it in the log.
pub(super) struct Conduct {
    shared: Shared,
    id: u64,
    wire: Wire,
    suffering: Suffering,
    release: watch::Receiver<()>,
}

pub(super) fn begin(shared: &Shared, route: Route, wire: Wire, subject: impl FnOnce(&World) -> Subject) -> Conduct {
    let mut state = shared.lock();
    let subject = subject(&state.world);
    let now = state.now();
    let suffering = state.faults.strike(route, subject.seller.as_deref());
    let release = state.faults.release_of(route);
    let id = state.calls.begin(route, subject, now);
    drop(state);
    Conduct { shared: shared.clone(), id, wire, suffering, release }
}

impl Drop for Conduct {
    fn drop(&mut self) {
        self.shared.lock().calls.end(self.id, Outcome::Unanswered);
    }
}

impl Conduct {
    pub(super) async fn conduct(
        mut self,
        effect: impl FnOnce(&mut World, u64) -> Reply + Send + 'static,
    ) -> Response<Body> {
        let before = self.suffering.latency_before;
        let after = self.suffering.latency_after;
        let prevented = self.suffering.trouble.as_ref().is_some_and(Trouble::prevents_effect);
        let (shared, id) = (self.shared.clone(), self.id);
        // On a task of its own, for a real platform does not stop working when the caller hangs up.
        let work = tokio::spawn(async move {
            sleep(before).await;
            let reply = (!prevented).then(|| {
                let mut state = shared.lock();
                let now = state.now();
                let reply = effect(&mut state.world, now);
                state.calls.took_effect(id, reply.code);
                reply
            });
            sleep(after).await;
            reply
        });
        let reply = work.await.ok().flatten();
        self.answer(reply).await
    }

    /// `reply` is the platform's own answer, absent if the effect was prevented.
    async fn answer(&mut self, reply: Option<Reply>) -> Response<Body> {
        let now = self.shared.lock().now();
        match (self.suffering.trouble.take(), reply) {
            (None | Some(Trouble::Latency(..)), Some(reply)) => self.send(reply),
            (Some(Trouble::Hang(_)), _) => {
                // An error only says that the simulator is gone, which releases the call as well.
                let _ = self.release.changed().await;
                self.cut()
            }
            (Some(Trouble::ServerError(_)), _) => self.send(Reply::plain(500, "Internal Server Error")),
            (Some(Trouble::Answer { status, code, message, .. }), _) => {
                let error = ApiError { status, code, message };
                self.send(Reply::error(error, now))
            }
            (Some(Trouble::RateLimited { retry_after }), _) => {
                let error = ApiError::with_status(429, code::RATE_LIMITED, "Too many requests");
                let reply = Reply::error(error, now);
                self.send(Reply { retry_after, ..reply })
            }
            (Some(Trouble::Malformed), Some(reply)) => {
                let kept = reply.body.len() / 2;
                let body = reply.body[..reply.body.floor_char_boundary(kept)].to_owned();
                self.send(Reply { body, code: None, ..reply })
            }
            (Some(Trouble::Truncated), Some(reply)) => self.send_truncated(&reply),
            (Some(Trouble::Drop(_)), _) | (_, None) => self.cut(),
        }
    }

    fn send(&self, reply: Reply) -> Response<Body> {
        self.end(Outcome::Answered { status: reply.status, code: reply.code });
        reply.into_response()
    }

    fn send_truncated(&self, reply: &Reply) -> Response<Body> {
        self.end(Outcome::Answered { status: reply.status, code: None });
        let half = reply.body.as_bytes()[..reply.body.len() / 2].to_vec();
        // The pause lets the first half reach the caller; broken off at once, nothing would.
        let body = stream::iter([Ok(half)]).chain(stream::once(async {
            sleep(Duration::from_millis(50)).await;
            Err(io::Error::from(io::ErrorKind::ConnectionAborted))
        }));
        let length = (header::CONTENT_LENGTH, reply.body.len().to_string());
        reply.with_body(Body::from_stream(body), &[length])
    }

    fn cut(&self) -> Response<Body> {
        self.end(Outcome::Unanswered);
        self.wire.cut();
        Response::default()
    }

    fn end(&self, outcome: Outcome) {
        self.shared.lock().calls.end(self.id, outcome);
    }
}
