//! What the command line says.

use clap::Parser;

use crate::Part;

/// What is tortured, how much, and from which seed.
#[derive(Debug, Clone, Parser)]
#[command(name = "torture", about = "What must hold when things go wrong, or all come at once")]
pub struct Settings {
    /// Only these parts, separated by commas; all unless given
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Part>,
    /// How often each part is repeated; its own number unless given
    #[arg(long)]
    pub rounds: Option<u32>,
    /// Makes a run repeatable; random unless given, and printed
    #[arg(long, default_value_t = rand::random(), hide_default_value = true)]
    pub seed: u64,
    /// How much is done at a time; the part's own number unless given
    #[arg(long)]
    pub concurrency: Option<usize>,
    /// herd: size of the fleet; storm: connections that are rejected at once
    #[arg(long)]
    pub connections: Option<u64>,
    /// load: how long; storm: how long the token host hangs
    #[arg(long)]
    pub minutes: Option<u64>,
    /// storm: puts that Secrets Manager takes per second
    #[arg(long)]
    pub puts: Option<u64>,
    /// faults: writes the tables of docs/reliability.md anew, instead of comparing with them
    #[arg(long)]
    pub write_table: bool,
    /// The sizes that suit a machine with little time, such as CI's
    #[arg(long)]
    pub short: bool,
}

impl Settings {
    /// The parts to run.
    pub fn parts(&self) -> Vec<Part> {
        if self.only.is_empty() { Part::ALL.to_vec() } else { self.only.clone() }
    }

    /// What runs this part alone once more, from the same seed.
    pub fn command(&self, part: Part) -> String {
        let number = |name, value: Option<u64>| value.map(|value| format!(" --{name} {value}")).unwrap_or_default();
        format!(
            "make torture ARGS=\"--only {} --seed {}{}{}{}{}{}{}\"",
            part.as_str(),
            self.seed,
            number("rounds", self.rounds.map(u64::from)),
            number("concurrency", self.concurrency.map(|number| number as u64)),
            number("connections", self.connections),
            number("minutes", self.minutes),
            number("puts", self.puts),
            if self.short { " --short" } else { "" },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_it_tells_is_read_as_it_was_meant() {
        let given = ["torture", "--only", "herd", "--seed", "7", "--connections", "5", "--puts", "9", "--short"];
        let settings = Settings::parse_from(given);
        assert_eq!(settings.parts(), [Part::Herd]);
        let told = settings.command(Part::Herd);
        let arguments = told.split('"').nth(1).unwrap();
        let again = Settings::parse_from(std::iter::once("torture").chain(arguments.split(' ')));
        assert_eq!(format!("{again:?}"), format!("{settings:?}"));
    }
}
