//! One call from arrival to answer: logged, made to suffer what is in store for it, carried out.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{Response, header};
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::calls::{CallLog, Outcome, Subject};
use super::faults::{Complaint, Faults, Suffering, Trouble};
use super::platform::Platform;
use super::reply::Reply;
use super::wire::Wire;

/// Everything that the routes and the handle share.
pub(crate) struct State<P: Platform> {
    pub(crate) world: P,
    pub(crate) faults: Faults<P::Route>,
    pub(crate) calls: CallLog<P::Route>,
    /// Seconds by which the simulator's clock is ahead of the machine's.
    pub(crate) ahead: u64,
}

impl<P: Platform> State<P> {
    pub(crate) fn now(&self) -> u64 {
        machine_time() + self.ahead
    }
}

pub(crate) struct Shared<P: Platform>(Arc<Mutex<State<P>>>);

impl<P: Platform> Default for Shared<P> {
    fn default() -> Self {
        let state = State { world: P::default(), faults: Faults::default(), calls: CallLog::default(), ahead: 0 };
        Self(Arc::new(Mutex::new(state)))
    }
}

impl<P: Platform> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Platform> Shared<P> {
    /// A test that panicked while it held the lock must not hide its message behind others.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn machine_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// A call that has arrived. Dropping it, as happens when the caller hangs up, ends it in the log.
pub(crate) struct Conduct<P: Platform> {
    shared: Shared<P>,
    id: u64,
    wire: Wire,
    suffering: Suffering,
    release: watch::Receiver<()>,
    numbering: Box<dyn Fn(i64) -> i64 + Send + Sync>,
}

pub(crate) fn begin<P: Platform>(
    shared: &Shared<P>,
    route: P::Route,
    wire: Wire,
    subject: impl FnOnce(&P) -> Subject,
) -> Conduct<P> {
    let mut state = shared.lock();
    let subject = subject(&state.world);
    let now = state.now();
    let suffering = state.faults.strike(route, subject.seller.as_deref());
    let release = state.faults.release_of(route);
    let id = state.calls.begin(route, subject, now);
    drop(state);
    Conduct { shared: shared.clone(), id, wire, suffering, release, numbering: Box::new(|code| code) }
}

impl<P: Platform> Drop for Conduct<P> {
    fn drop(&mut self) {
        self.shared.lock().calls.end(self.id, Outcome::Unanswered);
    }
}

impl<P: Platform> Conduct<P> {
    /// Where this part of the platform has its own numbers for the platform's errors.
    pub(crate) fn numbering(mut self, numbering: impl Fn(i64) -> i64 + Send + Sync + 'static) -> Self {
        self.numbering = Box::new(numbering);
        self
    }

    pub(crate) async fn conduct(
        mut self,
        effect: impl FnOnce(&mut P, u64) -> Reply + Send + 'static,
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
                self.send(P::error(status, code, &message, now))
            }
            (Some(Trouble::Complaint(_, complaint)), _) => self.send(self.worded(complaint, now)),
            (Some(Trouble::RateLimited { retry_after }), _) => {
                self.send(Reply { retry_after, ..self.worded(Complaint::RateLimited, now) })
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

    fn worded(&self, complaint: Complaint, now: u64) -> Reply {
        let (status, code, message) = P::word(complaint);
        P::error(status, (self.numbering)(code), message, now)
    }

    fn end(&self, outcome: Outcome) {
        self.shared.lock().calls.end(self.id, outcome);
    }
}
