//! What becomes of a job whose call goes wrong: a fixed vocabulary, and what each word says.

use std::fmt;

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Nobody notices.
    NoEffect,
    /// The call is made again within the job.
    Retried,
    /// The work is done, and nobody knows.
    Done,
    /// The work is done, the shops excepted.
    ShopsLater,
    /// Nothing has happened yet; the next run does it.
    NextRun,
    /// The failure is noted, and tried again after a back-off.
    TriedAgain,
    /// The work was done but not written down; the next run finds it in the vault.
    Healed,
    /// Put off, without a mark.
    Deferred,
    /// The refresh token was spent and what it gave is lost.
    RotationLost,
    /// The caller gets 503, and the same call again succeeds.
    Unavailable,
    /// The caller gets the token that still works; the refresh comes later.
    OldToken,
    /// The seller's browser loads the page again.
    Reload,
    /// The seller authorizes again.
    SellerRepeats,
    /// The work is done, and the seller reads that it is not.
    NotTold,
}

impl Word {
    /// All of them.
    pub(crate) const ALL: [Self; 14] = [
        Self::NoEffect,
        Self::Retried,
        Self::Done,
        Self::ShopsLater,
        Self::NextRun,
        Self::TriedAgain,
        Self::Healed,
        Self::Deferred,
        Self::RotationLost,
        Self::Unavailable,
        Self::OldToken,
        Self::Reload,
        Self::SellerRepeats,
        Self::NotTold,
    ];

    /// As it stands in the table.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NoEffect => "no effect",
            Self::Retried => "retried",
            Self::Done => "done anyway",
            Self::ShopsLater => "shops later",
            Self::NextRun => "next run",
            Self::TriedAgain => "tried again",
            Self::Healed => "healed",
            Self::Deferred => "deferred",
            Self::RotationLost => "rotation lost",
            Self::Unavailable => "503",
            Self::OldToken => "old token",
            Self::Reload => "reload",
            Self::SellerRepeats => "seller repeats",
            Self::NotTold => "not told",
        }
    }

    /// What it says, for the document.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::NoEffect => "The job ends as ever, and no call had to be made twice.",
            Self::Retried => "The call is made again within the job, which then ends as ever.",
            Self::Done => "The work is done all the same: whatever came after it was not needed, or found it done.",
            Self::ShopsLater => {
                "The token is there; its shops could not be listed. Those known stay, and the next refresh lists them."
            }
            Self::NextRun => "Nothing was spent, nothing is noted. The next run, a minute later, does the work.",
            Self::TriedAgain => {
                "The failure is noted with the connection, and tried again after a back-off of one minute to half an hour."
            }
            Self::Healed => {
                "What the marketplace had given lies in the vault. The next run finds it there and commits it, without a \
                 second call to the marketplace."
            }
            Self::Deferred => "Put off for 15 to 60 minutes. Nothing was spent, and nobody is blamed.",
            Self::RotationLost => {
                "The refresh token was spent, and what it gave is lost. The access token is served to its end; the \
                 connection says `rotation_lost`, and the seller has to authorize again."
            }
            Self::Unavailable => "The caller gets 503. Nothing is lost: the same call again succeeds.",
            Self::OldToken => "The caller gets the token that still works. The schedule refreshes it.",
            Self::Reload => "The seller sees an error page. Loading the same page again goes on.",
            Self::SellerRepeats => {
                "The seller sees an error page and has to authorize once more. What was half done is no hindrance, and \
                 nothing of it stays behind."
            }
            Self::NotTold => "The connection is renewed, although the seller sees an error page.",
        }
    }
}

/// What is seen of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What becomes of the job.
    pub word: Word,
    /// Whether the operator is told.
    pub alarm: bool,
}

impl Outcome {
    /// As it stands in the table.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (word, alarm) = text.strip_suffix(ALARM).map_or((text, false), |word| (word, true));
        let word = Word::ALL.into_iter().find(|known| known.as_str() == word)?;
        Some(Self { word, alarm })
    }
}

/// After the word, where an alarm is raised.
const ALARM: &str = " (!)";

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.word.as_str(), if self.alarm { ALARM } else { "" })
    }
}
