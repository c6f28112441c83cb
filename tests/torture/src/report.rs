//! What is told at the end: for each part what was done, what was measured, what did not hold.

use std::{fmt::Write as _, time::Duration};

use clap::ValueEnum;
use futures_util::future::{BoxFuture, FutureExt};

use crate::{Settings, faults, herd, kills, load, races, storm, verdicts};

/// A part of the torture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Everything comes due at once.
    Herd,
    /// Processes are killed at every step.
    Kills,
    /// Everybody at once.
    Races,
    /// Every call goes wrong, at every step of every job.
    Faults,
    /// Everything at once, for minutes.
    Load,
    /// Everybody asks on demand while something is wrong.
    Storm,
    /// The marketplace refuses many by mistake.
    Verdicts,
}

impl Part {
    /// Every part, in the order in which they run.
    pub const ALL: [Self; 7] =
        [Self::Kills, Self::Races, Self::Faults, Self::Load, Self::Storm, Self::Herd, Self::Verdicts];

    /// As it stands on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Herd => "herd",
            Self::Kills => "kills",
            Self::Races => "races",
            Self::Faults => "faults",
            Self::Load => "load",
            Self::Storm => "storm",
            Self::Verdicts => "verdicts",
        }
    }

    /// Runs it. The boxed future is compiled here, once, and not again in each program that awaits it.
    pub fn run(self, settings: &Settings) -> BoxFuture<'_, PartReport> {
        match self {
            Self::Herd => herd::run(settings).boxed(),
            Self::Kills => kills::run(settings).boxed(),
            Self::Races => races::run(settings).boxed(),
            Self::Faults => faults::run(settings).boxed(),
            Self::Load => load::run(settings).boxed(),
            Self::Storm => storm::run(settings).boxed(),
            Self::Verdicts => verdicts::run(settings).boxed(),
        }
    }
}

/// What one part did and found.
#[derive(Debug, Clone, Default)]
pub struct PartReport {
    /// What was done, in a few words.
    pub done: String,
    /// What was measured, by name.
    pub figures: Vec<(String, String)>,
    /// What did not hold. Empty: passed.
    pub failures: Vec<String>,
}

impl PartReport {
    /// A report of what is going to be done.
    pub fn new(done: impl Into<String>) -> Self {
        Self { done: done.into(), ..Self::default() }
    }

    /// Notes what was measured.
    pub fn figure(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.figures.push((name.into(), value.into()));
    }

    /// Notes that something did not hold, if it did not.
    pub fn check(&mut self, holds: bool, failure: impl FnOnce() -> String) {
        if !holds {
            self.failures.push(failure());
        }
    }

    /// Whether everything held.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Prints the reports; answers whether all parts passed.
pub fn print(settings: &Settings, reports: &[(Part, Duration, PartReport)]) -> bool {
    for (part, took, report) in reports {
        println!("\n{}", text(settings, *part, *took, report));
    }
    reports.iter().all(|(.., report)| report.passed())
}

fn text(settings: &Settings, part: Part, took: Duration, report: &PartReport) -> String {
    let verdict = if report.passed() { "passed" } else { "FAILED" };
    let mut text = format!("{} {verdict} in {} s: {}", part.as_str(), took.as_secs(), report.done);
    let width = report.figures.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in &report.figures {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {name:<width$}  {value}");
    }
    for failure in &report.failures {
        let _ = write!(text, "\n  does not hold: {failure}");
    }
    let _ = write!(text, "\n  again: {}", settings.command(part));
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_failure_is_told_with_the_command_that_repeats_it() {
        let settings = Settings::parse_from(["torture", "--seed", "7"]);
        let mut report = PartReport::new("two things");
        report.figure("first", "1");
        report.check(true, || "the first".into());
        assert!(print(&settings, &[(Part::Herd, Duration::ZERO, report.clone())]));
        report.check(false, || "the second".into());
        let text = text(&settings, Part::Herd, Duration::from_secs(2), &report);
        assert_eq!(
            text,
            "herd FAILED in 2 s: two things\n  first  1\n  does not hold: the second\n  again: make torture \
             ARGS=\"--only herd --seed 7\""
        );
        assert!(!print(&settings, &[(Part::Herd, Duration::ZERO, report)]));
    }
}
