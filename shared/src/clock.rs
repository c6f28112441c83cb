//! Time where it decides about claims. Two machines' clocks never meet: "now" is DynamoDB's own.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use crate::{connection::claim::CLAIM_SECONDS, time::Timestamp};

/// Time that has passed since a moment on two clocks, whichever ran further: the monotonic clock may stand still
/// while a container is frozen, the wall clock may be set back.
#[derive(Debug, Clone, Copy)]
struct Since {
    monotonic: Instant,
    wall: SystemTime,
}

impl Since {
    fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    fn elapsed(self) -> Duration {
        self.monotonic.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

/// The time of DynamoDB, as the `Date` headers of its answers tell it. Before the first answer: this machine's.
#[derive(Debug, Default)]
pub struct ServerClock(Mutex<Option<(Timestamp, Since)>>);

impl ServerClock {
    /// Takes note of the time in an answer that has just come.
    pub fn observe(&self, server: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((server, Since::now()));
    }

    /// The server's time now, to the second.
    pub fn now(&self) -> Timestamp {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((server, since)) => server.plus(i64::try_from(since.elapsed().as_secs()).unwrap_or(i64::MAX)),
            None => Timestamp::local_now(),
        }
    }
}

/// How far a claim has run, counted from before it was sent.
#[derive(Debug, Clone, Copy)]
pub struct ClaimTimer {
    since: Since,
    flight: Duration,
}

const CLAIM: Duration = Duration::from_secs(CLAIM_SECONDS as u64);

impl ClaimTimer {
    /// To be started before the claim is sent.
    pub fn start() -> Self {
        Self::start_within(CLAIM / 4 * 3)
    }

    /// The same for work that somebody waits for: nothing is in flight any more after `limit`.
    pub fn start_within(limit: Duration) -> Self {
        Self { since: Since::now(), flight: limit.min(CLAIM / 4 * 3) }
    }

    /// No exchange starts after a quarter of the claim: what follows it must fit into the rest.
    pub fn may_start_exchange(&self) -> bool {
        self.since.elapsed() < CLAIM / 4
    }

    /// Whole seconds since the start.
    pub fn seconds(&self) -> i64 {
        i64::try_from(self.since.elapsed().as_secs()).unwrap_or(i64::MAX)
    }

    /// How long something may still be in flight: until three quarters of the claim at most. Zero after that.
    pub fn left(&self) -> Duration {
        self.flight.saturating_sub(self.since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_decides_what_time_it_is() {
        let clock = ServerClock::default();
        assert!((clock.now().since(Timestamp::local_now())).abs() <= 1);
        clock.observe(Timestamp(1_000));
        assert!((1_000..=1_001).contains(&clock.now().0));
    }

    #[test]
    fn a_frozen_process_loses_its_claim_on_the_wall_clock() {
        let frozen = |seconds| {
            let wall = SystemTime::now().checked_sub(Duration::from_secs(seconds)).unwrap();
            ClaimTimer { since: Since { monotonic: Instant::now(), wall }, ..ClaimTimer::start() }
        };
        assert!(frozen(14).may_start_exchange());
        assert!(!frozen(15).may_start_exchange());
        assert!(frozen(44).left() > Duration::ZERO);
        assert_eq!(frozen(45).left(), Duration::ZERO);
    }
}
