/// A route whose calls are logged and can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `GET /api/v2/token/get`
    TokenGet,
    /// `GET /api/v2/token/refresh`
    TokenRefresh,
    /// `GET /authorization/202309/shops`
    Shops,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TokenGet, Self::TokenRefresh, Self::Shops];
}

/// How a call ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended yet.
    InFlight,
    /// An answer was sent.
    Answered {
        /// HTTP status.
        status: u16,
        /// The envelope's `code`; `None` where the body had none or was spoiled.
        code: Option<i64>,
    },
    /// The caller hung up, or the simulator broke the connection.
    Unanswered,
}

/// A call as the platform saw it. Holds names and numbers only, never a code, token or secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counts from one over all routes, in order of arrival.
    pub id: u64,
    /// The route called.
    pub route: Route,
    /// When it arrived, in Unix seconds of the simulator's clock.
    pub at: u64,
    /// The app named by the caller, if it is a registered one.
    pub app_key: Option<String>,
    /// The seller to whom the code or token in the call belongs, if to anybody.
    pub seller: Option<String>,
    /// The authorization to which the token in the call belongs; see also `seller`.
    pub grant: Option<u64>,
    /// How many callers were waiting on this route when it had arrived, itself included.
    pub concurrent: usize,
    /// Of those, how many with a code or token of the same seller; zero for nobody's.
    pub concurrent_for_seller: usize,
    /// What the platform itself concluded, whatever the caller was told: 0 means that the code was
    /// used, the token renewed. `None` if a fault came before the effect, or it is still to come.
    pub effect: Option<i64>,
    /// What the caller was told.
    pub outcome: Outcome,
}

/// Whose call it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) app_key: Option<String>,
    pub(super) seller: Option<String>,
    pub(super) grant: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct CallLog {
    calls: Vec<Call>,
}

impl CallLog {
    pub(super) fn begin(&mut self, route: Route, subject: Subject, now: u64) -> u64 {
        let waiting = self.calls.iter().filter(|call| call.route == route && call.outcome == Outcome::InFlight);
        let concurrent = 1 + waiting.clone().count();
        let concurrent_for_seller = match &subject.seller {
            Some(seller) => 1 + waiting.filter(|call| call.seller.as_ref() == Some(seller)).count(),
            None => 0,
        };
        let id = self.calls.len() as u64 + 1;
        self.calls.push(Call {
            id,
            route,
            at: now,
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

    pub(super) fn took_effect(&mut self, id: u64, code: Option<i64>) {
        if let Some(call) = self.find(id) {
            call.effect = code;
        }
    }

    /// The first end of a call counts; whatever is reported later came too late for the caller.
    pub(super) fn end(&mut self, id: u64, outcome: Outcome) {
        if let Some(call) = self.find(id)
            && call.outcome == Outcome::InFlight
        {
            call.outcome = outcome;
        }
    }

    pub(super) fn all(&self) -> &[Call] {
        &self.calls
    }

    fn find(&mut self, id: u64) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.id == id)
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
        let first = log.begin(Route::TokenRefresh, of("a"), 1);
        log.begin(Route::Shops, of("a"), 1);
        log.begin(Route::TokenRefresh, of("b"), 1);
        log.begin(Route::TokenRefresh, of("a"), 1);
        log.end(first, Outcome::Unanswered);
        log.begin(Route::TokenRefresh, of("a"), 1);

        let seen: Vec<_> = log.all().iter().map(|call| (call.concurrent, call.concurrent_for_seller)).collect();
        assert_eq!(seen, [(1, 1), (1, 1), (2, 1), (3, 2), (3, 2)]);
    }

    #[test]
    fn the_first_end_counts() {
        let mut log = CallLog::default();
        let id = log.begin(Route::Shops, Subject::default(), 1);
        log.end(id, Outcome::Unanswered);
        log.end(id, Outcome::Answered { status: 200, code: Some(0) });
        assert_eq!(log.all()[0].outcome, Outcome::Unanswered);
    }
}
