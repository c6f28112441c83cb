//! The end of an authorization, as a marketplace's response states it.

use crate::time::Timestamp;

/// What a response says about the end of an authorization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuthorizationEnd {
    /// Nothing: what is known stays.
    #[default]
    Unsaid,
    /// It has no end.
    Never,
    /// It ends then.
    At(Timestamp),
}

impl AuthorizationEnd {
    /// The end from now on, where `known` was the end before.
    pub fn or_known(self, known: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Unsaid => known,
            Self::Never => None,
            Self::At(end) => Some(end),
        }
    }

    /// The end that the response states.
    pub fn stated(self) -> Option<Timestamp> {
        self.or_known(None)
    }
}
