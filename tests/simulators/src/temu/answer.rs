use serde_json::{Value, json};

use super::calls::Route;
use super::mint;
use super::world::World;
use crate::faults::Complaint;
use crate::platform::Platform;
use crate::reply::Reply;

/// The codes that the platform puts into the `errorCode` field of an answer.
pub mod code {
    use super::super::app::{Region, Router};

    /// The call did what it says.
    pub const SUCCESS: i64 = 1_000_000;
    /// The signature does not match.
    pub const BAD_SIGN: i64 = 3_000_001;
    /// No such call, or none named.
    pub const UNKNOWN_CALL: i64 = 3_000_003;
    /// The timestamp is missing or no number.
    ///
    /// It is known that there are three codes for timestamps, not which is for what.
    pub const TIMESTAMP_MISSING: i64 = 3_000_010;
    /// The timestamp lies too far back.
    pub const TIMESTAMP_TOO_OLD: i64 = 3_000_011;
    /// The timestamp lies too far ahead.
    pub const TIMESTAMP_TOO_NEW: i64 = 3_000_012;
    /// No app key.
    pub const APP_KEY_MISSING: i64 = 3_000_025;
    /// No such app in this region.
    pub const APP_KEY_UNKNOWN: i64 = 3_000_026;
    /// The app was not given this call.
    pub const APP_LACKS_CALL: i64 = 3_000_027;
    /// The app is suspended.
    pub const APP_SUSPENDED: i64 = 3_000_028;
    /// No access token.
    pub const TOKEN_MISSING: i64 = 3_000_030;
    /// No such token in this region.
    pub const TOKEN_UNKNOWN: i64 = 3_000_031;
    /// The seller did not give the token this call.
    pub const TOKEN_LACKS_CALL: i64 = 3_000_032;
    /// The token was issued for another app.
    pub const TOKEN_OF_ANOTHER_APP: i64 = 3_000_033;
    /// The token expired, or a newer one took its place.
    pub const TOKEN_EXPIRED: i64 = 3_000_034;
    /// System error.
    pub const SYSTEM: i64 = 4_000_000;
    /// Too many calls.
    pub const RATE_LIMITED: i64 = 4_000_004;
    /// The seller took the authorization back.
    pub const NOT_AUTHORIZED: i64 = 5_000_000;
    /// The caller's IP address is not on the app's list.
    pub const IP_NOT_ALLOWED: i64 = 5_000_003;
    /// The authorization code is not one of this app's.
    pub const INVALID_CODE: i64 = 110_020_002;
    /// The authorization code was used or is too old: the seller has to authorize again.
    pub const AUTHORIZE_AGAIN: i64 = 110_020_003;

    /// The number under which a router says what is numbered above as US, EU and GLOBAL do. What CN and PA are not known
    /// to have a number for keeps this one.
    pub fn at(router: Router, code: i64) -> i64 {
        if router.region() != Region::CrossBorder {
            return code;
        }
        match code {
            APP_KEY_MISSING => 7_000_002,
            TOKEN_MISSING => 7_000_003,
            APP_KEY_UNKNOWN | APP_LACKS_CALL | APP_SUSPENDED => 7_000_005,
            TOKEN_OF_ANOTHER_APP => 7_000_006,
            TOKEN_EXPIRED => 7_000_007,
            TIMESTAMP_MISSING => 7_000_008,
            TIMESTAMP_TOO_OLD => 7_000_010,
            TIMESTAMP_TOO_NEW => 7_000_011,
            BAD_SIGN => 7_000_015,
            UNKNOWN_CALL => 7_000_016,
            TOKEN_UNKNOWN => 7_000_018,
            TOKEN_LACKS_CALL => 7_000_019,
            NOT_AUTHORIZED => 7_000_020,
            SYSTEM => 1_000_005,
            other => other,
        }
    }
}

/// An answer other than success. It comes with HTTP 200 as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) code: i64,
    pub(super) message: &'static str,
}

impl ApiError {
    pub(super) fn new(code: i64, message: &'static str) -> Self {
        Self { code, message }
    }
}

/// `numbering` is the router's own.
pub(super) fn reply(outcome: Result<Value, ApiError>, numbering: impl Fn(i64) -> i64) -> Reply {
    match outcome {
        Ok(result) => envelope(200, code::SUCCESS, "", &result),
        Err(error) => envelope(200, numbering(error.code), error.message, &Value::Null),
    }
}

fn envelope(status: u16, code: i64, message: &str, result: &Value) -> Reply {
    let envelope = json!({
        "success": code == code::SUCCESS,
        "requestId": mint::request_id(),
        "errorCode": code,
        "errorMsg": message,
        "result": result,
    });
    Reply::json(status, code, &envelope)
}

impl Platform for World {
    type Route = Route;

    const SUCCESS: i64 = code::SUCCESS;

    fn error(status: u16, code: i64, message: &str, _now: u64) -> Reply {
        envelope(status, code, message, &Value::Null)
    }

    fn word(complaint: Complaint) -> (u16, i64, &'static str) {
        let (code, message) = match complaint {
            Complaint::Internal => (code::SYSTEM, "System error, please try again later"),
            Complaint::TimedOut => (code::SYSTEM, "System time-out, please try again later"),
            Complaint::RateLimited => (code::RATE_LIMITED, "Too many requests, please try again later"),
            Complaint::IpNotAllowed => (code::IP_NOT_ALLOWED, "The IP address is not in the app's allow list"),
        };
        (200, code, message)
    }
}
