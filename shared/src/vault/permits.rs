//! Put permits: Secrets Manager takes 50 puts a second in a Region, for everybody together. The sweep takes a permit
//! before each exchange and leaves the rest to callbacks and refreshes on demand.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Permits at a steady rate, with no bursts above one second's worth.
#[derive(Debug)]
pub struct PutPermits(DefaultDirectRateLimiter);

impl PutPermits {
    /// So many a second.
    pub fn per_second(rate: NonZeroU32) -> Self {
        Self(RateLimiter::direct(Quota::per_second(rate)))
    }

    /// Waits for a permit.
    pub async fn take(&self) {
        self.0.until_ready().await;
    }
}
