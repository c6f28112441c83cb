//! Points in time. Depends on nothing of this crate; decisions take `now` as a value and never ask a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize, Serializer};

/// Seconds since 1970, UTC. The only form of time that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This machine's clock. For the edges only: claims take DynamoDB's time ([`crate::clock`]).
    pub fn local_now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// That many seconds later; earlier for a negative number. Saturates.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this; negative if this comes first. Saturates.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A point in time as it stands in JSON: RFC 3339, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Past the year 9999 there is no RFC 3339; an authorization that ends then does not end.
        serializer.collect_str(&jiff::Timestamp::from_second(self.0.0).unwrap_or(jiff::Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_rfc_3339_and_the_far_future_is_no_error() {
        assert_eq!(serde_json::json!(Moment(Timestamp(1_795_219_200))), "2026-11-21T00:00:00Z");
        assert_eq!(serde_json::json!(Moment(Timestamp(4_900_000_000))), "2125-04-10T23:06:40Z");
        assert!(serde_json::json!(Moment(Timestamp(i64::MAX))).as_str().unwrap().starts_with("9999-"));
    }
}
