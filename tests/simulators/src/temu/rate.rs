use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// The calls let through lately, by app. The machine's clock counts, for the simulator's leaps.
#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    lately: BTreeMap<String, VecDeque<Instant>>,
}

impl RateLimiter {
    /// Whether one more call of this app is within the limit. Those that are not do not count.
    pub(super) fn lets_through(&mut self, app_key: &str, limit: Option<u32>, arrived: Instant) -> bool {
        let lately = self.lately.entry(app_key.to_owned()).or_default();
        while lately.front().is_some_and(|earlier| arrived.saturating_duration_since(*earlier) >= SECOND) {
            lately.pop_front();
        }
        let within = limit.is_none_or(|limit| lately.len() < limit as usize);
        if within {
            lately.push_back(arrived);
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_second_has_so_many_calls_and_each_app_its_own() {
        let mut limiter = RateLimiter::default();
        let start = Instant::now();
        let mut at =
            |app_key, milliseconds| limiter.lets_through(app_key, Some(2), start + Duration::from_millis(milliseconds));
        assert!(at("a", 0) && at("a", 500) && !at("a", 999) && at("b", 999));
        assert!(at("a", 1000) && !at("a", 1001) && at("a", 1500));
    }

    #[test]
    fn without_a_limit_there_is_none() {
        let mut limiter = RateLimiter::default();
        let now = Instant::now();
        assert!((0..1000).all(|_| limiter.lets_through("a", None, now)));
    }
}
