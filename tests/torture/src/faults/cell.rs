//! One cell of the table: a job, and what goes wrong in it.

use std::fmt;

use super::{job::Job, step::Step, trouble::Trouble};

/// One cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The job.
    pub job: Job,
    /// What goes wrong.
    pub strike: Strike,
}

/// What goes wrong in a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strike {
    /// A call.
    Call {
        /// The place of its step in the job.
        step: usize,
        /// What goes wrong with it.
        trouble: Trouble,
        /// Whether with each such call until the job is over, or with one.
        lasting: bool,
    },
    /// The table's clock is so many seconds ahead of the functions'.
    Clock(i64),
}

/// How far the clocks are apart.
pub(crate) const APART: i64 = 300;

impl Cell {
    /// The whole table.
    pub(crate) fn all() -> Vec<Self> {
        Job::ALL.into_iter().flat_map(Self::of).collect()
    }

    fn of(job: Job) -> Vec<Self> {
        let mut strikes = vec![Strike::Clock(APART), Strike::Clock(-APART)];
        for step in 0..job.steps().len() {
            for trouble in Trouble::ALL {
                let lasting = [false, true].into_iter().filter(|lasting| !lasting || trouble.may_last());
                strikes.extend(lasting.map(|lasting| Strike::Call { step, trouble, lasting }));
            }
        }
        strikes.into_iter().map(|strike| Self { job, strike }).collect()
    }

    pub(super) fn step(self) -> Option<Step> {
        match self.strike {
            Strike::Call { step, .. } => self.job.steps().get(step).copied(),
            Strike::Clock(_) => None,
        }
    }

    /// Whether it takes long: something is waited for to the end.
    pub(crate) fn is_long(self) -> bool {
        let Strike::Call { trouble, lasting, .. } = self.strike else { return false };
        let name = self.step().map_or("", |step| step.name);
        let waits =
            name.starts_with("keep") || matches!(name, "look for a secret" | "invoke refresh-on-demand" | "exchange");
        trouble == Trouble::TimeOut || (lasting && waits) || (name == "read the registry" && trouble != Trouble::Slow)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.job.as_str())?;
        match self.strike {
            Strike::Call { trouble, lasting, .. } => {
                let (name, lasts) = (self.step().map_or("?", |step| step.name), if lasting { ", lasting" } else { "" });
                write!(f, ", {name}: {}{lasts}", trouble.as_str())
            }
            Strike::Clock(seconds) => write!(f, ", clock {seconds:+} s"),
        }
    }
}
