use super::permissions::Purpose;

/// An authorization code on its way from the callback to the router.
pub(super) struct Code {
    pub(super) value: String,
    pub(super) app_key: String,
    pub(super) seller: String,
    pub(super) dead_at: u64,
    pub(super) used: bool,
}

/// Why a token no longer works, other than by its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The seller issued a newer one.
    Replaced,
    /// The seller took the authorization back.
    Revoked,
}

/// What a seller gave an app for one mall and purpose.
pub(super) struct Token {
    /// Counts from one, in order of issue.
    pub(super) id: u64,
    pub(super) value: String,
    pub(super) app_key: String,
    pub(super) mall_id: u64,
    pub(super) purpose: Purpose,
    pub(super) permissions: Vec<String>,
    pub(super) expires_at: u64,
    pub(super) end: Option<End>,
}

impl Token {
    pub(super) fn is_for(&self, app_key: &str, mall_id: u64, purpose: Purpose) -> bool {
        self.app_key == app_key && self.mall_id == mall_id && self.purpose == purpose
    }

    pub(super) fn lives(&self, now: u64) -> bool {
        self.end.is_none() && now < self.expires_at
    }
}

/// What the seller chose, where it is not the usual.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    pub(super) permissions: Option<Vec<String>>,
    /// Seconds.
    pub(super) lifetime: Option<u64>,
}
