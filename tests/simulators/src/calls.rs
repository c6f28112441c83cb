use std::time::{Duration, Instant};

/// How a call ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended yet.
    InFlight,
    /// An answer was sent.
    Answered {
        /// HTTP status.
        status: u16,
        /// The envelope's code; `None` where the body had none or was spoiled.
        code: Option<i64>,
    },
    /// The caller hung up, or the simulator broke the connection.
    Unanswered,
}

/// A call as the platform saw it. Holds names and numbers only, never a code, token or secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<R> {
    /// Counts from one over all routes, in order of arrival.
    pub id: u64,
    /// The route called.
    pub route: R,
    /// When it arrived, in Unix seconds of the simulator's clock.
    pub at: u64,
    /// When it arrived, by the machine's clock.
    pub arrived: Instant,
    /// The app named by the caller, if it is a registered one.
    pub app_key: Option<String>,
    /// The seller to whom the code or token in the call belongs, if to anybody: TikTok Shop's
    /// `open_id`, Temu's mall id.
    pub seller: Option<String>,
    /// The authorization to which the token in the call belongs; see also `seller`.
    pub grant: Option<u64>,
    /// How many callers were waiting on this route when it had arrived, itself included.
    pub concurrent: usize,
    /// Of those, how many with a code or token of the same seller; zero for nobody's.
    pub concurrent_for_seller: usize,
    /// What the platform itself concluded, whatever the caller was told; its code for success
    /// means that the code was used, the token renewed. `None` if a fault came before the effect,
    /// or it is still to come.
    pub effect: Option<i64>,
    /// What the caller was told.
    pub outcome: Outcome,
}

/// Whose call it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) app_key: Option<String>,
    pub(crate) seller: Option<String>,
    pub(crate) grant: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct CallLog<R> {
    calls: Vec<Call<R>>,
    arrived: u64,
}

impl<R> Default for CallLog<R> {
    fn default() -> Self {
        Self { calls: Vec::new(), arrived: 0 }
    }
}

impl<R: Copy + PartialEq> CallLog<R> {
    pub(crate) fn begin(&mut self, route: R, subject: Subject, now: u64) -> u64 {
        let (concurrent, concurrent_for_seller) = self.crowd(route, subject.seller.as_deref());
        self.arrived += 1;
        let id = self.arrived;
        self.calls.push(Call {
            id,
            route,
            at: now,
            arrived: Instant::now(),
            app_key: subject.app_key,
            seller: subject.seller,
            grant: subject.grant,
            concurrent,
            concurrent_for_seller,
            effect: None,
            outcome: Outcome::InFlight,
        });
        id
    }

    pub(crate) fn took_effect(&mut self, id: u64, code: Option<i64>) {
        if let Some(call) = self.find(id) {
            call.effect = code;
        }
    }

    /// The first end of a call counts; whatever is reported later came too late for the caller.
    pub(crate) fn end(&mut self, id: u64, outcome: Outcome) {
        if let Some(call) = self.find(id)
            && call.outcome == Outcome::InFlight
        {
            call.outcome = outcome;
        }
    }

    /// Empties the log. A call that is under way is not reported on any more.
    pub(crate) fn forget(&mut self) {
        self.calls.clear();
    }

    pub(crate) fn all(&self) -> &[Call<R>] {
        &self.calls
    }

    pub(crate) fn to(&self, route: R) -> impl Iterator<Item = &Call<R>> + Clone {
        self.calls.iter().filter(move |call| call.route == route)
    }

    /// How many calls to a route had this effect.
    pub(crate) fn effects(&self, route: R, code: i64) -> usize {
        self.to(route).filter(|call| call.effect == Some(code)).count()
    }

    /// The most callers that ever waited on a route at the same time.
    pub(crate) fn peak(&self, route: R) -> usize {
        self.to(route).map(|call| call.concurrent).max().unwrap_or(0)
    }

    /// The same, counting only callers with codes and tokens of one seller.
    pub(crate) fn peak_for(&self, route: R, seller: &str) -> usize {
        let theirs = self.to(route).filter(|call| call.seller.as_deref() == Some(seller));
        theirs.map(|call| call.concurrent_for_seller).max().unwrap_or(0)
    }

    /// The most calls of an app that arrived within any one second, wherever it begins.
    pub(crate) fn busiest_second(&self, app_key: &str) -> usize {
        let arrived = self.calls.iter().filter(|call| call.app_key.as_deref() == Some(app_key));
        let arrived: Vec<Instant> = arrived.map(|call| call.arrived).collect();
        let within = |first: usize| {
            let second = arrived[first..].iter().take_while(|later| **later - arrived[first] < Duration::from_secs(1));
            second.count()
        };
        (0..arrived.len()).map(within).max().unwrap_or(0)
    }

    /// How many wait on a route, and how many of them for this seller, with the one that comes now.
    fn crowd(&self, route: R, seller: Option<&str>) -> (usize, usize) {
        let waiting = self.to(route).filter(|call| call.outcome == Outcome::InFlight);
        let all = 1 + waiting.clone().count();
        let theirs =
            seller.map_or(0, |seller| 1 + waiting.filter(|call| call.seller.as_deref() == Some(seller)).count());
        (all, theirs)
    }

    fn find(&mut self, id: u64) -> Option<&mut Call<R>> {
        // Most reports are about the calls that came last.
        self.calls.iter_mut().rev().find(|call| call.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seller: &str) -> Subject {
        Subject { seller: Some(seller.to_owned()), ..Subject::default() }
    }

    #[test]
    fn concurrency_counts_those_still_waiting() {
        let mut log = CallLog::default();
        let first = log.begin("refresh", of("a"), 1);
        log.begin("shops", of("a"), 1);
        log.begin("refresh", of("b"), 1);
        log.begin("refresh", of("a"), 1);
        log.end(first, Outcome::Unanswered);
        log.begin("refresh", of("a"), 1);

        let seen: Vec<_> = log.all().iter().map(|call| (call.concurrent, call.concurrent_for_seller)).collect();
        assert_eq!(seen, [(1, 1), (1, 1), (2, 1), (3, 2), (3, 2)]);
        assert_eq!((log.peak("refresh"), log.peak_for("refresh", "b"), log.peak("get")), (3, 1, 0));
    }

    #[test]
    fn the_first_end_counts() {
        let mut log = CallLog::default();
        let id = log.begin("shops", Subject::default(), 1);
        log.end(id, Outcome::Unanswered);
        log.end(id, Outcome::Answered { status: 200, code: Some(0) });
        assert_eq!(log.all()[0].outcome, Outcome::Unanswered);
    }

    #[test]
    fn a_forgotten_call_leaves_its_id_to_no_other() {
        let mut log = CallLog::default();
        let forgotten = log.begin("shops", Subject::default(), 1);
        log.forget();
        log.begin("shops", Subject::default(), 1);
        log.end(forgotten, Outcome::Unanswered);
        assert_eq!(log.all()[0].outcome, Outcome::InFlight);
    }

    #[test]
    fn the_busiest_second_may_begin_at_any_time() {
        let mut log = CallLog::default();
        let start = Instant::now();
        for (app_key, milliseconds) in [("a", 0), ("a", 900), ("b", 950), ("a", 1000), ("a", 1899), ("a", 1900)] {
            log.begin("info", Subject { app_key: Some(app_key.to_owned()), ..Subject::default() }, 1);
            let last = log.calls.last_mut().unwrap();
            last.arrived = start + Duration::from_millis(milliseconds);
        }
        assert_eq!((log.busiest_second("a"), log.busiest_second("b"), log.busiest_second("c")), (3, 1, 0));
    }
}
