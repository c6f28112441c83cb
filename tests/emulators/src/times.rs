//! The notations of time that AWS uses on the wire.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, civil::DateTime, fmt::rfc2822::DateTimePrinter, tz::Offset};

/// Seconds since the epoch, and milliseconds as the fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 need 41 of 52 bits")]
pub(crate) fn epoch_seconds(at: SystemTime) -> f64 {
    timestamp(at).as_millisecond() as f64 / 1000.0
}

pub(crate) fn epoch_millis(at: SystemTime) -> i64 {
    timestamp(at).as_millisecond()
}

/// `Thu, 01 Jan 1970 00:00:01 GMT`, as in the header `Date`.
pub(crate) fn http_date(at: SystemTime) -> Option<String> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp(at)).ok()
}

/// `12/Mar/2020:19:03:58 +0000`, as in API Gateway's events.
pub(crate) fn access_log_time(at: SystemTime) -> String {
    timestamp(at).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// Reads `20200312T190358Z`, as in `X-Amz-Date`.
pub(crate) fn amz_date(text: &str) -> Option<SystemTime> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = Offset::UTC.to_timestamp(civil).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at.as_second().try_into().ok()?))
}

/// `now`, moved by `seconds`.
pub(crate) fn shifted(now: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let moved = if seconds < 0 { now.checked_sub(by) } else { now.checked_add(by) };
    moved.unwrap_or(now)
}

fn timestamp(at: SystemTime) -> Timestamp {
    Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        let at = amz_date("20200312T190358Z").unwrap();
        assert_eq!(http_date(at).unwrap(), "Thu, 12 Mar 2020 19:03:58 GMT");
        assert_eq!(access_log_time(at), "12/Mar/2020:19:03:58 +0000");
        assert_eq!(epoch_millis(shifted(at, -2)), 1_584_039_836_000);
        assert_eq!(amz_date("2020-03-12"), None);
    }
}
