use std::time::Duration;

use super::answer::code;

/// When a notice that was not taken is posted again, each time counted from the attempt before.
const WEBHOOK_RETRIES: [Duration; 4] =
    [Duration::from_mins(2), Duration::from_mins(30), Duration::from_hours(3), Duration::from_hours(12)];

/// What a refresh does to the refresh token that it was made with.
///
/// The platform does not say which of these it follows, so a client has to survive all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Every answer carries the same refresh token.
    Unchanged,
    /// Every answer carries a new one, and all earlier ones stay valid.
    KeepOld,
    /// The old one is valid until the new pair is used for the first time, at any route.
    Grace,
    /// The old one is dead as soon as it was used, even if the answer never arrived.
    OneTime,
}

/// How a token response writes when something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiries {
    /// Unix seconds, as the platform does.
    UnixSeconds,
    /// Unix milliseconds.
    UnixMilliseconds,
    /// Seconds from now, as other TikTok APIs do under the same names.
    SecondsFromNow,
}

/// The form of a token response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseForm {
    /// As it is published.
    Published,
    /// With `granted_permissions` in place of `granted_scopes`, and `user_type` as text.
    Variant,
}

impl Expiries {
    /// The end, as it is written at `now`.
    pub(super) fn write(self, end: u64, now: u64) -> u64 {
        match self {
            Self::UnixSeconds => end,
            Self::UnixMilliseconds => end * 1_000,
            Self::SecondsFromNow => end.saturating_sub(now),
        }
    }
}

/// How the platform behaves; may be changed at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Seconds for which an authorization code can be redeemed.
    pub code_lifetime: u64,
    /// Seconds that each new access token lives.
    pub access_lifetime: u64,
    /// Seconds for which a new authorization is granted. A refresh does not prolong it: only the
    /// seller can, by authorizing again.
    pub refresh_lifetime: u64,
    /// What becomes of old refresh tokens.
    pub rotation: Rotation,
    /// Whether access tokens die with their refresh tokens rather than at their own expiry.
    pub rotation_ends_access_tokens: bool,
    /// Whether redeeming a code ends the same seller's earlier authorization of the same app.
    pub new_grant_ends_old: bool,
    /// What the token host answers for an authorization that has reached its end.
    pub expired_refresh_code: i64,
    /// What the open API answers for a token that is unknown or was taken back: 36009004, whose text names the token, or
    /// 105001.
    pub invalid_token_code: i64,
    /// How token responses write ends.
    pub expiries: Expiries,
    /// How else token responses differ from the published ones.
    pub form: ResponseForm,
    /// Whether the timestamp in a signed call is compared with the machine's clock rather than the
    /// simulator's: for a product that cannot travel along when the simulator's clock is advanced.
    /// Notices are stamped by the same clock.
    pub timestamps_by_machine_clock: bool,
    /// How long after a failed attempt a notice is posted again, in the machine's time; when all
    /// are used up, it is given up.
    pub webhook_retries: Vec<Duration>,
    /// How many of the answers that would have ended the delivery of a notice the platform never
    /// hears: each time it posts the notice again, after the next of `webhook_retries`.
    pub webhook_duplicates: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            code_lifetime: 30 * 60,
            access_lifetime: 7 * 24 * 60 * 60,
            refresh_lifetime: 365 * 24 * 60 * 60,
            rotation: Rotation::KeepOld,
            rotation_ends_access_tokens: false,
            new_grant_ends_old: true,
            expired_refresh_code: code::REFRESH_TOKEN_EXPIRED,
            invalid_token_code: code::INVALID_INPUT,
            expiries: Expiries::UnixSeconds,
            form: ResponseForm::Published,
            timestamps_by_machine_clock: false,
            webhook_retries: WEBHOOK_RETRIES.to_vec(),
            webhook_duplicates: 0,
        }
    }
}
