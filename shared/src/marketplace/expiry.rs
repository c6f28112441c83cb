//! When a token or an authorization ends, as marketplaces write it.
//!
//! The names of the fields do not say the unit: TikTok Shop's `…_expire_in` are Unix seconds, other TikTok APIs count
//! seconds from now under the same names, and milliseconds occur. The size of the number tells the three apart, here and
//! nowhere else.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{connection::end::AuthorizationEnd, time::Timestamp};

/// Below this a number counts seconds from now; as a Unix time it would be a day before September 2001.
const RELATIVE_BELOW: i64 = 1_000_000_000;

/// Above this a number counts milliseconds; as Unix seconds it would be a year after 5000.
const MILLISECONDS_ABOVE: i64 = 100_000_000_000;

/// A year, in seconds; a leap year, so that a token of one calendar year counts as one.
pub(super) const YEAR: i64 = 366 * 86_400;

/// An authorization that ends later than this has no end: TikTok Shop writes years from 2122 on.
const NO_END_AFTER: i64 = 10 * YEAR;

/// A number that says when something ends. Positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expiry(i64);

impl Expiry {
    fn read(value: &Value) -> Option<Self> {
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number| *number > 0).map(Self)
    }

    /// The point in time. `now`: when the response arrived.
    pub(super) const fn at(self, now: Timestamp) -> Timestamp {
        match self.0 {
            seconds if seconds < RELATIVE_BELOW => now.plus(seconds),
            milliseconds if milliseconds > MILLISECONDS_ABOVE => Timestamp(milliseconds / 1_000),
            seconds => Timestamp(seconds),
        }
    }

    /// The end of an access token; `None` if it would live longer than any token of this marketplace does (`longest`, in
    /// seconds), for then the number means something else.
    pub(super) fn of_access_token(self, now: Timestamp, longest: i64) -> Option<Timestamp> {
        Some(self.at(now)).filter(|end| end.since(now) <= longest)
    }

    /// The end of an authorization.
    pub(super) fn of_authorization(self, now: Timestamp) -> AuthorizationEnd {
        let end = self.at(now);
        if end.since(now) > NO_END_AFTER { AuthorizationEnd::Never } else { AuthorizationEnd::At(end) }
    }
}

/// For `#[serde(deserialize_with)]`: a number or a string of digits; anything else counts as absent.
pub(super) fn lenient_expiry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Expiry>, D::Error> {
    Ok(Expiry::read(&Value::deserialize(deserializer)?))
}

/// The same for a point in time that is no end: in Unix seconds or milliseconds.
pub(super) fn lenient_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let time = lenient_expiry(deserializer)?.filter(|time| time.0 >= RELATIVE_BELOW);
    Ok(time.map(|time| time.at(Timestamp(0))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_796_000_000);

    #[test]
    fn the_size_of_a_number_tells_its_unit() {
        for (number, end) in [
            (1, NOW.plus(1)),
            (604_800, NOW.plus(604_800)),
            (999_999_999, NOW.plus(999_999_999)),
            (1_000_000_000, Timestamp(1_000_000_000)),
            (1_796_604_800, Timestamp(1_796_604_800)),
            (100_000_000_000, Timestamp(100_000_000_000)),
            (1_796_604_800_123, Timestamp(1_796_604_800)),
        ] {
            assert_eq!(Expiry(number).at(NOW), end, "{number}");
            assert_eq!(Expiry::read(&json!(number.to_string())), Some(Expiry(number)));
        }
        for absent in [json!(0), json!(-1), json!("soon"), json!(null), json!(1.5), json!({})] {
            assert_eq!(Expiry::read(&absent), None, "{absent}");
        }
    }

    #[test]
    fn an_access_token_that_lives_too_long_has_an_unknown_end() {
        let end = |number| Expiry(number).of_access_token(NOW, YEAR);
        assert_eq!(end(NOW.0 + YEAR), Some(NOW.plus(YEAR)));
        assert_eq!(end(NOW.0 + YEAR + 1), None);
        assert_eq!(end(YEAR + 1), None);
        assert_eq!(end(NOW.0 - 5), Some(NOW.plus(-5)), "one that has ended has an end");
    }

    #[test]
    fn an_authorization_of_more_than_ten_years_has_no_end() {
        let end = |number| Expiry(number).of_authorization(NOW);
        assert_eq!(end(NOW.0 + NO_END_AFTER), AuthorizationEnd::At(NOW.plus(NO_END_AFTER)));
        for year_2122_or_later in [4_800_000_000, 4_900_000_000_000, NO_END_AFTER + 1, i64::MAX] {
            assert_eq!(end(year_2122_or_later), AuthorizationEnd::Never, "{year_2122_or_later}");
        }
    }

    proptest! {
        #[test]
        fn every_number_has_one_meaning(number in 1..i64::MAX, now in 1_700_000_000_i64..2_000_000_000) {
            let at = Expiry(number).at(Timestamp(now));
            prop_assert!(at.0 > 0);
            // Each way of writing a time of this century means the same.
            let time = Timestamp(now + number % (20 * YEAR));
            prop_assert_eq!(Expiry(time.0).at(Timestamp(now)), time);
            prop_assert_eq!(Expiry(time.0 * 1_000).at(Timestamp(now)), time);
            let seconds = time.since(Timestamp(now));
            if seconds > 0 {
                prop_assert_eq!(Expiry(seconds).at(Timestamp(now)), time);
            }
        }
    }
}
