//! The end of an authorization: what a response states, and what is known after it. Pure.

use super::{Connection, notice::earlier};
use crate::{time::Timestamp, token_set::TokenSet};

const DAY: i64 = 86_400;

/// What a response says about the end of an authorization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuthorizationEnd {
    /// It is no response that states an end.
    #[default]
    Unsaid,
    /// It should state an end, and does not.
    Missing,
    /// The authorization has no end.
    Never,
    /// The authorization ends then.
    At(Timestamp),
}

/// What is known about the end of an authorization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KnownEnd {
    /// The end; absent if there is none, or if it is unclear.
    pub at: Option<Timestamp>,
    /// The last response stated an end that cannot be right, or none where there was one before.
    pub unclear: bool,
}

impl KnownEnd {
    /// This end, by a response that stated it.
    pub const fn at(end: Timestamp) -> Self {
        Self { at: Some(end), unclear: false }
    }
}

impl Connection {
    /// What is known about the end of its authorization.
    pub const fn known_end(&self) -> KnownEnd {
        KnownEnd { at: self.authorization_expires_at, unclear: self.end_unclear }
    }

    /// Whether the end of its authorization is known and has come.
    pub fn is_at_end(&self, now: Timestamp) -> bool {
        self.authorization_expires_at.is_some_and(|end| end <= now)
    }

    /// The end that the vendor is reminded of: the one announced, where it comes first.
    pub(super) fn reminded_end(&self) -> Option<Timestamp> {
        earlier(self.authorization_expires_at, self.announced_end)
    }
}

impl TokenSet {
    /// What was known about the end of its authorization when it was obtained.
    pub const fn known_end(&self) -> KnownEnd {
        KnownEnd { at: self.authorization_expires_at, unclear: self.end_unclear }
    }
}

impl AuthorizationEnd {
    /// What is known after this response, which came at `now`.
    ///
    /// Nothing is carried on that a response contradicts: an end that is past although the marketplace accepted the call, an
    /// end less than a day ahead that is not the one known, and no end where there was one leave the end unclear. An end that
    /// was believed against the response would make a connection that works look ended.
    pub fn after(self, known: KnownEnd, now: Timestamp) -> KnownEnd {
        let unclear = KnownEnd { at: None, unclear: true };
        match self {
            Self::Unsaid => known,
            Self::Never => KnownEnd::default(),
            Self::Missing if known == KnownEnd::default() => known,
            Self::Missing => unclear,
            Self::At(end) => {
                let repeats = known.at.is_some_and(|known| end.since(known).abs() < DAY);
                let is_credible = end.since(now) >= DAY || (repeats && end > now);
                if is_credible { KnownEnd::at(end) } else { unclear }
            }
        }
    }

    /// The end that the response states.
    pub const fn stated(self) -> Option<Timestamp> {
        match self {
            Self::At(end) => Some(end),
            Self::Unsaid | Self::Missing | Self::Never => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    #[test]
    fn an_end_that_cannot_be_right_is_unclear_and_never_carried_on() {
        use AuthorizationEnd::{At, Missing, Never, Unsaid};
        let (none, unclear) = (KnownEnd::default(), KnownEnd { at: None, unclear: true });
        let (year, soon) = (KnownEnd::at(NOW.plus(365 * DAY)), KnownEnd::at(NOW.plus(3_600)));
        for (response, known, expected) in [
            (Unsaid, year, year),
            (Unsaid, unclear, unclear),
            (Never, year, none),
            (Never, unclear, none),
            (Missing, none, none),
            (Missing, year, unclear),
            (Missing, unclear, unclear),
            (At(NOW.plus(DAY)), none, KnownEnd::at(NOW.plus(DAY))),
            (At(NOW.plus(DAY - 1)), year, unclear),
            (At(NOW.plus(3_600)), soon, soon),
            (At(NOW), soon, unclear),
            (At(NOW.plus(-1)), KnownEnd::at(NOW.plus(-1)), unclear),
            (At(NOW.plus(365 * DAY)), unclear, year),
        ] {
            assert_eq!(response.after(known, NOW), expected, "{response:?} after {known:?}");
        }
    }
}
